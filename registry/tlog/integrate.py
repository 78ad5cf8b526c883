"""From numbered entries to a published checkpoint: one short loop, any step of which may die and be repeated.

1. the order is durable: `sequence.assign_numbers` gave the indexes, in a transaction of its own;
2. bundles and tiles are written create-only: a repeat writes the same bytes;
3. the checkpoint is signed and kept in the database, in the transaction that moves the tree on;
4. the checkpoint is published, if what is published still is what we published before.

Sources: C2SP tlog-tiles; the order of writes follows Sunlight and Tessera.
"""

from __future__ import annotations

import datetime as dt
from functools import partial

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from byline.errors import Conflict, Untrusted
from byline.formats import checkpoint as checkpoints
from byline.formats.checkpoint import Checkpoint
from byline.formats.keys import PrivateKey
from byline.formats.merkle import EMPTY_ROOT
from byline.formats.note import NoteKey
from byline.formats.tiles import WIDTH, new_tiles
from registry.database import Sessions, one_at_a_time, transaction
from registry.models import Act, LogState, SignedCheckpoint
from registry.storage import ObjectStore
from registry.tlog import shelf
from registry.tlog.growing import grow

MOST = 4_096  # entries in one go
ONE_INTEGRATOR = "integrate"


def integrate(
    sessions: Sessions, *, store: ObjectStore, log_key: PrivateKey, origin: str, now: dt.datetime
) -> int:
    """Bring the next entries into the log and publish its checkpoint; how many entries that were.

    Untrusted("log-forked", "log-damaged", "log-ahead-of-database", "log-other-key") stops the log until an operator has
    looked: `byline-registry recover`.
    """
    with sessions() as session:
        tree = newest(session, origin)
        leaves = _next_leaves(session, tree.size)
        known = _note_of(session, tree.size)
    publish(store, known, key=NoteKey(origin, log_key.public), sessions=sessions)
    if not leaves and known is not None:
        return 0
    grown = grow(tree, leaves, fetch=partial(shelf.read_tiles, store))
    for tile, data in grown.files:
        shelf.write_tile(store, tile, data)
    signed = keep(sessions, tree, Checkpoint(origin, grown.size, grown.root), log_key=log_key, now=now)
    publish(store, signed, key=NoteKey(origin, log_key.public), sessions=sessions)
    collect(sessions, store, size=grown.size)
    return len(leaves)


def newest(session: Session, origin: str) -> Checkpoint:
    """The tree as it was signed last; the empty one before."""
    row = session.scalar(select(SignedCheckpoint).order_by(SignedCheckpoint.size.desc()).limit(1))
    return Checkpoint(origin, 0, EMPTY_ROOT) if row is None else Checkpoint(origin, row.size, row.root)


def keep(
    sessions: Sessions, tree: Checkpoint, next_tree: Checkpoint, *, log_key: PrivateKey, now: dt.datetime
) -> bytes:
    """Sign the next checkpoint and keep it, if the tree still is what it was built upon; Conflict("log-moved-on")."""
    note = checkpoints.write(next_tree, log_key)
    with transaction(sessions) as session:
        one_at_a_time(session, ONE_INTEGRATOR)
        if newest(session, next_tree.origin) != tree:
            raise Conflict("log-moved-on", "another integrator was quicker")
        if session.get(SignedCheckpoint, next_tree.size) is None:
            session.add(SignedCheckpoint(size=next_tree.size, root=next_tree.root, note=note, made_at=now))
    return note


def publish(store: ObjectStore, note: bytes | None, *, key: NoteKey, sessions: Sessions) -> None:
    """Put the newest kept checkpoint where everybody looks, unless it or a newer one of ours is there.

    What is there must be one that the database knows: else this database is older than its log.
    """
    if note is None:
        return
    there = shelf.read_checkpoint(store)
    if there == note:
        return
    if there is not None:
        found = checkpoints.read(there, key)
        with sessions() as session:
            check_known(session, found)
        if found.size >= checkpoints.read(note, key).size:
            return
    if not shelf.swap_checkpoint(store, note, expected=there):
        raise Conflict("log-moved-on", "another integrator published meanwhile")


def check_known(session: Session, published: Checkpoint) -> None:
    """Untrusted unless the database signed what is published: "log-ahead-of-database", "log-forked"."""
    row = session.get(SignedCheckpoint, published.size)
    if row is None:
        raise Untrusted(
            "log-ahead-of-database",
            f"the published log has {published.size} entries, and this database knows of no such checkpoint: it was restored "
            "from an older copy. Run `byline-registry recover`",
        )
    if row.root != published.root:
        raise Untrusted(
            "log-forked", f"two roots were signed for {published.size} entries; stop, and keep both"
        )


def collect(sessions: Sessions, store: ObjectStore, *, size: int) -> int:
    """Delete partial tiles and bundles of what is full below the published `size`; how many files.

    How far that is done is written down afterwards: what a crash left behind is collected by the next run that fills a tile.
    """
    with sessions() as session:
        old = session.scalar(select(LogState.collected)) or 0
    if old // WIDTH >= size // WIDTH:
        return 0
    full = [tile for tile in new_tiles(old, size) if tile.width == WIDTH]
    bundles = [type(tile)(None, tile.index) for tile in full if tile.level == 0]
    gone = sum(shelf.collect_partial(store, tile) for tile in (*full, *bundles))
    with transaction(sessions) as session:
        session.execute(update(LogState).where(LogState.collected < size).values(collected=size))
    return gone


def _next_leaves(session: Session, size: int) -> list[bytes]:
    """The leaves after `size`, without a gap, at most 4,096."""
    rows = session.execute(
        select(Act.log_index, Act.leaf).where(Act.log_index >= size).order_by(Act.log_index).limit(MOST)
    ).all()
    if [row.log_index for row in rows] != list(range(size, size + len(rows))):
        raise Untrusted("log-damaged", f"the database has lost entries after index {size}")
    return [bytes(row.leaf) for row in rows]


def _note_of(session: Session, size: int) -> bytes | None:
    return session.scalar(select(SignedCheckpoint.note).where(SignedCheckpoint.size == size))
