"""Mails with a link that confirms something: it works once, and never by being fetched.

Mail scanners open links. GET shows what would be confirmed and a button; only POST confirms. No address
stands plain in a table: the job carries a sealed mail.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from byline.errors import NotFound, Refused
from registry.config import Settings
from registry.jobs import MAIL, enqueue
from registry.models import MailToken
from registry.seal import Seal

VALID = dt.timedelta(days=7)
MAILS_A_DAY = 5


@dataclass(frozen=True)
class Letter:
    """What a mail with a link says; `body` has `{origin}`, `{link}` and `{until}`."""

    subject: str
    body: str


def mail_link(
    session: Session,
    *,
    purpose: str,
    ref: str,
    email: str,
    letter: Letter,
    seal: Seal,
    settings: Settings,
    now: dt.datetime,
    token_urlsafe: Callable[[], str],
) -> None:
    """Ask for a mail with a link, in the caller's transaction.

    None is sent where the address got five within a day: nobody floods another's box. The caller is not told,
    or whoever knows an address could count up to see whether it asked today.
    """
    digest = seal.digest(email.lower())
    if _is_spent(session, digest, now):
        return
    token = token_urlsafe()
    session.add(
        MailToken(
            token_hash=link_hash(token),
            purpose=purpose,
            ref=ref,
            email_digest=digest,
            made_at=now,
            expires_at=now + VALID,
            used_at=None,
        )
    )
    link = f"{settings.public_url.rstrip('/')}/confirm/{token}"
    text = letter.body.format(origin=settings.origin, link=link, until=f"{now + VALID:%-d %B %Y}")
    send_mail(session, seal=seal, to=email, subject=letter.subject, body=text, key=ref, now=now)


def send_mail(
    session: Session, *, seal: Seal, to: str, subject: str, body: str, key: str, now: dt.datetime
) -> None:
    """Ask for a mail, in the caller's transaction."""
    payload = sealed_mail(seal, to, subject, body)
    enqueue(session, lane=MAIL, kind="mail", key=key, payload=payload, now=now)


def read_link(session: Session, token: str, now: dt.datetime) -> MailToken:
    """The link of a mailed token, changing nothing; NotFound("no-such-link"), Refused("link-lapsed")."""
    link = session.get(MailToken, link_hash(token))
    if link is None:
        raise NotFound("no-such-link", "there is no such link; was it copied whole?")
    if link.used_at is None and link.expires_at < now:
        raise lapsed()
    return link


def lapsed() -> Refused:
    """The answer to a link that is too old, or whose request is gone."""
    return Refused("link-lapsed", "this link is not good any more; please make the request again")


def link_hash(token: str) -> str:
    """What is kept of a secret: SHA-256, in hex. A token is 256 random bits, so its digest tells nothing."""
    return hashlib.sha256(token.encode()).hexdigest()


def sealed_mail(seal: Seal, to: str, subject: str, body: str) -> dict[str, Any]:
    """The payload of a mail job."""
    text = json.dumps({"to": to, "subject": subject, "body": body})
    return {"sealed": base64.b64encode(seal.seal(text)).decode("ascii")}


def open_mail(seal: Seal, payload: Mapping[str, Any]) -> tuple[str, str, str]:
    """To whom, the subject and the body of a mail job."""
    mail = json.loads(seal.open(base64.b64decode(payload["sealed"])))
    return mail["to"], mail["subject"], mail["body"]


def _is_spent(session: Session, digest: str, now: dt.datetime) -> bool:
    since = now - dt.timedelta(days=1)
    recent = select(func.count()).where(MailToken.email_digest == digest, MailToken.made_at > since)
    return (session.scalar(recent) or 0) >= MAILS_A_DAY
