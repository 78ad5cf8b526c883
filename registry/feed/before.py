"""What the last head said: every change is told against it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from pyroaring import BitMap64

from byline.formats import rowfeed
from byline.formats.feedhead import FeedFile, Head, parse_head
from byline.formats.feedkeys import read_pieces
from byline.formats.keyset import EMPTY, KeySet, whole
from registry.feed.head import ROOT
from registry.models import FeedHead
from registry.storage import ObjectStore

Parts = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Before:
    """The last head, its keys, and the parts of its row index; nothing of all that before the first one."""

    store: ObjectStore
    head: Head | None = None
    keys: KeySet = EMPTY
    parts: Parts = field(default_factory=dict)

    def read(self, file: FeedFile) -> bytes:
        """A file's bytes."""
        return self.store.get(f"{ROOT}/{file.path}")

    def rows(self, bitmap: dict[str, Any]) -> BitMap64:
        """The rows of a bitmap that an index names."""
        return rowfeed.read(self.store.get(f"{ROOT}/{bitmap['path']}")) if bitmap["n"] else BitMap64()

    def paths(self) -> set[str]:
        """Every file it leads to."""
        if self.head is None:
            return set()
        head, entries = self.head, [entry for part in self.parts.values() for entry in _entries(part)]
        named = {
            one.path for one in (*head.base, *head.deltas, *head.removals, *head.index.values(), *head.packs)
        }
        bitmaps = (
            one for entry in entries for one in (*entry["bitmaps"].values(), *entry["removed"].values())
        )
        items = [
            one["path"]
            for entry in entries
            for one in (entry.get("items") or {}).values()
            if isinstance(one, dict)
        ]
        return named | {one["path"] for one in bitmaps if one["n"]} | set(items)


def read_before(store: ObjectStore, last: FeedHead | None) -> Before:
    """Read it from the object store."""
    if last is None:
        return Before(store)
    head = parse_head(store.get(f"{ROOT}/files/{last.sha256}.json"))
    before = Before(store, head)
    parts = {part: json.loads(before.read(file)) for part, file in head.index.items()}
    return Before(store, head, whole(read_pieces(head, before.read)), parts)


def _entries(part: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry for entries in part["files"].values() for entry in entries]
