"""What was said of notices: by the publisher, by the person who contests it, by the registry that looked.

Every answer is kept; the last one is the notice's state. What the registry saw itself (`unlisted`) outweighs
what a publisher says.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from byline.errors import Conflict, NotFound, Refused
from registry.models import Answer, Dataset, Notice, OptOut, Publisher
from registry.optouts.access import find_opt_out, require_token
from registry.optouts.pieces import pieces, select_in
from registry.optouts.telling import Happened, tell
from registry.watches.noting import note_answers

STATE_OF = {"confirmed": "acknowledged", "declined": "exempt"}
CONTESTABLE = frozenset({"said-deleted", "suppressed", "exempt", "not-found", "acknowledged", "unlisted"})
LONGEST_REASON = 1_000
UNLISTED, CLOSED = "unlisted", "withdrawn"
BELIED_BY_ROWS = frozenset({UNLISTED, "said-deleted", "not-found"})
"""Answers that a later version with rows contradicts."""


@dataclass(frozen=True)
class Given:
    """One answer: what, why, and since which version."""

    outcome: str
    reason: str | None = None
    version: str | None = None


def answer(
    session: Session, *, publisher_id: int, given: Mapping[str, Given], statement: str, now: dt.datetime
) -> dict[str, int]:
    """Keep what a publisher says of its notices (id -> answer): how many of each. All of them, or none.

    Refused("no-such-notice") where one is not this publisher's; `details` name the first hundred.
    """
    own = {
        notice.id: notice
        for (notice,) in select_in(
            session,
            select(Notice)
            .join(Dataset, Dataset.id == Notice.dataset_id)
            .where(Dataset.publisher_id == publisher_id),
            Notice.id,
            given,
        )
    }
    unknown = sorted(given.keys() - own.keys())
    if unknown:
        raise Refused(
            "no-such-notice",
            f"{len(unknown):,} of these are no notices of yours; the first is {unknown[0]}",
            at="predicate.outcomes",
            details=unknown[:100],
        )
    changed: set[str] = set()
    before = {notice.id: notice.state for notice in own.values()}
    for notice_id, one in given.items():
        session.add(_row(notice_id, one, by="publisher", statement=statement, now=now))
        if _apply(own[notice_id], one, now):
            changed.add(own[notice_id].opt_out_id)
    note_answers(session, [one.id for one in own.values() if one.state != before[one.id]], now=now)
    for piece in pieces(changed):  # the next head is the first that shows what was confirmed
        session.execute(update(OptOut).where(OptOut.id.in_(piece)).values(feed_seq=None))
    return dict(Counter(one.outcome for one in given.values()))


def contest(
    session: Session, *, opt_out_id: str, token: str, dataset: str, reason: str, now: dt.datetime
) -> None:
    """The person answers an answer: the publisher is told, and everybody sees the count.

    NotFound("no-such-opt-out", "no-such-notice"), Untrusted("wrong-token"), Conflict("nothing-to-contest"),
    Refused("bad-member").
    """
    opt_out = find_opt_out(session, opt_out_id)
    require_token(session, opt_out, token)
    tidy = " ".join(reason.split())
    if not 0 < len(tidy) <= LONGEST_REASON:
        raise Refused("bad-member", f"say why, in at most {LONGEST_REASON:,} characters", at="reason")
    notice = _notice(session, opt_out_id, dataset)
    if notice.state not in CONTESTABLE:
        raise Conflict(
            "nothing-to-contest", f"this notice is {notice.state}: nobody has answered it", at="dataset"
        )
    notice.state, notice.reason = "contested", tidy
    session.add(_row(notice.id, Given("contested", tidy), by="person", statement=None, now=now))
    session.flush()
    tell(session, [Happened(notice.dataset_id, notice.id, "contested")], now=now)


def reopen(session: Session, notice: Notice, *, version: str, now: dt.datetime) -> None:
    """What was answered does not hold: it is asked again, and the 30 days begin with the next delivery."""
    notice.state, notice.reason = "pending", None
    notice.sent_at = notice.answer_by = notice.answered_at = None
    session.add(_row(notice.id, Given("reopened", version=version), by="registry", statement=None, now=now))


def answers_of(session: Session, notices: Sequence[str]) -> dict[str, list[Answer]]:
    """Every answer to these notices, in their order."""
    found: dict[str, list[Answer]] = {one: [] for one in notices}
    for (row,) in select_in(session, select(Answer).order_by(Answer.id), Answer.notice_id, notices):
        found[row.notice_id].append(row)
    return found


def _apply(notice: Notice, one: Given, now: dt.datetime) -> bool:
    """Whether the feed changes with it."""
    if notice.state == "withdrawn":
        return False
    notice.answered_at = now
    was = notice.confirmed
    if one.outcome in {"confirmed", "declined"}:
        notice.confirmed = one.outcome == "confirmed"
    if notice.state != "unlisted":
        notice.state, notice.reason = STATE_OF.get(one.outcome, one.outcome), one.reason
    return notice.confirmed != was


def _row(notice_id: str, one: Given, *, by: str, statement: str | None, now: dt.datetime) -> Answer:
    return Answer(
        notice_id=notice_id, by=by, outcome=one.outcome, reason=one.reason, version=one.version,
        statement=statement, at=now,
    )  # fmt: skip


def _notice(session: Session, opt_out_id: str, dataset: str) -> Notice:
    slug, _, name = dataset.partition("/")
    joined = (
        select(Notice)
        .join(Dataset, Dataset.id == Notice.dataset_id)
        .join(Publisher, Publisher.id == Dataset.publisher_id)
        .where(Notice.opt_out_id == opt_out_id, Publisher.slug == slug, Dataset.name == name)
    )
    found = session.scalar(joined)
    if found is None:
        raise NotFound("no-such-notice", f"{dataset[:200]} was asked nothing by this opt-out", at="dataset")
    return found
