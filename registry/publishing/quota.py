"""How many bytes of extracts a publisher may have here, counted as they arrive and for all processes alike.

An approved publisher is bounded in what waits to be read. Anybody may register as many publishers as they like: those
nobody approved share one quota, published extracts included, and one of them has a quarter of it.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from byline.errors import Unavailable
from registry.config import Settings
from registry.models import ExtractPart, Manifest, Publisher, Submission
from registry.publishing.submissions import AWAITING, ENDED, RECEIVED

SHARE = 4
_WAITING = Submission.state.in_((AWAITING, RECEIVED))
_HERE = and_(
    Submission.state.not_in(ENDED), or_(Manifest.id.is_(None), Manifest.state.not_in(("retracted", "voided")))
)


def check(session: Session, submission: Submission, *, coming: int, settings: Settings) -> None:
    """Unavailable("quota-reached") or ("unapproved-quota-reached") where `coming` bytes more are too many."""
    publisher = session.get_one(Publisher, submission.publisher_id)
    own = Submission.publisher_id == publisher.id
    if _bytes(session, own, _WAITING) + coming > settings.publisher_quota:
        raise Unavailable(
            "quota-reached",
            "too much of this publisher waits to be read; try again when it is",
            retry_after=600,
        )
    if publisher.approved:
        return
    most = settings.unapproved_quota
    nobody_approved = ~Publisher.approved
    if (
        _bytes(session, own, _HERE) + coming > most // SHARE
        or _bytes(session, nobody_approved, _HERE) + coming > most
    ):
        raise Unavailable(
            "unapproved-quota-reached",
            "what publishers without approval may send is used up; ask the operator to approve this publisher",
            retry_after=86_400,
        )


def check_more(session: Session, submission_id: str, *, coming: int, settings: Settings) -> None:
    """The same while the bytes come."""
    check(session, session.get_one(Submission, submission_id), coming=coming, settings=settings)


def _bytes(session: Session, *which: ColumnElement[bool]) -> int:
    received = (
        select(func.coalesce(func.sum(ExtractPart.received), 0))
        .join(Submission, Submission.id == ExtractPart.submission_id)
        .join(Publisher, Publisher.id == Submission.publisher_id)
        .outerjoin(Manifest, Manifest.id == Submission.manifest_id)
        .where(*which)
    )
    return int(session.scalar(received) or 0)
