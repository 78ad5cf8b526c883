"""A holder's signed answer to its notices."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from byline.formats import outcomes as formats
from registry.config import Settings
from registry.models import Statement, SubjectHead
from registry.optouts.answers import Given, answer
from registry.publishing import publishers, signed


def report_outcomes(
    session: Session, *, envelope: bytes, settings: Settings, now: dt.datetime
) -> dict[str, Any]:
    """Take an outcome statement: `{"digest", "publisher", "taken": {outcome: n}}`; the same again changes nothing.

    Signed by a standing key with the role `outcome`, naming the publisher's last such statement as `previous`.
    Refused("no-such-notice"), Conflict("stale-previous"), and whatever a statement can be refused for.
    """
    sent = signed.open_sent(envelope, max_payload=settings.max_payload)
    claim = formats.read(sent.statement)
    signed.meant_for_us(claim, origin=settings.origin, now=now)
    signer = signed.signer_of(session, sent, slug=claim.publisher, role="outcome")
    if session.get(Statement, sent.digest) is not None:
        return {"digest": sent.digest, "publisher": claim.publisher, "taken": {}}
    subject = subject_of(claim.publisher)
    signed.must_follow(session, subject=subject, previous=claim.previous)
    given = {
        notice: Given(said.outcome, said.reason, said.version)
        for said in claim.outcomes
        for notice in said.notices
    }
    taken = answer(session, publisher_id=signer.publisher.id, given=given, statement=sent.digest, now=now)
    publishers.record(
        session,
        sent,
        kind="outcome",
        subject=subject,
        previous=claim.previous,
        key_id=signer.key.key_id,
        now=now,
    )
    return {"digest": sent.digest, "publisher": claim.publisher, "taken": taken}


def last_outcomes(session: Session, slug: str) -> str | None:
    """The digest of a publisher's last outcome statement: what the next one's `previous` names."""
    head = session.get(SubjectHead, subject_of(slug))
    return head.digest if head else None


def subject_of(slug: str) -> str:
    """What its outcome statements are about, in the log: a publisher's notices."""
    return f"notice:{slug}"
