"""Signing in: a command on the machine gives a code, the code opens one session. There is no password to lose.

Whoever may run commands on the machine could decide everything there anyway; the code is no new power.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from byline.errors import Untrusted
from registry.models import OperatorAct, OperatorSession

CODE_HOLDS = dt.timedelta(minutes=15)
LONGEST = dt.timedelta(hours=8)
IDLE = dt.timedelta(minutes=30)
_NOTED = dt.timedelta(minutes=1)  # how exactly `seen_at` is kept: not every page is a write
TokenUrlsafe = Callable[[], str]


def give_code(session: Session, *, who: str, now: dt.datetime, token_urlsafe: TokenUrlsafe) -> str:
    """A code that signs `who` in once, within 15 minutes."""
    code = token_urlsafe()
    row = OperatorSession(
        code_hash=_hash(code), who=who[:100], code_until=now + CODE_HOLDS, ends_at=now + LONGEST
    )
    session.add(row)
    return code


def enter(session: Session, *, code: str, now: dt.datetime, token_urlsafe: TokenUrlsafe) -> str:
    """Trade a code for a session's token; Untrusted("wrong-code") where it is unknown, used or old."""
    token = token_urlsafe()
    unused = (
        update(OperatorSession)
        .where(
            OperatorSession.code_hash == _hash(code),
            OperatorSession.session_hash.is_(None),
            OperatorSession.code_until >= now,
        )
        .values(session_hash=_hash(token), seen_at=now)
        .returning(OperatorSession.who)
    )
    who = session.scalar(unused)
    if who is None:
        raise Untrusted("wrong-code", "this code is not good: it works once, and for 15 minutes", at="code")
    _note(session, "operator-signed-in", who, now)
    return token


def who_is(session: Session, *, token: str, now: dt.datetime) -> str | None:
    """Whose session this is; None where it ended, or was not used for 30 minutes."""
    found = session.scalar(select(OperatorSession).where(OperatorSession.session_hash == _hash(token)))
    if found is None or found.seen_at is None or found.ends_at <= now or now - found.seen_at > IDLE:
        return None
    if now - found.seen_at > _NOTED:
        found.seen_at = now
    return found.who


def leave(session: Session, *, token: str, now: dt.datetime) -> None:
    """End this session."""
    gone = delete(OperatorSession).where(OperatorSession.session_hash == _hash(token))
    for who in session.scalars(gone.returning(OperatorSession.who)).all():
        _note(session, "operator-signed-out", who, now)


def end_all(session: Session, *, who: str, now: dt.datetime) -> int:
    """End every session and code of somebody; how many there were."""
    ended = session.scalars(
        delete(OperatorSession).where(OperatorSession.who == who).returning(OperatorSession.code_hash)
    ).all()
    if ended:
        _note(session, "operator-signed-out", who, now)
    return len(ended)


def forget_old(session: Session, *, now: dt.datetime) -> None:
    """Delete what is over."""
    session.execute(delete(OperatorSession).where(OperatorSession.ends_at <= now))


def _note(session: Session, what: str, who: str, now: dt.datetime) -> None:
    session.add(OperatorAct(who=who, what=what, subject=who, why="", at=now))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
