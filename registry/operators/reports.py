"""What visitors tell the operator: that is not mine, that is not me, this should not be read here."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from byline.errors import Conflict, NotFound, Refused
from registry.models import Contributor, Dataset, OperatorAct, Publisher, Report
from registry.seal import Seal

KINDS = ("not-mine", "not-me", "wording", "other")
LONGEST = 2_000
MOST_OPEN = 20
"""Open reports about one subject: what comes after them is dropped, so nobody buries the operator."""


def make_report(
    session: Session, *, kind: str, subject: str, text: str, email: str | None, seal: Seal, now: dt.datetime
) -> None:
    """Keep a report, sealed. Refused("bad-report"), NotFound("no-such-subject")."""
    tidy = text.strip()
    if kind not in KINDS or not tidy or len(tidy) > LONGEST:
        raise Refused("bad-report", f"say in 1 to {LONGEST:,} letters what is wrong", at="text")
    if not _is_there(session, subject):
        raise NotFound("no-such-subject", "what this is about is not here", at="subject")
    about = select(func.count()).where(Report.subject == subject, Report.closed_at.is_(None))
    if (session.scalar(about) or 0) >= MOST_OPEN:
        return
    sealed = seal.seal(email) if email else None
    session.add(
        Report(kind=kind, subject=subject, text_sealed=seal.seal(tidy), email_sealed=sealed, made_at=now)
    )


def open_reports(session: Session, *, seal: Seal, limit: int) -> list[dict[str, Any]]:
    """For the operator: the oldest first, with what was written and who wants an answer."""
    found = session.scalars(
        select(Report).where(Report.closed_at.is_(None)).order_by(Report.made_at, Report.id).limit(limit)
    )
    return [
        {
            "id": one.id,
            "kind": one.kind,
            "subject": one.subject,
            "text": seal.open(one.text_sealed) if one.text_sealed else "",
            "email": seal.open(one.email_sealed) if one.email_sealed else None,
            "made_at": one.made_at,
        }
        for one in found
    ]


def close_report(session: Session, *, report_id: int, who: str, why: str, now: dt.datetime) -> None:
    """What was to be done is done: the text and the mail address are erased, who and why are kept.

    NotFound("no-such-report"), Conflict("report-closed").
    """
    report = session.get(Report, report_id, with_for_update=True)
    if report is None:
        raise NotFound("no-such-report", "there is no such report", at=str(report_id))
    if report.closed_at is not None:
        raise Conflict("report-closed", "somebody has closed this report already", at=str(report_id))
    report.closed_at, report.text_sealed, report.email_sealed = now, None, None
    session.add(
        OperatorAct(who=who[:100], what="report-closed", subject=report.subject, why=why[:1000], at=now)
    )


def _is_there(session: Session, subject: str) -> bool:
    kind, _, named = subject.partition(":")
    if kind == "maker":
        there = select(Contributor.id).where(Contributor.public_id == named)
    elif kind == "dataset":
        slug, _, name = named.partition("/")
        there = (
            select(Dataset.id)
            .join(Publisher, Publisher.id == Dataset.publisher_id)
            .where(Publisher.slug == slug, Dataset.name == name, ~Dataset.hidden)
        )
    else:
        return False
    return session.scalar(there.limit(1)) is not None
