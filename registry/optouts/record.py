"""How publishers do with what they are asked: made, delivered, answered, how fast, silent since, exempted and why.

Everybody may know these figures, so they are added up from cells (one dataset, one figure) of ten notices and more:
who subtracts one answer from another learns of nobody. Three queries, however many datasets there are.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, Subquery, and_, case, extract, func, or_, select, true
from sqlalchemy.orm import Session

from byline.errors import NotFound
from registry.models import Answer, Dataset, Notice, OptOut, Publisher
from registry.optouts.delivering import ANSWER_WITHIN
from registry.optouts.notices import FEW, shown

UNANSWERED = ("pending", "undeliverable", "sent")
MOST_REASONS = 20
Condition = ColumnElement[bool]


def publisher_record(session: Session, *, slug: str, now: dt.datetime) -> dict[str, Any]:
    """One publisher's figures: `{"publisher", …}` and what `_figures` gives. NotFound("no-such-publisher").

    Of one that is not approved everything reads "<10": it is told of no opt-outs, and was a bait if it was told before.
    """
    found = session.scalar(select(Publisher.id).where(Publisher.slug == slug))
    if found is None:
        raise NotFound("no-such-publisher", f"there is no publisher {slug!r} here")
    return {"publisher": slug, **_figures(session, Publisher.id == found, now=now)}


def stats(session: Session, *, now: dt.datetime) -> dict[str, Any]:
    """The same of all publishers together, and how many opt-outs are in force."""
    standing = select(func.count()).select_from(OptOut).where(OptOut.state == "in-force")
    counted = select(func.count()).select_from(Publisher).where(Publisher.approved, ~Publisher.suspended)
    return {
        "opt_outs": shown(session.scalar(standing) or 0),
        "publishers": session.scalar(counted) or 0,
        **_figures(session, true(), now=now),
    }


def _figures(session: Session, whose: Condition, *, now: dt.datetime) -> dict[str, Any]:
    """`{"as_of", "threshold", "answer_within_days", "notices": {figure: n}, "answer_time", "silent_since", "exempted"}`.

    `answer_time` is None where fewer than ten notices were answered, else `{"median", "p90"}` in whole seconds from
    the delivery to the first answer (nearest rank). `silent_since` is the day the oldest unanswered notice was to be
    answered by, of datasets with ten and more such.
    """
    counts = session.execute(_counts(_cells(whose, now))).one()
    return {
        "as_of": now,
        "threshold": FEW,
        "answer_within_days": ANSWER_WITHIN.days,
        "notices": {name: shown(int(getattr(counts, name) or 0)) for name in _FIGURES},
        "answer_time": _answer_time(session, whose),
        "silent_since": counts.silent_since.date().isoformat() if counts.silent_since else None,
        "exempted": _exempted(session, whose),
    }


_FIGURES = ("made", "delivered", "answered", "gone", "silent", "withdrawn")


def _asked(whose: Condition) -> Condition:
    """Notices that count: of approved publishers, about datasets they hold and that are shown."""
    return and_(
        Dataset.id == Notice.dataset_id, Publisher.id == Dataset.publisher_id, Publisher.approved,
        ~Publisher.suspended, ~Dataset.hidden, ~Notice.observed, whose,
    )  # fmt: skip


def _cells(whose: Condition, now: dt.datetime) -> Subquery:
    """Each dataset's figures."""
    silent = Notice.state.in_(UNANSWERED) & (Notice.answer_by < now)
    which = {
        "made": true(),
        # An answer proves as well that the question arrived.
        "delivered": or_(Notice.sent_at.is_not(None), Notice.answered_at.is_not(None)),
        "answered": Notice.answered_at.is_not(None),
        "gone": Notice.state == "unlisted",
        "silent": silent,
        "withdrawn": Notice.state == "withdrawn",
    }
    counts = [func.count(case((held, Notice.id))).label(name) for name, held in which.items()]
    oldest = func.min(case((silent, Notice.answer_by))).label("oldest")
    return select(*counts, oldest).where(_asked(whose)).group_by(Notice.dataset_id).subquery()


def _counts(cells: Subquery) -> Any:
    """The sums of cells of ten and more."""
    sums = [func.sum(case((cells.c[name] >= FEW, cells.c[name]), else_=0)).label(name) for name in _FIGURES]
    since = func.min(case((cells.c.silent >= FEW, cells.c.oldest)), type_=cells.c.oldest.type)
    return select(*sums, since.label("silent_since"))


def _answer_time(session: Session, whose: Condition) -> dict[str, int] | None:
    """Median and 90th percentile, the nearest rank, counted by the database."""
    # One who answers before the next poll proves the delivery is measured from when it was asked.
    start = case((Notice.sent_at <= Notice.answered_at, Notice.sent_at), else_=Notice.made_at)
    waited = extract("epoch", func.min(Answer.at, type_=Answer.at.type)) - extract("epoch", start)
    each = (
        select(waited.label("waited"))
        .join(Answer, and_(Answer.notice_id == Notice.id, Answer.by == "publisher", Answer.at >= start))
        .where(_asked(whose), Notice.answered_at.is_not(None))
        .group_by(Notice.id)
        .subquery()
    )
    number = func.row_number().over(order_by=each.c.waited)
    ranked = select(each.c.waited, number.label("rank"), func.count().over().label("total")).subquery()
    at = [_nearest_rank(ranked.c.total, tenths) for tenths in (5, 9)]
    rows = session.execute(select(ranked).where(ranked.c.rank.in_(at), ranked.c.total >= FEW)).all()
    found = {row.rank: int(row.waited) for row in rows}
    if not found:
        return None
    total = rows[0].total
    return {"median": found[_nearest_rank(total, 5)], "p90": found[_nearest_rank(total, 9)]}


def _nearest_rank(total: Any, tenths: int) -> Any:
    """The rank of a percentile in whole numbers: no database rounds it otherwise."""
    return (total * tenths + 9) // 10


def _exempted(session: Session, whose: Condition) -> list[dict[str, Any]]:
    """`[{"reason", "notices"}]`, the most frequent first: reasons given for ten notices of one dataset and more.

    A reason that was given once may speak of a person; one that was given ten times does not.
    """
    count = func.count().label("notices")
    given = (
        select(Notice.reason, count)
        .where(_asked(whose), Notice.state == "exempt", Notice.reason.is_not(None))
        .group_by(Notice.dataset_id, Notice.reason)
        .having(count >= FEW)
        .subquery()
    )
    total = func.sum(given.c.notices).label("notices")
    columns = select(given.c.reason, total).group_by(given.c.reason).order_by(total.desc(), given.c.reason)
    return [
        {"reason": row.reason, "notices": int(row.notices)}
        for row in session.execute(columns.limit(MOST_REASONS))
    ]
