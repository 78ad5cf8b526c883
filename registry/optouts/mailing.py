"""Mails that confirm an opt-out: a link that works once, and never by being fetched.

Mail scanners open links. GET shows what would be confirmed and a button; only POST confirms. No address
stands plain in a table: the job carries a sealed mail.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from byline.errors import NotFound, Refused
from registry.config import Settings
from registry.jobs import SHORT, enqueue
from registry.models import MailToken, OptOut
from registry.optouts.access import token_hash
from registry.seal import Seal

PURPOSE = "opt-out"
VALID = dt.timedelta(days=7)
MAILS_A_DAY = 5
_SUBJECT = "Please confirm your opt-out"
_BODY = """\
Somebody asked {origin} in your name to keep pictures out of datasets.
If it was you, open this page and press the button; until then nothing happens:

{link}

The link works once, until {until}. If it was not you, do nothing: then nothing will happen.
"""


def send_confirmation(
    session: Session,
    opt_out: OptOut,
    *,
    email: str,
    seal: Seal,
    settings: Settings,
    now: dt.datetime,
    token_urlsafe: Callable[[], str],
) -> None:
    """Ask for a mail with the link, in the caller's transaction.

    None is sent where the address got five within a day: nobody floods another's box. The caller is not told,
    or whoever knows an address could count up to see whether it asked today.
    """
    digest = seal.digest(email.lower())
    if _is_spent(session, digest, now):
        return
    token = token_urlsafe()
    session.add(
        MailToken(
            token_hash=token_hash(token),
            purpose=PURPOSE,
            ref=opt_out.id,
            email_digest=digest,
            made_at=now,
            expires_at=now + VALID,
            used_at=None,
        )
    )
    link = f"{settings.public_url.rstrip('/')}/confirm/{token}"
    body = _BODY.format(origin=settings.origin, link=link, until=f"{now + VALID:%-d %B %Y}")
    enqueue(
        session,
        lane=SHORT,
        kind="mail",
        key=opt_out.id,
        payload=sealed_mail(seal, email, _SUBJECT, body),
        now=now,
    )


def sealed_mail(seal: Seal, to: str, subject: str, body: str) -> dict[str, Any]:
    """The payload of a mail job."""
    text = json.dumps({"to": to, "subject": subject, "body": body})
    return {"sealed": base64.b64encode(seal.seal(text)).decode("ascii")}


def open_mail(seal: Seal, payload: Mapping[str, Any]) -> tuple[str, str, str]:
    """To whom, the subject and the body of a mail job."""
    mail = json.loads(seal.open(base64.b64decode(payload["sealed"])))
    return mail["to"], mail["subject"], mail["body"]


def find_link(session: Session, token: str, now: dt.datetime) -> tuple[MailToken, OptOut]:
    """The link and what it confirms, changing nothing.

    NotFound("no-such-link"); Refused("link-lapsed") when it is too old, or its request was withdrawn.
    """
    link = session.get(MailToken, token_hash(token))
    opt_out = session.get(OptOut, link.ref) if link is not None and link.purpose == PURPOSE else None
    if link is None or opt_out is None:
        raise NotFound("no-such-link", "there is no such link; was it copied whole?")
    if opt_out.state == "withdrawn" or (link.used_at is None and link.expires_at < now):
        raise Refused("link-lapsed", "this link is not good any more; please make the request again")
    return link, opt_out


def _is_spent(session: Session, digest: str, now: dt.datetime) -> bool:
    since = now - dt.timedelta(days=1)
    recent = select(func.count()).where(MailToken.email_digest == digest, MailToken.made_at > since)
    return (session.scalar(recent) or 0) >= MAILS_A_DAY
