"""Which items any opt-out stands for, in memory, so that a million rows are compared with a million wishes at once.

Two sorted columns of item keys, read once and then only what opt-outs matched since: 8 bytes a key. They may
hold keys that stand no more (who was withdrawn is asked for in vain) and never lack one: whatever writes an
opt-out's photos raises the matcher's generation and leaves it in `OptOut.generation`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from registry.models import CoveredPhoto, MatcherState, OptOut, OptOutSelector
from registry.optouts.arrays import Ints, ints, together
from registry.optouts.pieces import select_in
from registry.optouts.rule import Bools

SHOWN = ("photo", "url")
_AT_ONCE = 100_000
Parts = tuple[list[Ints], list[Ints]]


@dataclass(frozen=True)
class StandingKeys:
    """Ascending item keys. `shown`: of a row's one photo or its URL; `beside`: of further photos, of file digests."""

    generation: int
    shown: Ints
    beside: Ints


_NOTHING = StandingKeys(-1, ints(()), ints(()))
_known: WeakKeyDictionary[object, StandingKeys] = WeakKeyDictionary()
_one_reads = threading.Lock()


def standing_keys(session: Session) -> StandingKeys:
    """What stands at the matcher's present generation, or a little more."""
    bind = session.get_bind()
    with _one_reads:
        generation = session.scalar(select(MatcherState.generation)) or 0
        known = _known.get(bind, _NOTHING)
        if known.generation > generation:  # another history: the database was put back
            known = _NOTHING
        _known[bind] = found = _with_new(session, known, generation)
        return found


def among_all(keys: Ints, stretches: Iterable[Ints]) -> Ints:
    """Those of `keys` (ascending) that stand anywhere in the stretches, ascending: memory does not grow with these."""
    stand = np.zeros(len(keys), dtype=np.bool_)
    for some in map(np.sort, stretches):  # sorted, they are found near each other
        if len(keys):
            stand[np.searchsorted(keys, some[is_among(keys, some)])] = True
    found: Ints = keys[stand]
    return found


def is_among(keys: Ints, some: Ints) -> Bools:
    """Which of `some` stand in `keys` (ascending, at least one)."""
    there: Bools = keys[np.minimum(np.searchsorted(keys, some), len(keys) - 1)] == some
    return there


def _with_new(session: Session, known: StandingKeys, generation: int) -> StandingKeys:
    shown, beside = (_all if known.generation < 0 else partial(_since, generation=known.generation))(session)
    return StandingKeys(generation, _joined(known.shown, shown), _joined(known.beside, beside))


def _all(session: Session) -> Parts:
    """Whatever stands in the tables, of withdrawn opt-outs, too: each column is read from its index alone."""
    k, kind, k_beside = OptOutSelector.k, OptOutSelector.kind, OptOutSelector.k_beside
    return (
        [_whole(session, CoveredPhoto.k), *(_whole(session, k, kind == one) for one in SHOWN)],
        [_whole(session, k, kind == "sha256"), _whole(session, k_beside)],
    )


def _since(session: Session, *, generation: int) -> Parts:
    """What was matched later than at this generation, and who was never matched yet: known to none, asked for each time.

    By their ids: joined with the rest, SQLite walks all selectors of a kind to find the few.
    """
    later = select(OptOut.id).where(OptOut.generation > generation)
    never = select(OptOut.id).where(OptOut.generation.is_(None))
    ids = {*session.scalars(later), *session.scalars(never)}
    if len(ids) > _AT_ONCE:
        return _all(session)
    selected = select(OptOutSelector.kind, OptOutSelector.k, OptOutSelector.k_beside)
    selectors = list(select_in(session, selected, OptOutSelector.opt_out_id, ids))
    covered = [k for (k,) in select_in(session, select(CoveredPhoto.k), CoveredPhoto.opt_out_id, ids)]
    return (
        [ints(covered), ints([row.k for row in selectors if row.kind in SHOWN])],
        [
            ints([row.k for row in selectors if row.kind == "sha256"]),
            ints([row.k_beside for row in selectors if row.kind == "photo"]),
        ],
    )


def _whole(session: Session, column: Any, *which: ColumnElement[bool]) -> Ints:
    """A column of keys, ascending, so many at once."""
    parts, last = [ints(())], -1
    while True:
        some = select(column).where(column > last, *which).distinct().order_by(column).limit(_AT_ONCE)
        parts.append(_read(session, some))
        if not len(parts[-1]):
            return np.concatenate(parts)
        last = int(parts[-1][-1])


def _read(session: Session, statement: Select[Any]) -> Ints:
    """One column of numbers, by the driver's own tuples: a million take SQLAlchemy's rows six seconds."""
    rows = session.connection().execute(statement).cursor.fetchall()
    return np.array(rows, np.int64).ravel()


def _joined(known: Ints, parts: list[Ints]) -> Ints:
    new = np.concatenate(parts)
    return together(known, new) if len(new) else known
