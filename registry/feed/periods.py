"""How far back single days, weeks and months are kept: whoever was away fetches few files, and small ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

DAYS, WEEKS, MONTHS = 7, 35, 730


@dataclass(frozen=True)
class Span:
    """What happened after head `since` up to head `to`, which was made at `until`; in which files, oldest first."""

    since: int
    to: int
    until: dt.datetime
    files: tuple[dict[str, object], ...]


def merged(spans: Sequence[Span], now: dt.datetime) -> list[Span]:
    """Neighbours of one day joined; of one week, after seven days; of one month, after five weeks; of one year, after two.

    So there are never more than about 8 + 5 + 24, and one a year.
    """
    groups = groupby(spans, key=lambda span: period(span.until, now))
    return [_joined(list(group)) for _, group in groups]


def period(until: dt.datetime, now: dt.datetime) -> str:
    """The day, week, month or year a batch is kept in."""
    age = (now.date() - until.date()).days
    if age < DAYS:
        return f"{until:%Y-%m-%d}"
    if age < WEEKS:
        return f"{until:%G-W%V}"
    return f"{until:%Y-%m}" if age < MONTHS else f"{until:%Y}"


def reaching(spans: Sequence[Span], now: dt.datetime) -> list[Span]:
    """Those of the last two years: who was away for longer takes the base."""
    return [span for span in spans if (now - span.until).days < MONTHS]


def _joined(spans: Sequence[Span]) -> Span:
    files = tuple(file for span in spans for file in span.files)
    return Span(spans[0].since, spans[-1].to, spans[-1].until, files)
