"""What does not reach publishers: for the operator, who can write to them or have it tried again."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from byline.errors import NotFound
from registry.jobs import DEAD
from registry.models import Job, Publisher, Receiver
from registry.optouts.delivering import waiting_count
from registry.optouts.telling import LETTER, PUSH

_CHANNEL = {PUSH: "webhook", LETTER: "mail"}


def undelivered(session: Session) -> list[dict[str, Any]]:
    """`[{"publisher", "channel", "dead", "attempts", "error", "waiting"}]`: deliveries that failed, by publisher.

    `dead`: it is tried no more of itself. `waiting`: events that neither poll nor webhook has delivered.
    """
    failed = select(Job).where(Job.kind.in_(_CHANNEL), Job.last_error.is_not(None)).order_by(Job.key, Job.id)
    jobs = session.scalars(failed).all()
    ids = {job.payload["publisher"] for job in jobs}
    slugs = {p.id: p.slug for p in session.scalars(select(Publisher).where(Publisher.id.in_(ids)))}
    receivers = session.scalars(select(Receiver).where(Receiver.publisher_id.in_(ids)))
    waiting = {receiver.publisher_id: waiting_count(session, receiver) for receiver in receivers}
    return [
        {
            "publisher": slugs[job.payload["publisher"]],
            "channel": _CHANNEL[job.kind],
            "dead": job.state == DEAD,
            "attempts": job.attempts,
            "error": job.last_error,
            "waiting": waiting.get(job.payload["publisher"], 0),
        }
        for job in jobs
    ]


def deliver_again(session: Session, *, slug: str, now: dt.datetime) -> int:
    """Have every failed delivery to a publisher tried now, from the first attempt; how many.

    NotFound("no-such-publisher").
    """
    publisher = session.scalar(select(Publisher.id).where(Publisher.slug == slug))
    if publisher is None:
        raise NotFound("no-such-publisher", f"no publisher {slug!r} is registered here")
    mine = (Job.kind.in_(_CHANNEL)) & (Job.key == f"publisher:{publisher}")
    failed = mine & Job.last_error.is_not(None) & (Job.state != "running")
    again = update(Job).where(failed).values(state="ready", attempts=0, run_at=now, last_error=None)
    return len(session.scalars(again.returning(Job.id)).all())
