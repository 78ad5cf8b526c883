"""Work to be done, kept in the application's database and written in the transaction that caused it.

A worker claims a job for the time of a lease and extends it while it works; a killed worker's lease runs out
and the job is ready again, one crash more on its count. A lease that was lost cannot finish the job:
`attempts` is its fence.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, and_, case, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from registry.models import Job

SHORT, LONG, OUT, MAIL = "short", "long", "out", "mail"
"""Lanes: nothing short waits for an ingest, for somebody else's server, or for the mail server."""
DEAD = "dead"
LEASE = dt.timedelta(seconds=45)
MAX_ATTEMPTS = 16
_FIRST_WAIT, _LONGEST_WAIT, _BLAMELESS_WAIT = 2.0, 6 * 3600.0, 60.0


@dataclass(frozen=True)
class Work:
    """A claimed job, due since `run_at`. `attempts` counts from 1; `crashes` counts workers that died over it."""

    id: int
    lane: str
    kind: str
    key: str
    payload: Mapping[str, Any]
    attempts: int
    crashes: int
    run_at: dt.datetime


def enqueue(
    session: Session,
    *,
    lane: str,
    kind: str,
    key: str,
    payload: Mapping[str, Any],
    now: dt.datetime,
    run_at: dt.datetime | None = None,
) -> None:
    """Ask for work, in the caller's transaction.

    The same kind and key waiting already: nothing more is asked.

    A job that is running does not count as waiting: what happened since it began needs another run.
    """
    waiting = select(Job.id).where(Job.kind == kind, Job.key == key, Job.state == "ready").limit(1)
    if session.scalar(waiting) is not None:
        return
    session.add(Job(lane=lane, kind=kind, key=key, payload=dict(payload), run_at=run_at or now, made_at=now))
    session.flush()


def has_work(session: Session, *, lane: str, now: dt.datetime) -> bool:
    """Whether a claim would find something; only reads, so an idle worker writes nothing."""
    return session.scalar(select(exists().where(_claimable(lane, now)))) or False


def claim(session: Session, *, lane: str, now: dt.datetime, lease: dt.timedelta = LEASE) -> Work | None:
    """Take the next job of a lane: UPDATE … RETURNING on SQLite, with SKIP LOCKED beside it on PostgreSQL."""
    chosen = select(Job.id).where(_claimable(lane, now), ~_running(now)).order_by(Job.run_at, Job.id).limit(1)
    if session.get_bind().dialect.name == "postgresql":
        chosen = chosen.with_for_update(skip_locked=True, of=Job)
    taken = _take(session, list(session.scalars(chosen)), now=now, lease=lease)
    return taken[0] if taken else None


def claim_more(
    session: Session, work: Work, *, most: int, now: dt.datetime, lease: dt.timedelta = LEASE
) -> list[Work]:
    """Take up to `most` more of its kind and lane, to be done together with it.

    Only what was never tried: what failed or killed its worker is done alone, so that it harms no other.
    """
    chosen = (
        select(Job.id)
        .where(Job.lane == work.lane, Job.kind == work.kind, Job.state == "ready")
        .where(Job.run_at <= now, Job.attempts == 0, ~_running(now))
        .order_by(Job.run_at, Job.id)
        .limit(most)
    )
    if session.get_bind().dialect.name == "postgresql":
        chosen = chosen.with_for_update(skip_locked=True, of=Job)
    return _take(session, list(session.scalars(chosen)), now=now, lease=lease)


def extend(session: Session, work: Work, *, now: dt.datetime, lease: dt.timedelta = LEASE) -> bool:
    """Hold on to it for another lease; False when it is somebody else's by now."""
    return _change(session, work, lease_until=now + lease)


def finish(session: Session, work: Work) -> bool:
    """It is done; False when it is somebody else's by now."""
    done = session.execute(delete(Job).where(_held(work)), execution_options={"synchronize_session": False})
    return _rows(done) == 1


def fail(
    session: Session,
    work: Work,
    *,
    now: dt.datetime,
    error: str,
    jitter: float,
    final: bool = False,
    blameless: bool = False,
) -> bool:
    """It did not work: try again later, after 2, 4, 8 … seconds, at most six hours.

    `jitter` in [0, 1) makes that 0.5 to 1.5 times as long.
    After 16 attempts, or when it is `final`, the job is dead: kept with its last error, for the operator. What is
    `blameless` (no space left) is tried every minute or so and never dead.
    """
    wait = min(_FIRST_WAIT * 2 ** min(work.attempts - 1, 20), _LONGEST_WAIT) * (0.5 + jitter)
    dead = final or work.attempts >= MAX_ATTEMPTS
    if blameless:
        wait, dead = min(wait, _BLAMELESS_WAIT), False
    at = now + dt.timedelta(seconds=wait)
    state = DEAD if dead else "ready"
    return _change(session, work, state=state, lease_until=None, run_at=at, last_error=error[:2000])


def release(session: Session, work: Work, *, now: dt.datetime) -> bool:
    """Give it back unfinished, at once and without blame: the worker was asked to stop."""
    return _change(session, work, state="ready", lease_until=None, run_at=now)


def lapse(session: Session, *, lanes: Collection[str], now: dt.datetime) -> int:
    """End the leases of all running jobs of lanes whose workers are known to be dead; how many."""
    running = update(Job).where(Job.state == "running", Job.lane.in_(lanes))
    lapsed = running.values(lease_until=now - dt.timedelta(seconds=1))
    return _rows(session.execute(lapsed, execution_options={"synchronize_session": False}))


def waiting(session: Session) -> dict[str, int]:
    """How many jobs there are of each state."""
    rows = session.execute(select(Job.state, func.count()).group_by(Job.state))
    return {state: count for state, count in rows}  # noqa: C416 - dict(rows) hides the types


def _claimable(lane: str, now: dt.datetime) -> ColumnElement[bool]:
    ready = and_(Job.state == "ready", Job.run_at <= now)
    lapsed = and_(Job.state == "running", Job.lease_until < now)
    return and_(Job.lane == lane, or_(ready, lapsed))


def _running(now: dt.datetime) -> ColumnElement[bool]:
    """The same work is being done already."""
    other = aliased(Job)
    return exists().where(
        other.kind == Job.kind,
        other.key == Job.key,
        other.state == "running",
        other.lease_until >= now,
        other.id != Job.id,
    )


def _take(session: Session, ids: list[int], *, now: dt.datetime, lease: dt.timedelta) -> list[Work]:
    if not ids:
        return []
    rows = session.execute(
        update(Job)
        .where(Job.id.in_(ids))
        .values(
            state="running",
            lease_until=now + lease,
            attempts=Job.attempts + 1,
            crashes=Job.crashes + case((Job.state == "running", 1), else_=0),
        )
        .returning(Job.id, Job.lane, Job.kind, Job.key, Job.payload, Job.attempts, Job.crashes, Job.run_at),
        execution_options={"synchronize_session": False},
    )
    return sorted((Work(*row) for row in rows), key=lambda work: work.id)


def _held(work: Work) -> ColumnElement[bool]:
    return and_(Job.id == work.id, Job.state == "running", Job.attempts == work.attempts)


def _change(session: Session, work: Work, **values: Any) -> bool:
    changed = session.execute(
        update(Job).where(_held(work)).values(**values), execution_options={"synchronize_session": False}
    )
    return _rows(changed) == 1


def _rows(result: Any) -> int:
    return result.rowcount if isinstance(result, CursorResult) else 0
