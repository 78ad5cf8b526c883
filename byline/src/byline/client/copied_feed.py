"""The feed's part of a mirror: every head the log names, and all files the present one leads to."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from byline.client import verified
from byline.client.copy import Folder
from byline.client.log import Source
from byline.errors import NotFound, Refused, Untrusted
from byline.formats import canonical
from byline.formats.feedhead import MAX_HEAD, MAX_INDEX, Head, noted, parse_head, verify_head
from byline.formats.note import MAX_NOTE

ROOT = "feed/v1/"
NOTE, HEAD = f"{ROOT}head.note", f"{ROOT}head.json"
MOST_FILE = 2 << 30
_AT_ONCE = 8
_PATH = re.compile(r"files/([0-9a-f]{64})\.[a-z]{1,10}", re.ASCII)


def copy_feed(source: Source, here: Folder, *, vkey: str, heads: Sequence[str]) -> int:
    """Bring the present head, its files, and the earlier heads of these digests; how many files came.

    Untrusted("bad-signature", "head-mismatch", "wrong-origin", "wrong-file", "feed-went-back", "feed-forked"),
    Refused("bad-head"). The note comes last: it is what says which head stands.
    """
    last = copied_head(here)
    count = _copy(source, here, [f"files/{digest}.json" for digest in heads], missing_ok=True)
    try:
        note = source.fetch(f"/{NOTE}", max_bytes=MAX_NOTE)
    except NotFound:
        return count
    path = f"files/{noted(note, vkey)}.json"
    count += _copy(source, here, [path])
    data = here.fetch(f"{ROOT}{path}", max_bytes=MAX_HEAD)
    head = verify_head(data, note, vkey)
    verified.check_follows(last, head)
    count += _copy(source, here, sorted(_paths(canonical.loads(data, max_bytes=MAX_HEAD))))
    for part in head.index.values():
        index = here.fetch(f"{ROOT}{part.path}", max_bytes=MAX_INDEX)
        count += _copy(source, here, sorted(_bitmaps(canonical.loads(index, max_bytes=MAX_INDEX))))
    here.settle()
    if not _is_newer(here, head.seq):
        here.put(HEAD, data)
        here.put(NOTE, note)
    return count


def copied_head(here: Folder) -> Head | None:
    """The head a copy believes; None before the first."""
    return parse_head(here.fetch(HEAD, max_bytes=MAX_HEAD)) if here.has(HEAD) else None


def _is_newer(here: Folder, seq: int) -> bool:
    """Whether the copy has a later head already: another run came first."""
    last = copied_head(here)
    return last is not None and last.seq > seq


def _copy(source: Source, here: Folder, paths: Sequence[str], *, missing_ok: bool = False) -> int:
    wanted = [path for path in dict.fromkeys(paths) if not here.has(f"{ROOT}{path}")]
    count = 0
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for at in range(0, len(wanted), _AT_ONCE):
            some = wanted[at : at + _AT_ONCE]
            for path, data in zip(some, pool.map(lambda one: _named(source, one), some), strict=True):
                if data is None and not missing_ok:
                    raise Untrusted("wrong-file", f"the head names {path}, and it is not served", at=path)
                if data is not None:
                    here.put(f"{ROOT}{path}", data)
                    count += 1
    return count


def _named(source: Source, path: str) -> bytes | None:
    """A file that is named by its digest; None where it is not served."""
    named = _PATH.fullmatch(path)
    if not named:
        raise Refused("bad-head", f"the head names a file outside the feed: {path[:100]!r}")
    try:
        data = source.fetch(f"/{ROOT}{path}", max_bytes=MOST_FILE)
    except NotFound:
        return None
    if hashlib.sha256(data).hexdigest() != named[1]:
        raise Untrusted("wrong-file", f"{path} has another digest than its name says", at=path)
    return data


def _bitmaps(index: Any) -> Iterator[str]:
    """Paths in a part of the index; what a publisher named its columns is no path."""
    for entries in index["files"].values():
        yield from _paths(
            [{name: entry.get(name) for name in ("bitmaps", "removed", "items")} for entry in entries]
        )


def _paths(found: Any) -> Iterator[str]:
    """Every path that is named, in whatever member: a later version may name more."""
    if isinstance(found, dict):
        for name, value in found.items():
            if name == "path" and isinstance(value, str):
                yield value
            else:
                yield from _paths(value)
    elif isinstance(found, list):
        for value in found:
            yield from _paths(value)
