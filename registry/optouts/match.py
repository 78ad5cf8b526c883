"""The matcher: whatever happened, it asks which opt-outs that may touch and makes exactly those true again.

An opt-out is always matched whole, so its matches are a function of what stands now and not of how it came
about. Reading takes up to minutes and holds no lock. What changed about rows (a version came or went, a publisher's standing,
a link of handles) first raises the number of changes, then asks whom it touches. A write is dropped where that number was
raised since its reading, or where the same opt-out was written meanwhile: of two things that happen at once, the later one
matched sees both. That other opt-outs are written meanwhile drops nothing, or a large version would never get to its end.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from byline.errors import Unavailable
from registry.database import Sessions, transaction
from registry.jobs import SHORT, enqueue
from registry.models import (
    CoveredPhoto,
    Dataset,
    Fingerprint,
    Manifest,
    Match,
    MatcherState,
    OptOut,
    OptOutMaker,
)
from registry.optouts import reach as reaching
from registry.optouts.affected import by_contributors, by_manifest
from registry.optouts.facts import read_facts
from registry.optouts.kept import keep_all
from registry.optouts.pieces import pieces, select_in
from registry.optouts.reach import reach
from registry.optouts.weighing import weigh
from registry.optouts.wishes import Asked, own_rows, read_wishes
from registry.storage import ObjectStore
from registry.storage.item_index import breathing

AT_ONCE, ROWS = 1_000, 200_000
BATCH = 20  # written in one transaction, some 0.1 s
TRIES = 20
OF_OPT_OUT, OF_ROWS = "match-opt-out", "match"  # kinds of jobs
Affected = Callable[[Session], Collection[str]]
Reached = Sequence[tuple[Asked, reaching.Reached]]


def match_opt_out(
    sessions: Sessions, *, items: Engine, store: ObjectStore, opt_out_id: str, now: dt.datetime
) -> None:
    """Match one opt-out with every dataset. May be repeated."""
    match_opt_outs(sessions, items=items, store=store, opt_out_ids=[opt_out_id], now=now)


def match_opt_outs(
    sessions: Sessions, *, items: Engine, store: ObjectStore, opt_out_ids: Collection[str], now: dt.datetime
) -> None:
    """Match some opt-outs at once: fifty take little longer than one. May be repeated."""
    _make_true(sessions, lambda _session: opt_out_ids, items=items, store=store, now=now, rows_changed=False)


def match_manifest(
    sessions: Sessions, *, items: Engine, store: ObjectStore, manifest_id: int, now: dt.datetime
) -> None:
    """Match one manifest with every opt-out in force: it came or went, or its publisher's standing changed.

    To be called when its state is `logged` and committed, before it is published. May be repeated.
    """

    def affected(session: Session) -> Collection[str]:
        manifest = session.get(Manifest, manifest_id)
        return by_manifest(session, items, store, manifest) if manifest is not None else ()

    _make_true(sessions, affected, items=items, store=store, now=now)
    weigh(sessions, store=store, manifest_id=manifest_id, now=now)


def rematch(
    sessions: Sessions, *, items: Engine, store: ObjectStore, contributors: Collection[int], now: dt.datetime
) -> None:
    """Match again whoever is touched by handles that were linked or parted (their roots changed)."""
    _make_true(
        sessions, lambda session: by_contributors(session, contributors), items=items, store=store, now=now
    )


def match_all(sessions: Sessions, *, items: Engine, store: ObjectStore, now: dt.datetime) -> int:
    """Match every opt-out in force again, and take out what one that is not in force left; how many there were."""
    with transaction(sessions) as session:
        ended = select(OptOut.id).where(OptOut.state != "in-force")
        for table in (Match, CoveredPhoto, Fingerprint, OptOutMaker):
            session.execute(delete(table).where(table.opt_out_id.in_(ended)))
    with sessions() as session:
        everyone = list(session.scalars(select(OptOut.id).where(OptOut.state == "in-force")))
    _make_true(sessions, lambda _session: everyone, items=items, store=store, now=now)
    return len(everyone)


def ask(session: Session, *, now: dt.datetime, **what: Any) -> None:
    """Have it done soon, in the transaction that caused it.

    `what` is one of opt_out=ID, manifest=ID, publisher=ID (its approval or suspension changed),
    contributors=[ID, …].
    """
    key = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
    kind = OF_OPT_OUT if "opt_out" in what else OF_ROWS
    enqueue(session, lane=SHORT, kind=kind, key=key, payload=what, now=now)


def run(
    *, sessions: Sessions, items: Engine, store: ObjectStore, payload: Mapping[str, Any], now: dt.datetime
) -> None:
    """Do one job that `ask` wrote."""
    [(kind, value)] = payload.items()
    if kind == "opt_out":
        match_opt_out(sessions, items=items, store=store, opt_out_id=value, now=now)
    elif kind == "contributors":
        rematch(sessions, items=items, store=store, contributors=value, now=now)
    else:
        for manifest_id in [value] if kind == "manifest" else _manifests(sessions, publisher_id=value):
            match_manifest(sessions, items=items, store=store, manifest_id=manifest_id, now=now)


class _OvertakenError(Exception):
    """What was read is not what stands any more."""


def _make_true(
    sessions: Sessions,
    affected: Affected,
    *,
    items: Engine,
    store: ObjectStore,
    now: dt.datetime,
    rows_changed: bool = True,
) -> None:
    """Ask who is affected and match them; where something changed in between, ask again who is left.

    Whoever wrote before the change was told of is seen when it is asked who is affected; whoever read before it and
    writes later is dropped, and reads again.
    """
    if rows_changed:
        with transaction(sessions) as session:
            _raise(session, MatcherState.changes)
    done: set[str] = set()
    idle = 0
    while idle < TRIES:
        before = len(done)
        try:
            _match_all(sessions, affected, items=items, store=store, now=now, done=done)
        except _OvertakenError:
            idle = 0 if len(done) > before else idle + 1
        else:
            return
    raise Unavailable(
        "matcher-busy", "other matching went on all the time; it will be tried again", retry_after=5
    )


def _match_all(
    sessions: Sessions,
    affected: Affected,
    *,
    items: Engine,
    store: ObjectStore,
    now: dt.datetime,
    done: set[str],
) -> None:
    """Match whoever is affected and not `done` yet, which grows by each that is written."""
    with sessions() as session:
        batches = _batches(session, set(affected(session)) - done)
    for batch in batches:
        with sessions() as session:
            changes, written = _changes(session), _written(session, batch)
            wishes = read_wishes(session, batch)
            facts = read_facts(session, items, store, wishes)
        reached = [(one, reach(one, facts)) for one in wishes.asked]
        done.update(set(batch) - {one.id for one, _ in reached})  # not in force any more
        for start in range(0, len(reached), BATCH):
            some = reached[start : start + BATCH]
            with breathing(), transaction(sessions) as session:
                _check_changes(session, changes)
                others = _others(session, some, written)
                left = [pair for pair in some if pair[0].id not in others]
                generation = _raise(session, MatcherState.generation)
                keep_all(session, generation, reached=left, facts=facts, now=now, new_id=_new_id)
            done.update(one.id for one, _ in left)
            if others:
                raise _OvertakenError


def _batches(session: Session, ids: Collection[str]) -> list[list[str]]:
    """At most a thousand opt-outs at once, and about 200,000 rows of their makers' own: some hundred MB while matching."""
    batches: list[list[str]] = []
    room = 0
    for piece in pieces(ids, 500):
        sizes = own_rows(session, read_wishes(session, piece))
        for one in piece:
            if not batches or len(batches[-1]) >= AT_ONCE or room < sizes.get(one, 0):
                batches.append([])
                room = ROWS
            batches[-1].append(one)
            room -= sizes.get(one, 0)
    return batches


def _changes(session: Session) -> int:
    return session.scalar(select(MatcherState.changes)) or 0


def _written(session: Session, ids: Collection[str]) -> dict[str, int | None]:
    """Opt-out -> the generation it was last written at."""
    columns = select(OptOut.id, OptOut.generation)
    return {row.id: row.generation for row in select_in(session, columns, OptOut.id, ids)}


def _check_changes(session: Session, changes: int) -> None:
    """Holds the matcher's row to the end of the transaction; _OvertakenError where rows changed since they were read."""
    held = update(MatcherState).where(MatcherState.changes == changes).values(changes=changes)
    if session.execute(held).rowcount == 1:  # type: ignore[attr-defined]
        return
    if session.scalar(select(MatcherState.id)) is not None:
        raise _OvertakenError
    session.execute(insert(MatcherState).values(id=1))


def _others(session: Session, some: Reached, written: Mapping[str, int | None]) -> set[str]:
    """Those that another matcher wrote since they were read."""
    now = _written(session, [one.id for one, _ in some])
    return {id_ for id_, generation in now.items() if generation != written.get(id_)}


def _raise(session: Session, number: InstrumentedAttribute[int]) -> int:
    """Count one further; what it is then. Whoever asks next waits for the end of this transaction."""
    if session.execute(update(MatcherState).values({number: number + 1})).rowcount == 0:  # type: ignore[attr-defined]
        session.execute(insert(MatcherState).values({"id": 1, number.key: 1}))
    return session.scalars(select(number)).one()


def _manifests(sessions: Sessions, *, publisher_id: int) -> list[int]:
    with sessions() as session:
        own = select(Manifest.id).join(Dataset, Dataset.id == Manifest.dataset_id)
        return list(session.scalars(own.where(Dataset.publisher_id == publisher_id).order_by(Manifest.id)))


def _new_id() -> str:
    return secrets.token_hex(16)
