"""A log, everything it ever published, and a check that shares nothing with what wrote it."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sqlalchemy import insert

from byline.formats import checkpoint as checkpoints
from byline.formats import entries, merkle
from byline.formats.checkpoint import Checkpoint
from byline.formats.keys import PrivateKey
from byline.formats.note import NoteKey
from byline.formats.tiles import new_bundles as bundles_between
from byline.formats.tiles import read_bundle, tiles_of
from registry.database import Sessions, transaction
from registry.models import Act
from registry.storage import ObjectStore
from registry.storage.memory import MemoryStore
from registry.storage.store import Body
from registry.tlog import shelf
from registry.tlog.append import append
from registry.tlog.integrate import integrate
from registry.tlog.sequence import assign_numbers

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
ORIGIN = "byline.example.org"
KEY = PrivateKey(hashlib.sha256(b"tests: keeper").digest())


class Kept(MemoryStore):
    """A store that remembers every checkpoint that was ever seen, and fails when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.published: list[bytes] = []
        self.writes = 0
        self.fail_at: int | None = None
        self.persist = False

    def put_new(self, key: str, data: Body) -> bool:
        """As MemoryStore, unless this is the write that fails."""
        return self._durable(lambda: MemoryStore.put_new(self, key, data))

    def replace_if(self, key: str, data: bytes, *, expected: bytes | None) -> bool:
        """The same; a checkpoint that is there was published, whoever heard of it."""

        def swap() -> bool:
            done = MemoryStore.replace_if(self, key, data, expected=expected)
            if done and key == shelf.CHECKPOINT:
                self.published.append(data)
            return done

        return self._durable(swap)

    def _durable(self, write: object) -> bool:
        at, self.writes = self.writes, self.writes + 1
        if at != self.fail_at:
            return bool(write())  # type: ignore[operator]
        if self.persist:
            write()  # type: ignore[operator]
        raise OSError("the disk went away")


@dataclass
class Keeper:
    """A log of numbered entries."""

    sessions: Sessions
    store: Kept = field(default_factory=Kept)
    made: int = 0

    def add(self, count: int) -> None:
        """Append entries, each its own."""
        with transaction(self.sessions) as session:
            for _ in range(count):
                digest = hashlib.sha256(b"%d" % self.made).hexdigest()
                leaf = entries.feed_entry(self.made, digest, NOW)
                append(session, kind="feed", subject=f"feed:{self.made}", ref=digest, leaf=leaf, now=NOW)
                self.made += 1
        self.number()

    def add_many(self, count: int) -> None:
        """The same by the ten thousand: rows as `append` leaves them."""
        rows = []
        for seq in range(self.made, self.made + count):
            digest = hashlib.sha256(b"%d" % seq).hexdigest()
            leaf = entries.feed_entry(seq, digest, NOW)
            rows.append(
                {"kind": "feed", "subject": f"feed:{seq}", "ref": digest, "leaf": leaf, "made_at": NOW,
                 "leaf_hash": merkle.leaf_hash(leaf)}
            )  # fmt: skip
        with transaction(self.sessions) as session:
            session.connection().execute(insert(Act), rows)
        self.made += count
        self.number()

    def number(self) -> None:
        """Let the sequencer run dry."""
        given = 1
        while given:
            with transaction(self.sessions) as session:
                given = assign_numbers(session)

    def integrate(self) -> int:
        """Once."""
        return integrate(self.sessions, store=self.store, log_key=KEY, origin=ORIGIN, now=NOW)

    def settle(self) -> None:
        """Until nothing is left."""
        while self.integrate():
            pass

    def checkpoint(self) -> Checkpoint:
        """What is published."""
        return checkpoints.read(self.store.get(shelf.CHECKPOINT), NoteKey(ORIGIN, KEY.public))

    def check(self) -> None:
        """The published log is whole, in the order it was made, and goes on from all that was ever published."""
        size = check_log_in(self.store, self.store.published)
        assert [entries.parse_entry(leaf)["seq"] for leaf in leaves_in(self.store, size)] == list(range(size))


def leaves_in(store: ObjectStore, size: int) -> Iterator[bytes]:
    """Entries as strangers read them."""
    for bundle in bundles_between(0, size):
        yield from read_bundle(store.get(shelf.key_of(bundle)), bundle)


def check_log_in(store: ObjectStore, published: Iterable[bytes]) -> int:
    """Every tile is what the entries give, and every one of these checkpoints is a beginning of the log; its size."""
    size = checkpoints.read(store.get(shelf.CHECKPOINT), NoteKey(ORIGIN, KEY.public)).size
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves_in(store, size)]
    assert len(hashes) == size
    for data in published:
        known = checkpoints.read(data, NoteKey(ORIGIN, KEY.public))
        assert known.size <= size
        assert merkle.root(hashes[: known.size]) == known.root
    for tile in tiles_of(size):
        span = 256 ** (tile.level or 0)
        wanted = [
            merkle.root(hashes[(tile.index * 256 + at) * span : (tile.index * 256 + at + 1) * span])
            for at in range(tile.width)
        ]
        assert store.get(shelf.key_of(tile)) == b"".join(wanted)
    return size
