"""The matcher: whatever happened, it asks which opt-outs that may touch and makes exactly those true again.

An opt-out is always matched whole, so its matches are a function of what stands now and not of how it came
about. Reading takes up to seconds and holds no lock. Each write raises the matcher's one generation and is
dropped where another write came between its reading and itself: of two things that happen at once, the later
one matched sees both.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Callable, Collection, Mapping
from typing import Any

from sqlalchemy import Engine, insert, select, update
from sqlalchemy.orm import Session

from byline.errors import Unavailable
from registry.database import Sessions, transaction
from registry.jobs import SHORT, enqueue
from registry.models import Dataset, Manifest, MatcherState
from registry.optouts.affected import by_contributors, by_manifest
from registry.optouts.facts import read_facts
from registry.optouts.kept import keep
from registry.optouts.pieces import pieces
from registry.optouts.reach import reach
from registry.optouts.wishes import read_wishes
from registry.storage import ObjectStore

BATCH = 50
TRIES = 20
Affected = Callable[[Session], Collection[str]]


def match_opt_out(
    sessions: Sessions, *, items: Engine, store: ObjectStore, opt_out_id: str, now: dt.datetime
) -> None:
    """Match one opt-out with every dataset. May be repeated."""
    _make_true(sessions, lambda _session: [opt_out_id], items=items, store=store, now=now)


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


def rematch(
    sessions: Sessions, *, items: Engine, store: ObjectStore, contributors: Collection[int], now: dt.datetime
) -> None:
    """Match again whoever is touched by handles that were linked or parted (their roots changed)."""
    _make_true(
        sessions, lambda session: by_contributors(session, contributors), items=items, store=store, now=now
    )


def ask(session: Session, *, now: dt.datetime, **what: Any) -> None:
    """Have it done soon, in the transaction that caused it.

    `what` is one of opt_out=ID, manifest=ID, publisher=ID (its approval or suspension changed),
    contributors=[ID, …].
    """
    key = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
    enqueue(session, lane=SHORT, kind="match", key=key, payload=what, now=now)


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


def _make_true(
    sessions: Sessions, affected: Affected, *, items: Engine, store: ObjectStore, now: dt.datetime
) -> None:
    """Ask who is affected and match them, from the start again when another matcher wrote in between."""
    for _ in range(TRIES):
        with sessions() as session:
            generation = _generation(session)
            ids = affected(session)
        for piece in [*pieces(ids, BATCH)] or [[]]:
            if not _match(sessions, piece, generation=generation, items=items, store=store, now=now):
                break
            generation += 1
        else:
            return
    raise Unavailable(
        "matcher-busy", "other matching went on all the time; it will be tried again", retry_after=5
    )


def _match(
    sessions: Sessions,
    ids: Collection[str],
    *,
    generation: int,
    items: Engine,
    store: ObjectStore,
    now: dt.datetime,
) -> bool:
    """Match some opt-outs; False, and nothing written, where the generation is not this any more."""
    with sessions() as session:
        wishes = read_wishes(session, ids)
        facts = read_facts(session, items, store, wishes)
    found = [(one, reach(one, facts)) for one in wishes.asked]
    with transaction(sessions) as session:
        if not _advance(session, generation):
            return False
        for one, reached in found:
            keep(session, one, reached, facts=facts, now=now, new_id=_new_id)
    return True


def _generation(session: Session) -> int:
    return session.scalar(select(MatcherState.generation)) or 0


def _advance(session: Session, generation: int) -> bool:
    raised = (
        update(MatcherState).where(MatcherState.generation == generation).values(generation=generation + 1)
    )
    if session.execute(raised).rowcount == 1:  # type: ignore[attr-defined]
        return True
    if session.scalar(select(MatcherState.id)) is not None:
        return False
    session.execute(insert(MatcherState).values(id=1, generation=generation + 1))
    return True


def _manifests(sessions: Sessions, *, publisher_id: int) -> list[int]:
    with sessions() as session:
        own = select(Manifest.id).join(Dataset, Dataset.id == Manifest.dataset_id)
        return list(session.scalars(own.where(Dataset.publisher_id == publisher_id).order_by(Manifest.id)))


def _new_id() -> str:
    return secrets.token_hex(16)
