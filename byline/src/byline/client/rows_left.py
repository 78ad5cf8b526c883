"""Rows that a head takes and the next does not must stand among the removed: nothing leaves without a word."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pyroaring import BitMap64

from byline.client.fetching import entries_of
from byline.client.state import State
from byline.errors import Untrusted
from byline.formats import rowfeed
from byline.formats.feedhead import Bitmap, Head, RowEntry, parse_gone

Label = tuple[str, str, str]


def check_rows_left(state: State, before: Head | None, head: Head) -> None:
    """Compare the parts of the index that changed. Untrusted("removed-unsaid")."""
    if before is None or before.index == head.index:
        return
    changed = [part for part, file in before.index.items() if head.index.get(part) != file]
    now = {_label(digest, entry): entry for digest, entry in entries_of(state, head) if digest[:2] in changed}
    gone = _gone(state, head, changed)
    for digest, entry in entries_of(state, before):
        label = _label(digest, entry)
        if digest[:2] not in changed or label in gone:
            continue
        after = now.get(label)
        if after is None or unsaid_rows(entry, after, partial(_rows, state)):
            raise Untrusted(
                "removed-unsaid",
                f"rows of {entry.label} left the feed after head {before.seq}, and no removal says so",
            )


def unsaid_rows(before: RowEntry, after: RowEntry, rows: Callable[[Bitmap], BitMap64]) -> BitMap64:
    """Rows that left an entry without a word; `rows` reads a bitmap."""
    if before.bitmaps["any"] == after.bitmaps["any"]:
        return BitMap64()
    said = [rows(one) for one in (after.bitmaps["any"], *after.removed.values())]
    return rows(before.bitmaps["any"]) - BitMap64.union(*said)


def _rows(state: State, bitmap: Bitmap) -> BitMap64:
    file = bitmap.file
    return BitMap64() if file is None else rowfeed.read(state.bytes_of(file.path, file.sha256))


def _gone(state: State, head: Head, parts: list[str]) -> set[Label]:
    files = [head.index[part] for part in parts if part in head.index]
    return {label for file in files for label in parse_gone(state.bytes_of(file.path, file.sha256))}


def _label(digest: str, entry: RowEntry) -> Label:
    return digest, entry.dataset, entry.version
