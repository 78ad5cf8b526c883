"""What an operator asks of a running registry, as numbers: `/metrics`.

What waits and for how long, what was given up, how far behind the log, the feed and the followers are, how much disk
is left, how many records are here (its rate is the ingest's). Counts only; none by person, dataset or address.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from registry import disk
from registry.config import Settings
from registry.jobs import DEAD, LONG, MAIL, OUT, SHORT
from registry.models import (
    Act,
    FeedHead,
    Follower,
    Job,
    LogState,
    Manifest,
    Notice,
    SignedCheckpoint,
    Submission,
)

LANES = (SHORT, LONG, MAIL, OUT)


@dataclass(frozen=True)
class Measure:
    """One gauge: `values` by the values of `labels`."""

    name: str
    about: str
    labels: tuple[str, ...]
    values: Mapping[tuple[str, ...], float]


def measures(session: Session, *, settings: Settings, now: dt.datetime) -> Iterator[Measure]:
    """All of them; a fixed number of queries."""
    yield from _work(session, now)
    yield from _log(session, now)
    yield from _feed(session, now)
    yield from _holdings(session)
    yield from _disk(settings)


def _work(session: Session, now: dt.datetime) -> Iterator[Measure]:
    found: dict[tuple[str, ...], float] = {
        (lane, state): float(n)
        for lane, state, n in session.execute(
            select(Job.lane, Job.state, func.count()).group_by(Job.lane, Job.state)
        )
    }
    none: dict[tuple[str, ...], float] = {
        (lane, state): 0.0 for lane in LANES for state in ("ready", "running", DEAD)
    }
    yield Measure("byline_jobs", "Jobs by lane and state", ("lane", "state"), none | found)
    oldest = session.execute(
        select(Job.lane, func.min(Job.run_at))
        .where(Job.state == "ready", Job.run_at <= now)
        .group_by(Job.lane)
    )
    ages: dict[tuple[str, ...], float] = {(lane,): 0.0 for lane in LANES}
    ages.update({(lane,): _age(since, now) for lane, since in oldest})
    yield Measure("byline_job_wait_seconds", "How long the oldest due job has waited", ("lane",), ages)
    dead = session.execute(select(Job.kind, func.count()).where(Job.state == DEAD).group_by(Job.kind))
    yield Measure(
        "byline_jobs_dead",
        "Jobs given up, by kind: deliveries are `mail` and what begins with `deliver`",
        ("kind",),
        {(kind,): float(n) for kind, n in dead},
    )


def _log(session: Session, now: dt.datetime) -> Iterator[Measure]:
    published = session.scalar(select(func.max(SignedCheckpoint.size))) or 0
    behind = or_(Act.number.is_(None), Act.log_index >= published)
    waiting, since = session.execute(
        select(func.count(), func.min(Act.made_at)).where(Act.leaf.is_not(None), behind)
    ).one()
    yield _one("byline_log_entries", "Entries of the transparency log, published", published)
    yield _one("byline_log_waiting", "Acts that are not in the published log yet", waiting)
    yield _one("byline_log_lag_seconds", "How long the oldest of them has waited", _age(since, now))
    next_number = session.scalar(select(func.max(LogState.next_number))) or 0
    followers = session.execute(select(Follower.name, Follower.number))
    yield Measure(
        "byline_follower_behind",
        "Acts a view has not seen yet",
        ("follower",),
        {(name,): float(max(next_number - number, 0)) for name, number in followers},
    )


def _feed(session: Session, now: dt.datetime) -> Iterator[Measure]:
    seq, made_at = session.execute(select(func.max(FeedHead.seq), func.max(FeedHead.made_at))).one()
    yield _one("byline_feed_seq", "The feed's newest head", seq or 0)
    yield _one("byline_feed_head_age_seconds", "How old it is; 0 where there is none", _age(made_at, now))


def _holdings(session: Session) -> Iterator[Measure]:
    states = session.execute(select(Submission.state, func.count()).group_by(Submission.state))
    yield Measure(
        "byline_submissions",
        "Submissions by state",
        ("state",),
        {(state,): float(n) for state, n in states},
    )
    count, records = session.execute(
        select(func.count(), func.coalesce(func.sum(Manifest.records), 0)).where(
            Manifest.state == "published"
        )
    ).one()
    yield _one("byline_manifests_published", "Dataset versions that are shown", count)
    yield _one("byline_records_published", "Records in them", records)
    reading = session.scalars(select(Submission.progress).where(Submission.state == "received"))
    done = sum(int((progress or {}).get("done") or 0) for progress in reading)
    yield _one("byline_records_being_read", "Records done in the present step of running ingests", done)
    notices = session.execute(select(Notice.state, func.count()).group_by(Notice.state))
    yield Measure(
        "byline_notices", "Notices by state", ("state",), {(state,): float(n) for state, n in notices}
    )


def _disk(settings: Settings) -> Iterator[Measure]:
    yield _one(
        "byline_disk_free_bytes", "Free on the fullest disk this machine writes to", disk.left(settings)
    )
    yield _one("byline_disk_reserve_bytes", "Below this extracts are refused", settings.disk_reserve)


def _one(name: str, about: str, value: float) -> Measure:
    return Measure(name, about, (), {(): float(value)})


def _age(since: dt.datetime | None, now: dt.datetime) -> float:
    return max((now - since).total_seconds(), 0.0) if since is not None else 0.0
