"""The way on after a database was restored from an older copy: the log in the store is the longer memory.

Every entry the published checkpoint covers is read back, checked against the signed root, and takes its place in the
sequence. What an entry only commits to (who asked for an opt-out, a statement the restored database lacks) cannot come
back from the log: it is listed, so that it can be asked for again. The same statement sent again finds its entry.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update
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
from byline.formats.tiles import WIDTH, bundle_at, node_reader, read_bundle, tile_at
from registry.database import Sessions, one_at_a_time, transaction
from registry.models import Act, LogState, SignedCheckpoint
from registry.storage import ObjectStore
from registry.tlog import shelf
from registry.tlog.growing import check_edge
from registry.tlog.whole import root_of_entries

BATCH = 1_024
Heard = Callable[[int, dict[str, Any]], None]
Found = tuple[int, bytes]


@dataclass(frozen=True)
class Recovered:
    """How many entries came back, how long the log is, and of how many the database had nothing: known by digest only."""

    entries: int
    size: int
    lost: int


def recover(
    sessions: Sessions,
    *,
    store: ObjectStore,
    log_key: PrivateKey,
    origin: str,
    now: dt.datetime,
    heard: Heard = lambda _index, _entry: None,
) -> Recovered:
    """Bring a database that is older than its log up to the published checkpoint, a stretch of entries at a time.

    `heard` is told each entry the database had nothing of, while it goes. Refused("nothing-to-recover") where the database
    already knows the log; Untrusted("log-other-key", "log-damaged", "log-forked") where what is published cannot be
    believed or contradicts what the database has: then nothing is changed.
    """
    there = shelf.read_checkpoint(store)
    if there is None:
        raise Refused("nothing-to-recover", "the store holds no log")
    published = checkpoints.read(there, NoteKey(origin, log_key.public))
    check_edge(published, partial(shelf.read_tiles, store))
    lost = 0
    with transaction(sessions) as session:
        one_at_a_time(session, "sequence")
        start = _agreeing(session, store, published)
        _drop_unsigned(session, start)
        number = _next_number(session)
        for batch in _batches(_entries(store, start, published.size)):
            lost += _bring_back(session, batch, number=number, now=now, heard=heard)
            number += len(batch)
        _go_on(session, number=number, index=published.size)
        if root_of_entries(session, published.size) != published.root:
            raise Untrusted("log-damaged", "the entries in the store do not give the root that was published")
        if session.get(SignedCheckpoint, published.size) is None:
            session.add(SignedCheckpoint(size=published.size, root=published.root, note=there, made_at=now))
    return Recovered(published.size - start, published.size, lost)


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
    session.execute(update(Act).where(Act.log_index >= start).values(log_index=None, number=None))


def _entries(store: ObjectStore, start: int, size: int) -> Iterator[Found]:
    """Entries from `start`, each checked against its leaf hash in the tiles; all of them against the signed root afterwards."""
    for first in range(start // WIDTH * WIDTH, size, WIDTH):
        bundle, tile = bundle_at(first, size), tile_at(0, first, size)
        leaves = read_bundle(shelf.read_tile(store, bundle), bundle)
        hashes = shelf.read_tile(store, tile)[: tile.width * merkle.HASH]
        if b"".join(map(leaf_hash, leaves)) != hashes:
            raise Untrusted(
                "log-damaged", f"the entries in {bundle.path} are not the ones of the log's tiles"
            )
        yield from ((at, leaf) for at, leaf in enumerate(leaves, first) if at >= start)


def _batches(entries: Iterator[Found]) -> Iterator[list[Found]]:
    while batch := list(islice(entries, BATCH)):
        yield batch


def _next_number(session: Session) -> int:
    """Never one that was given: whoever follows the sequence has passed those."""
    given = session.scalar(select(LogState.next_number)) or 0
    last = session.scalar(select(func.max(Act.number)))
    return max(given, 0 if last is None else last + 1)


def _bring_back(session: Session, batch: list[Found], *, number: int, now: dt.datetime, heard: Heard) -> int:
    """Give each entry its place; how many the database knows nothing else of."""
    hashes = {leaf_hash(leaf): (at, leaf) for at, leaf in batch}
    rows = session.execute(select(Act.leaf_hash, Act.id).where(Act.leaf_hash.in_(list(hashes))))
    standing = {row.leaf_hash: row.id for row in rows}
    placed, new = [], []
    for number_, (found, (at, leaf)) in enumerate(hashes.items(), number):
        place = {"number": number_, "log_index": at}
        if found in standing:
            placed.append({"b_id": standing[found], **place})
        else:
            entry = parse_entry(leaf)
            new.append({**_act(entry, now), "leaf": leaf, "leaf_hash": found, **place})
            heard(at, entry)
    table, connection = Act.__table__, session.connection()
    if placed:
        connection.execute(update(table).where(table.c.id == bindparam("b_id")), placed)  # type: ignore[arg-type]
    if new:
        connection.execute(insert(Act), new)
    return len(new)


def _go_on(session: Session, *, number: int, index: int) -> None:
    state = session.get(LogState, 1, with_for_update=True)
    if state is None:
        state = LogState(id=1)
        session.add(state)
    state.next_number, state.next_index = number, index
    session.flush()


def _act(entry: dict[str, Any], now: dt.datetime) -> dict[str, Any]:
    kind = entry["kind"]
    ref = entry.get("commitment") or entry["digest"]
    return {
        "kind": kind,
        "ref": ref,
        "subject": entry.get("subject") or (f"feed:{entry['seq']}" if kind == "feed" else f"opt-out:{ref}"),
        "made_at": read_timestamp(entry["at"], at="at") if "at" in entry else now,
    }
