"""The one sequencer: gapless numbers for all acts, gapless log indexes for the public ones.

Never an autoincrement: a rollback leaves a hole in one, and transactions end in another order than they
began. Only what is committed gets a number, so who has seen number n has seen everything below n, for ever.
"""

from __future__ import annotations

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from byline.errors import Unavailable
from registry.database import one_at_a_time
from registry.models import Act, LogState, SignedCheckpoint

BATCH = 1_000
MOST_BEHIND = 8_192  # acts that wait for the log before no more are taken


def assign_numbers(session: Session) -> int:
    """Give the next numbers to acts that wait, in the order of their ids; how many (at most 1,000 a call)."""
    one_at_a_time(session, "sequence")
    state = _state(session)
    waiting = session.execute(
        select(Act.id, Act.leaf_hash.is_not(None).label("public"))
        .where(Act.number.is_(None))
        .order_by(Act.id)
        .limit(BATCH)
    ).all()
    if not waiting:
        return 0
    numbered, index = [], state.next_index
    for number, row in enumerate(waiting, state.next_number):
        numbered.append({"b_id": row.id, "number": number, "log_index": index if row.public else None})
        index += row.public
    table = Act.__table__
    session.connection().execute(update(table).where(table.c.id == bindparam("b_id")), numbered)  # type: ignore[arg-type]
    state.next_number += len(waiting)
    state.next_index = index
    session.flush()
    return len(waiting)


def has_unnumbered(session: Session) -> bool:
    """Whether an act waits for its number; only reads."""
    return session.scalar(select(Act.id).where(Act.number.is_(None)).limit(1)) is not None


def behind(session: Session) -> int:
    """How many acts wait for their number or for a signed checkpoint; roughly, in four look-ups by key."""
    last = last_number(session) - 1
    numbered = session.scalar(select(Act.id).where(Act.number == last)) or 0
    newest = session.scalar(select(func.max(Act.id))) or 0
    signed = session.scalar(select(func.max(SignedCheckpoint.size))) or 0
    return newest - numbered + max(0, log_size(session) - signed)


def check_not_behind(session: Session) -> None:
    """Unavailable("log-behind") where the log does not keep up: better no receipt than one that never comes."""
    if behind(session) > MOST_BEHIND:
        raise Unavailable(
            "log-behind",
            f"more than {MOST_BEHIND:,} entries wait for the log; try again later",
            retry_after=60,
        )


def log_size(session: Session) -> int:
    """How many public acts have an index: the size of the log."""
    return session.scalar(select(LogState.next_index)) or 0


def last_number(session: Session) -> int:
    """The next number to be given: every act below it can be seen."""
    return session.scalar(select(LogState.next_number)) or 0


def _state(session: Session) -> LogState:
    """The one row, made by the first sequencer, locked until the transaction ends."""
    state = session.get(LogState, 1, with_for_update=True, populate_existing=True)
    if state is None:
        session.execute(insert(LogState).values(id=1, next_number=0, next_index=0))
        state = session.get_one(LogState, 1, with_for_update=True)
    return state
