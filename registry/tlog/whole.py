"""The whole log made once more from the entries in the database: what its files are, and which the store lacks.

The signed root decides: where the entries give it, a stored file of other bytes is damaged, whoever wrote it.
Nothing here grows with the log; entries pass by, 256 at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from byline.errors import NotFound, Untrusted
from byline.formats import checkpoint as checkpoints
from byline.formats import merkle
from byline.formats.merkle import leaf_hash
from byline.formats.note import NoteKey
from byline.formats.tiles import WIDTH, Tile, write_bundle
from registry.database import Sessions
from registry.models import Act, SignedCheckpoint
from registry.storage import ObjectStore
from registry.tlog import shelf
from registry.tlog.integrate import check_known


@dataclass
class Growing:
    """The right edge of a tree while leaf hashes come by: of each level the hashes of its last, unfinished tile."""

    rows: list[list[bytes]] = field(default_factory=list)
    done: list[int] = field(default_factory=list)

    def add(self, found: bytes, level: int = 0) -> Iterator[tuple[Tile, bytes]]:
        """One more hash of a level; the tiles that are full by it."""
        if level == len(self.rows):
            self.rows.append([])
            self.done.append(0)
        row = self.rows[level]
        row.append(found)
        if len(row) == WIDTH:
            yield Tile(level, self.done[level]), b"".join(row)
            self.done[level] += 1
            self.rows[level] = []
            yield from self.add(merkle.root(row), level + 1)

    def edge(self) -> Iterator[tuple[Tile, bytes]]:
        """The tiles that are not full."""
        for level, row in enumerate(self.rows):
            if row:
                yield Tile(level, self.done[level], len(row)), b"".join(row)

    def root(self) -> bytes:
        """The tree head of all that came by: each level's rest is the last subtree of the one above."""
        rest: list[bytes] = []
        for row in self.rows:
            if row or rest:
                rest = [merkle.root([*row, *rest])]
        return rest[0] if rest else merkle.EMPTY_ROOT


def root_of_entries(session: Session, size: int) -> bytes:
    """The tree head that the database's first `size` entries give; Untrusted("log-damaged") where one is not there."""
    tree = Growing()
    for bundle in _bundles(session, size):
        for leaf in bundle:
            for _ in tree.add(leaf_hash(leaf)):
                pass
    return tree.root()


def check_entries(sessions: Sessions) -> SignedCheckpoint | None:
    """The newest signed checkpoint, if the database's entries give its root; None before the first.

    Untrusted("log-damaged") where they do not: entries are lost or were changed.
    """
    with sessions() as session:
        signed = session.scalar(select(SignedCheckpoint).order_by(SignedCheckpoint.size.desc()).limit(1))
        if signed is not None and root_of_entries(session, signed.size) != signed.root:
            raise Untrusted(
                "log-damaged",
                f"the entries in the database do not give the root that was signed for {signed.size}",
            )
    return signed


def lacking(sessions: Sessions, store: ObjectStore, *, size: int) -> Iterator[tuple[Tile, bytes]]:
    """Files of a log of `size` entries that the store has not, or has with other bytes; what they should hold.

    A partial file may be gone once the full one is there, and so the reverse is not asked for.
    """
    for tile, data in _files(sessions, size):
        if _stored(store, tile) != data:
            yield tile, data


def mend(sessions: Sessions, store: ObjectStore, *, key: NoteKey) -> int:
    """Write the log's files anew where they are lost or damaged, and the checkpoint where it is gone; how many.

    Untrusted("log-damaged") where the database cannot tell what they are; "log-ahead-of-database", "log-forked",
    "bad-signature" where what is published is not this database's log.
    """
    published = shelf.read_checkpoint(store)
    if published is not None:
        with sessions() as session:
            check_known(session, checkpoints.read(published, key))
    signed = check_entries(sessions)
    if signed is None:
        return 0
    count = 0
    for tile, data in lacking(sessions, store, size=signed.size):
        store.put(shelf.key_of(tile), data)
        count += 1
    if published is None:
        count += shelf.swap_checkpoint(store, signed.note, expected=None)
    return count


def _files(sessions: Sessions, size: int) -> Iterator[tuple[Tile, bytes]]:
    tree = Growing()
    with sessions() as session:
        for at, bundle in enumerate(_bundles(session, size)):
            yield Tile(None, at, len(bundle)), write_bundle(bundle)
            for leaf in bundle:
                yield from tree.add(leaf_hash(leaf))
    yield from tree.edge()


def _bundles(session: Session, size: int) -> Iterator[list[bytes]]:
    """Entries up to `size`, 256 at a time; Untrusted("log-damaged") where one is not there."""
    for start in range(0, size, WIDTH):
        end = min(start + WIDTH, size)
        rows = session.execute(
            select(Act.log_index, Act.leaf)
            .where(Act.log_index >= start, Act.log_index < end)
            .order_by(Act.log_index)
        ).all()
        if [row.log_index for row in rows] != list(range(start, end)):
            raise Untrusted("log-damaged", f"the database has lost entries after index {start}")
        yield [bytes(row.leaf or b"") for row in rows]


def _stored(store: ObjectStore, tile: Tile) -> bytes | None:
    try:
        return store.get(shelf.key_of(tile))
    except NotFound:
        return None
