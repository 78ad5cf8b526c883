"""What nobody confirmed is not kept: it names a person's pictures, and perhaps another's mail address."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from registry.jobs import DEAD
from registry.models import IdempotentAnswer, Job, MailSession, MailToken, OptOut, OptOutScope, OptOutSelector
from registry.optouts.mailing import VALID

ANSWERS_KEPT = dt.timedelta(hours=24)
"""How long the answer of a POST with an Idempotency-Key is kept."""
MOST = 500


def lapse(session: Session, *, now: dt.datetime) -> bool:
    """Delete requests that were never in force, when their link lapsed; links; mails nobody took; kept answers.

    What was once in force stands in the log and stays. True where more is left.
    """
    asked = select(OptOut.id).where(OptOut.in_force_at.is_(None), OptOut.made_at < now - VALID)
    unconfirmed = session.scalars(asked.limit(MOST)).all()
    forget_unconfirmed(session, unconfirmed)
    session.execute(delete(MailToken).where(MailToken.expires_at < now))
    session.execute(delete(MailSession).where(MailSession.ends_at < now))
    session.execute(delete(Job).where(Job.kind == "mail", Job.state == DEAD, Job.made_at < now - VALID))
    session.execute(delete(IdempotentAnswer).where(IdempotentAnswer.made_at < now - ANSWERS_KEPT))
    return len(unconfirmed) == MOST


def forget_unconfirmed(session: Session, opt_outs: Collection[str]) -> None:
    """Delete requests that were never in force, whole."""
    for table in (OptOutSelector, OptOutScope):
        session.execute(delete(table).where(table.opt_out_id.in_(opt_outs)))
    session.execute(delete(MailToken).where(MailToken.ref.in_(opt_outs)))
    session.execute(delete(OptOut).where(OptOut.id.in_(opt_outs)))
