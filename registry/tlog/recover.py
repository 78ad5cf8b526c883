"""The way on after a database was restored from an older copy: the log in the store is the longer memory.

Every entry the published checkpoint covers is read back, checked against the signed root, and takes its place in the
sequence. What an entry only commits to (who asked for an opt-out, a statement the restored database lacks) cannot come
back from the log: it is listed, so that it can be asked for again. The same statement sent again finds its entry.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from byline.errors import Refused, Untrusted
from byline.formats import checkpoint as checkpoints
from byline.formats import merkle
from byline.formats.canonical import read_timestamp
from byline.formats.checkpoint import Checkpoint
from byline.formats.entries import parse_entry
from byline.formats.keys import PrivateKey
from byline.formats.merkle import leaf_hash
from byline.formats.note import NoteKey
from byline.formats.tiles import WIDTH, Tile, bundle_at, node_reader, read_bundle, tile_at
from registry.database import Sessions, one_at_a_time, transaction
from registry.models import Act, LogState, SignedCheckpoint
from registry.storage import ObjectStore
from registry.tlog import shelf
from registry.tlog.growing import check_edge

BATCH = 4_096


@dataclass(frozen=True)
class Recovered:
    """How many entries came back, how long the log is, and what is known of each by its digest only."""

    entries: int
    size: int
    lost: tuple[dict[str, Any], ...]


def recover(
    sessions: Sessions, *, store: ObjectStore, log_key: PrivateKey, origin: str, now: dt.datetime
) -> Recovered:
    """Bring a database that is older than its log up to the published checkpoint.

    Refused("nothing-to-recover") where the database already knows it; Untrusted("log-other-key", "log-damaged",
    "log-forked") where what is published cannot be believed or contradicts what the database has.
    """
    there = shelf.read_checkpoint(store)
    if there is None:
        raise Refused("nothing-to-recover", "the store holds no log")
    published = checkpoints.read(there, NoteKey(origin, log_key.public))
    check_edge(published, partial(shelf.read_tiles, store))
    with transaction(sessions) as session:
        one_at_a_time(session, "sequence")
        start = _agreeing(session, store, published)
        entries = list(_entries(store, start, published.size))
        _drop_unsigned(session, start)
        _bring_back(session, entries, start=start, now=now)
        if session.get(SignedCheckpoint, published.size) is None:
            session.add(SignedCheckpoint(size=published.size, root=published.root, note=there, made_at=now))
    return Recovered(
        len(entries), published.size, tuple({"index": at, **parse_entry(leaf)} for at, leaf in entries)
    )


def _agreeing(session: Session, store: ObjectStore, published: Checkpoint) -> int:
    """How many entries the database has that are the log's own, from the start; the rest it must give up."""
    if session.get(SignedCheckpoint, published.size) is not None:
        raise Refused(
            "nothing-to-recover", f"the database knows the published log of {published.size} entries"
        )
    row = session.scalar(select(SignedCheckpoint).order_by(SignedCheckpoint.size.desc()).limit(1))
    if row is None:
        return 0
    if row.size > published.size:
        raise Untrusted("log-forked", "the database signed a longer log than the published one, and another")
    read = node_reader(published.size, partial(shelf.read_tiles, store))
    if merkle.root_of(row.size, read) != row.root:
        raise Untrusted(
            "log-forked", f"the published log does not go on from the one signed at {row.size} entries"
        )
    return row.size


def _drop_unsigned(session: Session, start: int) -> None:
    """Entries that were numbered and never signed stand where others are: they line up again behind."""
    for act in session.scalars(select(Act).where(Act.log_index >= start)):
        act.log_index = act.number = None
    session.flush()


def _entries(store: ObjectStore, start: int, size: int) -> Iterator[tuple[int, bytes]]:
    """Entries from `start`, each checked against its leaf hash in the tiles, which lead to the signed root."""
    for first in range(start // WIDTH * WIDTH, size, WIDTH):
        bundle, tile = bundle_at(first, size), tile_at(0, first, size)
        leaves = read_bundle(_cut(store, bundle), bundle)
        hashes = shelf.read_tile(store, tile)[: tile.width * merkle.HASH]
        if b"".join(map(leaf_hash, leaves)) != hashes:
            raise Untrusted(
                "log-damaged", f"the entries in {bundle.path} are not the ones of the log's tiles"
            )
        yield from ((at, leaf) for at, leaf in enumerate(leaves, first) if at >= start)


def _cut(store: ObjectStore, bundle: Tile) -> bytes:
    return shelf.read_tile(store, bundle)


def _bring_back(session: Session, entries: list[tuple[int, bytes]], *, start: int, now: dt.datetime) -> None:
    state = session.get(LogState, 1, with_for_update=True)
    if state is None:
        state = LogState(id=1, next_number=0, next_index=0)
        session.add(state)
    number = max(state.next_number, (session.scalar(select(func.max(Act.number))) or -1) + 1)
    for index, leaf in entries:
        act = session.scalar(select(Act).where(Act.leaf_hash == leaf_hash(leaf)))
        if act is None:
            act = _act(leaf, now)
            session.add(act)
        act.number, act.log_index = number, index
        number += 1
    state.next_number = number
    state.next_index = start + len(entries)
    session.flush()


def _act(leaf: bytes, now: dt.datetime) -> Act:
    entry = parse_entry(leaf)
    kind = entry["kind"]
    ref = entry.get("commitment") or entry["digest"]
    subject = entry.get("subject") or (f"feed:{entry['seq']}" if kind == "feed" else f"opt-out:{ref}")
    made = read_timestamp(entry["at"], at="at") if "at" in entry else now
    return Act(kind=kind, subject=subject, ref=ref, leaf=leaf, leaf_hash=leaf_hash(leaf), made_at=made)
