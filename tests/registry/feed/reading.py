"""Build a feed and read it back as a stranger does: note, head, files by digest."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from byline.formats import canonical, note, rowfeed
from byline.formats.feedhead import parse_head, parse_index, verify_head
from byline.formats.feedkeys import read_pieces
from byline.formats.keys import PrivateKey
from byline.formats.keyset import whole
from registry.database import transaction
from registry.feed.build import build_feed
from registry.feed.head import read_head
from registry.models import FeedHead
from registry.storage import ObjectStore
from registry.tlog.sequence import assign_numbers
from tests.registry.optouts.small_registry import SmallRegistry

KEY = PrivateKey.generate()
PADDING = bytes(range(32))


def build(
    here: SmallRegistry, *, now: dt.datetime | None = None, store: ObjectStore | None = None
) -> FeedHead | None:
    """Number what waits, then build."""
    with transaction(here.sessions) as session:
        assign_numbers(session)
    return build_feed(
        here.sessions,
        store=store or here.store,
        log_key=KEY,
        padding_key=PADDING,
        settings=here.settings,
        now=now or here.now,
    )


@dataclass(frozen=True)
class Read:
    """A feed that was believed: every digest checked."""

    store: ObjectStore
    head: dict[str, Any]

    def file(self, entry: dict[str, Any]) -> bytes:
        """A file the head or an index names."""
        data = self.store.get(f"feed/v1/{entry['path']}")
        assert hashlib.sha256(data).hexdigest() == entry["sha256"]
        return data

    def fingerprints(self) -> dict[int, int]:
        """k -> c."""
        head = parse_head(canonical.dumps(self.head))
        k, c = whole(read_pieces(head, lambda file: self.file(vars(file))))
        return {int(one): int(bits) for one, bits in zip(k, c, strict=True)}

    def entries(self, file_sha256: str) -> list[dict[str, Any]]:
        """What the index says about one file."""
        part = self.head["rows"]["index"].get(file_sha256[:2])
        if part is None:
            return []
        data = self.file(part)
        assert len(parse_index(data)) == len(json.loads(data)["files"])
        return list(json.loads(data)["files"].get(file_sha256, []))

    def rows(self, file_sha256: str, label: str = "any") -> list[set[int]]:
        """The rows dropped from one file, for each dataset that names it."""
        bitmaps = [entry["bitmaps"][label] for entry in self.entries(file_sha256)]
        return [set(rowfeed.read(self.file(one))) if one["n"] else set() for one in bitmaps]


def read(here: SmallRegistry, store: ObjectStore | None = None) -> Read:
    """Verify the note, then the head."""
    data, signed = read_head(store or here.store)
    verify_head(data, signed, note.vkey(here.settings.origin, KEY.public))
    return Read(store or here.store, json.loads(data))
