"""The mail that confirms an opt-out made by items."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from sqlalchemy.orm import Session

from byline.errors import NotFound
from registry.config import Settings
from registry.contributors.mailing import VALID, Letter, lapsed, mail_link, open_mail, read_link, sealed_mail
from registry.models import MailToken, OptOut
from registry.seal import Seal

__all__ = ["PURPOSE", "VALID", "find_link", "open_mail", "sealed_mail", "send_confirmation"]

PURPOSE = "opt-out"
_LETTER = Letter(
    "Please confirm your opt-out",
    """\
Somebody asked {origin} in your name to keep pictures out of datasets.
If it was you, open this page and press the button; until then nothing happens:

{link}

The link works once, until {until}. If it was not you, do nothing: then nothing will happen.
""",
)


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
    """Ask for a mail with the link, in the caller's transaction."""
    mail_link(
        session,
        purpose=PURPOSE,
        ref=opt_out.id,
        email=email,
        letter=_LETTER,
        seal=seal,
        settings=settings,
        now=now,
        token_urlsafe=token_urlsafe,
    )


def find_link(session: Session, token: str, now: dt.datetime) -> tuple[MailToken, OptOut]:
    """The link and what it confirms, changing nothing.

    NotFound("no-such-link"); Refused("link-lapsed") when it is too old, or its request was withdrawn.
    """
    link = read_link(session, token, now)
    opt_out = session.get(OptOut, link.ref) if link.purpose == PURPOSE else None
    if opt_out is None:
        raise NotFound("no-such-link", "there is no such link; was it copied whole?")
    if opt_out.state == "withdrawn":
        raise lapsed()
    return link, opt_out
