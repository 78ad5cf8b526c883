"""A claim on a confirmed mail address alone: for whose account is gone. It is weaker, and says so (`asserted`)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from byline.errors import Conflict, NotFound, Refused
from registry.config import Settings
from registry.contributors.claim import claim_view, find_claim
from registry.contributors.deciding import decide
from registry.contributors.mailing import Letter, lapsed, mail_link, read_link
from registry.models import Claim, MailToken
from registry.seal import Seal

PURPOSE = "claim"
BY_MAIL = "mail"
_LETTER = Letter(
    "Please confirm that this is you",
    """\
Somebody told {origin} in your name: "This is me", about an account or a name in datasets.
If it was you, open this page and press the button; until then nothing happens:

{link}

The link works once, until {until}. If it was not you, do nothing: then nothing will happen.
""",
)


def ask_mail(
    session: Session,
    *,
    claim_id: str,
    token: str,
    seal: Seal,
    settings: Settings,
    now: dt.datetime,
    token_urlsafe: Callable[[], str],
) -> dict[str, Any]:
    """Send the claimant a link that confirms the claim as asserted; the claim as `claim_view` gives it.

    Refused("email-needed") where the claim came without an address; Conflict("claim-decided").
    """
    claim_view(session, claim_id=claim_id, token=token)
    claim = find_claim(session, claim_id)
    if claim.email_sealed is None:
        raise Refused("email-needed", "this claim has no mail address; make one that has", at="email")
    if claim.state not in {"pending", "lapsed"}:
        raise Conflict("claim-decided", f"this claim is {claim.state} already", at=claim.id)
    mail_link(
        session,
        purpose=PURPOSE,
        ref=claim.id,
        email=seal.open(claim.email_sealed),
        letter=_LETTER,
        seal=seal,
        settings=settings,
        now=now,
        token_urlsafe=token_urlsafe,
    )
    return claim_view(session, claim_id=claim_id, token=token)


def shown_by_link(session: Session, *, token: str, now: dt.datetime) -> dict[str, Any]:
    """What a mailed link would confirm, changing nothing: `{"identity", "state"}`."""
    _, claim = _find(session, token, now)
    return {"identity": claim.identity, "state": claim.state}


def confirm_by_link(session: Session, *, token: str, now: dt.datetime) -> dict[str, Any]:
    """The button was pressed: the claim is confirmed, as asserted. Again changes nothing.

    NotFound("no-such-link"), Refused("link-lapsed").
    """
    link, claim = _find(session, token, now)
    if claim.state in {"pending", "lapsed"}:
        link.used_at = now
        why = "the mail address was confirmed"
        decide(session, claim, state="confirmed", assurance="asserted", who=BY_MAIL, why=why, now=now)
    return {"id": claim.id, "state": claim.state}


def _find(session: Session, token: str, now: dt.datetime) -> tuple[MailToken, Claim]:
    link = read_link(session, token, now)
    claim = session.get(Claim, link.ref) if link.purpose == PURPOSE else None
    if claim is None:
        raise NotFound("no-such-link", "there is no such link; was it copied whole?")
    if claim.state in {"rejected", "disputed"}:
        raise lapsed()
    return link, claim
