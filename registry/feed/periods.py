"""How far back single days, weeks and months are kept: whoever was away fetches few files, and small ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

DAYS, WEEKS, MONTHS, YEARS = 5, 28, 112, 730


@dataclass(frozen=True)
class Span:
    """What happened after head `since` up to head `to`, which was made at `until`; in which files, oldest first."""

    since: int
    to: int
    until: dt.datetime
    files: tuple[dict[str, object], ...]


def merged(spans: Sequence[Span], now: dt.datetime) -> list[Span]:
    """Neighbours of one day joined; after five days of one week, after four weeks of one month, after 16 of one year.

    What is older than two years is one. So there are never more than 18, in whatever number of years.
    """
    groups = groupby(spans, key=lambda span: period(span.until, now))
    return [_joined(list(group)) for _, group in groups]


def period(until: dt.datetime, now: dt.datetime) -> str:
    """The day, week, month or year a batch is kept in, or all that was before."""
    age = (now.date() - until.date()).days
    if age < DAYS:
        return f"{until:%Y-%m-%d}"
    if age < WEEKS:
        return f"{until:%G-W%V}"
    if age < MONTHS:
        return f"{until:%Y-%m}"
    return f"{until:%Y}" if age < YEARS else ""


def reaching(spans: Sequence[Span], now: dt.datetime) -> list[Span]:
    """Those of the last two years: who was away for longer takes the base."""
    return [span for span in spans if (now - span.until).days < YEARS]


def _joined(spans: Sequence[Span]) -> Span:
    files = tuple(file for span in spans for file in span.files)
    return Span(spans[0].since, spans[-1].to, spans[-1].until, files)
