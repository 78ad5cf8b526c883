"""How the log grew: its size at the end of each of the last days, weeks or months, whichever gives a dozen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from registry.models import SignedCheckpoint

POINTS = 12
DAY = dt.timedelta(days=1)
LAST_MOMENT = dt.timedelta(microseconds=1)


@dataclass(frozen=True)
class Size:
    """The log held `entries` when a span ended at `until` (the last one: now)."""

    until: dt.datetime
    entries: int


def sizes(session: Session, *, now: dt.datetime) -> list[Size]:
    """Oldest first, at most twelve, one query; empty before the first checkpoint."""
    first = session.scalar(select(func.min(SignedCheckpoint.made_at)))
    if first is None:
        return []
    ends = spans(first, now)
    each = [
        select(SignedCheckpoint.size)
        .where(SignedCheckpoint.made_at <= end)
        .order_by(SignedCheckpoint.made_at.desc(), SignedCheckpoint.size.desc())
        .limit(1)
        .scalar_subquery()
        for end in ends
    ]
    found = session.execute(select(*[one.label(f"size_{at}") for at, one in enumerate(each)])).one()
    return [Size(end, size) for end, size in zip(ends, found, strict=True) if size is not None]


def spans(first: dt.datetime, now: dt.datetime) -> Sequence[dt.datetime]:
    """The ends of the last twelve days, weeks or months since `first`, whichever covers it; the last is `now`."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for step, first_back in ((DAY, 0), (7 * DAY, 1)):
        if now - first <= POINTS * step:
            back = reversed(range(first_back, POINTS - 1 + first_back))
            return _between(first, [midnight - at * step for at in back], now)
    return _between(first, [_month_before(midnight, at) for at in reversed(range(POINTS - 1))], now)


def _between(first: dt.datetime, midnights: Sequence[dt.datetime], now: dt.datetime) -> list[dt.datetime]:
    """The last moment of each day that ended between `first` and `now`, and `now`."""
    ends = [midnight - LAST_MOMENT for midnight in midnights]
    return [*(end for end in ends if end >= first), now]


def _month_before(day: dt.datetime, months: int) -> dt.datetime:
    """The first of the month, `months` before that of `day`."""
    years, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return day.replace(year=years, month=month + 1, day=1)
