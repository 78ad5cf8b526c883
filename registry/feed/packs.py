"""Packs: the small files of the row feeds that are new since a head, many in one answer.

A convenience, and nothing more: each file in a pack lies under its own digest as well.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Collection, Iterable
from typing import Any

from registry.feed.batches import Moment, named, next_span, said, spans
from registry.feed.before import Before
from registry.feed.head import FILES, Files
from registry.feed.periods import Span, merged


def pack_files(
    files: Files, before: Before, fresh: Iterable[str], needed: Collection[str], *, at: Moment
) -> list[dict[str, Any]]:
    """The member `packs` of a head: all that it leads to, by when it came. Who has none begins with the first one."""
    packs = spans(before.head.packs) if before.head is not None else []
    new = sorted(fresh)
    if new:
        packs.append(next_span(packs, _pack(files, new), 0, at))
    return [said(_one_pack(files, span, needed)) for span in merged(packs, at.now)]


def _one_pack(files: Files, span: Span, needed: Collection[str]) -> Span:
    """Packs of one period as one, without what the head does not lead to any more."""
    if len(span.files) == 1:
        return span
    names = {name for file in span.files for name in _names(files.get(str(file["path"])))}
    kept = sorted(path for path in names if path in needed)
    return Span(span.since, span.to, span.until, (_pack(files, kept),))


def _pack(files: Files, paths: Collection[str]) -> dict[str, Any]:
    """Plain tar (POSIX ustar) without times or owners: the same files, the same bytes."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as pack:
        for path in paths:
            data = files.get(path)
            member = tarfile.TarInfo(path.removeprefix(f"{FILES}/"))
            member.size = len(data)
            pack.addfile(member, io.BytesIO(data))
    return named(files, out.getvalue(), len(paths), "tar")


def _names(data: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as pack:
        return [f"{FILES}/{name}" for name in pack.getnames()]
