"""Showing that it is you: where the line may stand, and a button that looks there and says what it saw."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import flask
from sqlalchemy.orm import Session

from byline.errors import BylineError, Refused
from byline.formats.platforms import shown
from byline.formats.urls import canonical_url
from registry.contributors import assertion, proofs
from registry.contributors.places import PHOTO_PAGES, proof_address
from registry.database import transaction
from web.forms import field
from web.here import kept_key, runtime
from web.pages import status

Act = Callable[[Session, str, str], object]


@dataclass(frozen=True)
class Step:
    """One place: what to copy, where to put it, the address that is opened to do so (None for DNS)."""

    how: str
    place: str
    line: str
    advice: str
    link: str | None


def routes(pages: flask.Blueprint) -> None:
    """The two buttons; the steps themselves stand on `/this-is-me` and `/status`."""
    pages.add_url_rule("/status/check", "check", check, methods=["POST"])
    pages.add_url_rule("/status/by-mail", "by_mail", by_mail, methods=["POST"])
    pages.add_app_template_global(steps, "proof_steps")
    pages.add_app_template_global(by_photo, "proof_by_photo")


def steps(claim: dict[str, Any]) -> list[Step]:
    """Where this claim's line may stand; none where only a mail or the operator can confirm it."""
    return [_step(claim, place) for place in claim["places"]]


def by_photo(claim: dict[str, Any]) -> bool:
    """Whether the page of one photo can carry the line instead of the profile."""
    return str(claim["identity"]).partition(":")[0] in PHOTO_PAGES


def check() -> flask.typing.ResponseReturnValue:
    """Have somebody look; the status page says what was seen."""
    return _acted(_look)


def by_mail() -> flask.typing.ResponseReturnValue:
    """Send the link that confirms the claim as asserted."""
    return _acted(_mail)


def _look(session: Session, ident: str, token: str) -> object:
    photo = _photo_id(field("photo", most=2000))
    return proofs.ask_proof(session, claim_id=ident, token=token, photo=photo, now=runtime().clock())


def _mail(session: Session, ident: str, token: str) -> object:
    here = runtime()
    return assertion.ask_mail(
        session, claim_id=ident, token=token, seal=here.seal, settings=here.settings, now=here.clock(),
        token_urlsafe=secrets.token_urlsafe,
    )  # fmt: skip


def _acted(act: Act) -> flask.typing.ResponseReturnValue:
    key = kept_key()
    if key is None:
        return flask.redirect(flask.url_for("web.status_door"), 303)
    try:
        with transaction(runtime().sessions) as session:
            act(session, *key)
    except BylineError as error:
        return status.shown(problem=error.message)
    return flask.redirect(flask.url_for("web.status", mailed=1 if act is _mail else None), 303)


def _photo_id(link: str) -> str | None:
    """The photo that a link shows, None where no link was given; Refused("no-such-page")."""
    if not link:
        return None
    seen = shown(canonical_url(link) or "")
    platform, _, photo = (seen.photo or "" if seen else "").partition(":")
    if platform not in PHOTO_PAGES:
        raise Refused("no-such-page", "That is no link of a photo whose page could show it.", at="photo")
    return photo


def _step(claim: dict[str, Any], place: dict[str, str]) -> Step:
    address, how = place["place"], place["how"]
    line, advice = claim["proof"], place["advice"]
    if str(claim["identity"]).startswith("web:"):
        there = proof_address(runtime().settings.public_url, line)
        line, advice = f'<link rel="me" href="{there}">', "Put this line into the head of the page."
    return Step(how, address, line, advice, address if address.startswith("https://") else None)
