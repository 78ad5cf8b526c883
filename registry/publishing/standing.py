"""The operator's word about a publisher: approved, or suspended. Whose attributions count follows from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from byline.errors import NotFound
from registry.contributors.aliases import recompute_for_publisher
from registry.models import OperatorAct, Publisher
from registry.optouts import match
from registry.tlog import append


def approve(session: Session, *, slug: str, who: str, why: str, now: dt.datetime) -> Publisher:
    """Let their attributions count for others' rows; ends a suspension. NotFound("no-such-publisher")."""
    publisher = _named(session, slug)
    publisher.approved, publisher.suspended = True, False
    _changed(session, publisher, kind="approved", who=who, why=why, now=now)
    return publisher


def suspend(session: Session, *, slug: str, who: str, why: str, now: dt.datetime) -> Publisher:
    """Let them count no more; what is published stays to be seen. NotFound("no-such-publisher")."""
    publisher = _named(session, slug)
    publisher.suspended = True
    _changed(session, publisher, kind="suspended", who=who, why=why, now=now)
    return publisher


def waiting(session: Session, *, limit: int) -> Sequence[Publisher]:
    """Those that are not approved, or suspended, by slug."""
    held_back = select(Publisher).where(~Publisher.approved | Publisher.suspended)
    return session.scalars(held_back.order_by(Publisher.slug).limit(limit)).all()


def _named(session: Session, slug: str) -> Publisher:
    publisher = session.scalar(select(Publisher).where(Publisher.slug == slug).with_for_update())
    if publisher is None:
        raise NotFound("no-such-publisher", f"there is no publisher {slug!r} here")
    return publisher


def _changed(
    session: Session, publisher: Publisher, *, kind: str, who: str, why: str, now: dt.datetime
) -> None:
    """Note who and why, tell the followers, decide anew which handles are one, and match again."""
    subject = f"publisher:{publisher.slug}"
    session.add(OperatorAct(who=who, what=f"publisher-{kind}", subject=publisher.slug, why=why, at=now))
    append.append(session, kind=kind, subject=subject, ref=publisher.slug, leaf=None, now=now)
    session.flush()
    joined_or_parted = recompute_for_publisher(session, publisher.id)
    match.ask(session, now=now, publisher=publisher.id)
    if joined_or_parted:
        match.ask(session, now=now, contributors=sorted(joined_or_parted))
