"""Which items any opt-out stands for, in memory, so that a million rows are compared with a million wishes at once.

Two sorted columns of item keys, read once and then only what opt-outs matched since: 8 bytes a key. They may
hold keys that stand no more (who was withdrawn is asked for in vain) and never lack one: whatever writes an
opt-out's photos raises the matcher's generation and leaves it in `OptOut.generation`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from sqlalchemy import ColumnElement, Select, or_, select, true
from sqlalchemy.orm import Session

from registry.models import CoveredPhoto, MatcherState, OptOut, OptOutSelector
from registry.optouts.arrays import Ints, ints
from registry.optouts.rule import Bools

_AT_ONCE = 100_000


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
    for some in stretches:
        if len(keys):
            stand[np.searchsorted(keys, some[is_among(keys, some)])] = True
    found: Ints = keys[stand]
    return found


def is_among(keys: Ints, some: Ints) -> Bools:
    """Which of `some` stand in `keys` (ascending, at least one)."""
    there: Bools = keys[np.minimum(np.searchsorted(keys, some), len(keys) - 1)] == some
    return there


def _with_new(session: Session, known: StandingKeys, generation: int) -> StandingKeys:
    # Who was never matched yet is asked for each time: it is not known to any generation.
    since: ColumnElement[bool] = or_(OptOut.generation > known.generation, OptOut.generation.is_(None))
    if known.generation < 0:
        since = true()
    covered = select(CoveredPhoto.k).join(OptOut, OptOut.id == CoveredPhoto.opt_out_id).where(since)
    kind = OptOutSelector.kind
    shown = [_read(session, covered), _selected(session, OptOutSelector.k, since, kind.in_(("photo", "url")))]
    beside = [
        _selected(session, OptOutSelector.k, since, kind == "sha256"),
        _selected(session, OptOutSelector.k_beside, since, kind == "photo"),
    ]
    return StandingKeys(generation, _joined(known.shown, shown), _joined(known.beside, beside))


def _selected(session: Session, column: Any, *which: ColumnElement[bool]) -> Ints:
    statement = select(column).join(OptOut, OptOut.id == OptOutSelector.opt_out_id)
    found: Select[int] = statement.where(*which)
    return _read(session, found)


def _read(session: Session, statement: Select[int]) -> Ints:
    def numbers() -> Iterator[int]:
        for rows in session.scalars(statement.execution_options(yield_per=_AT_ONCE)).partitions():
            yield from rows

    return np.fromiter(numbers(), np.int64)


def _joined(known: Ints, parts: list[Ints]) -> Ints:
    new = np.concatenate(parts)
    return np.union1d(known, new) if len(new) else known
