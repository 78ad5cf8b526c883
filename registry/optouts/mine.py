"""`My page`: everything that stands under one mail address, opened by a mailed link. There is no account.

Asking is answered the same whether the address is known or not, and at the same speed: a job looks, and writes only
where there is something to show. The link opens a door for half an hour, once, by a button: fetching it does nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import exists, or_, select, update
from sqlalchemy.orm import Session

from byline.errors import NotFound, Untrusted
from registry.config import Settings
from registry.contributors.mailing import (
    Letter,
    lapsed,
    link_hash,
    mail_link,
    open_mail,
    read_link,
    sealed_mail,
)
from registry.database import Sessions, transaction
from registry.jobs import MAIL, enqueue
from registry.mail import check_address
from registry.models import Claim, MailSession, MailToken, OptOut, OptOutClaim, Watch
from registry.optouts.request import withdraw_found
from registry.seal import Seal
from registry.watches.asking import end, watches_of

PURPOSE, JOB = "mine", "mine"
OPEN_FOR = dt.timedelta(minutes=30)
_LETTER = Letter(
    "Your page",
    """\
Somebody asked {origin} to show what stands under this mail address: who you said you are, and your opt-outs.
If it was you, open this page and press the button:

{link}

The link works once, until {until}. If it was not you, do nothing: nobody has seen anything.
""",
)


def ask_mine(session: Session, *, email: str, seal: Seal, now: dt.datetime) -> None:
    """Have a link sent, if anything stands under this address; the caller never learns which.

    Refused("bad-mail-address").
    """
    address = check_address(email)
    enqueue(
        session, lane=MAIL, kind=JOB, key=_digest(seal, address)[:32], payload=sealed_mail(seal, address, "", ""),
        now=now,
    )  # fmt: skip


def send_mine(
    sessions: Sessions,
    *,
    seal: Seal,
    settings: Settings,
    payload: Mapping[str, Any],
    now: dt.datetime,
    token_urlsafe: Callable[[], str],
) -> None:
    """The job: a link to an address under which something stands. Done again it sends another, of at most five a day."""
    address = open_mail(seal, payload)[0]
    digest = _digest(seal, address)
    with transaction(sessions) as session:
        known = select(
            exists().where(Claim.email_digest == digest)
            | exists().where(OptOut.email_digest == digest)
            | exists().where(Watch.email_digest == digest)
        )
        if session.scalar(known):
            mail_link(
                session, purpose=PURPOSE, ref=digest[:32], email=address, letter=_LETTER, seal=seal, settings=settings,
                now=now, token_urlsafe=token_urlsafe,
            )  # fmt: skip


def open_mine(
    session: Session, *, token: str, now: dt.datetime, token_urlsafe: Callable[[], str]
) -> dict[str, Any]:
    """The button was pressed: `{"token", "until"}`, a key for half an hour. The link is used up.

    NotFound("no-such-link"), Refused("link-lapsed").
    """
    link = read_link(session, token, now)
    if link.purpose != PURPOSE:
        raise NotFound("no-such-link", "there is no such link; was it copied whole?")
    used = update(MailToken).where(MailToken.token_hash == link.token_hash, MailToken.used_at.is_(None))
    if session.scalar(used.values(used_at=now).returning(MailToken.ref)) is None:
        raise lapsed()
    key = token_urlsafe()
    session.add(
        MailSession(token_hash=link_hash(key), email_digest=link.email_digest, ends_at=now + OPEN_FOR)
    )
    session.flush()
    return {"token": key, "until": now + OPEN_FOR}


def close_mine(session: Session, *, token: str) -> None:
    """End it now."""
    if (found := session.get(MailSession, link_hash(token))) is not None:
        session.delete(found)


def whose(session: Session, token: str, now: dt.datetime) -> str:
    """The digest of the address a key is for; Untrusted("wrong-token") where it is unknown or its time is over."""
    found = session.get(MailSession, link_hash(token))
    if found is None or found.ends_at <= now:
        raise Untrusted("wrong-token", "this key is not good any more; ask for a new link by mail")
    return found.email_digest


def claims_of(session: Session, digest: str) -> list[Claim]:
    """The claims made with an address, the newest first."""
    mine = select(Claim).where(Claim.email_digest == digest)
    return list(session.scalars(mine.order_by(Claim.made_at.desc(), Claim.id)))


def opt_outs_of_mail(session: Session, digest: str) -> list[OptOut]:
    """The opt-outs made with an address, and those that stand on its claims; the newest first."""
    by_claim = (
        select(OptOutClaim.opt_out_id)
        .join(Claim, Claim.id == OptOutClaim.claim_id)
        .where(Claim.email_digest == digest)
    )
    mine = or_(OptOut.email_digest == digest, OptOut.id.in_(by_claim))
    return list(session.scalars(select(OptOut).where(mine).order_by(OptOut.made_at.desc(), OptOut.id)))


def withdraw_mine(session: Session, *, token: str, opt_out_id: str, now: dt.datetime) -> dict[str, Any]:
    """Take one of them back. Untrusted("wrong-token"), NotFound("no-such-opt-out") where it is not theirs."""
    digest = whose(session, token, now)
    for one in opt_outs_of_mail(session, digest):
        if one.id == opt_out_id:
            return withdraw_found(session, one, now=now)
    raise NotFound("no-such-opt-out", "no opt-out of that id stands under your mail address")


def end_mine(session: Session, *, token: str, watch_id: str, now: dt.datetime) -> dict[str, Any]:
    """End one of their watches. Untrusted("wrong-token"), NotFound("no-such-watch") where it is not theirs."""
    if watch_id not in {one.id for one in watches_of(session, whose(session, token, now))}:
        raise NotFound("no-such-watch", "no watch of that id stands under your mail address")
    end(session, [watch_id])
    return {"id": watch_id, "state": "ended"}


def _digest(seal: Seal, address: str) -> str:
    return seal.digest(address.lower())
