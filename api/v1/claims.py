"""`This is me`: a claim is answered with two strings, a secret that acts and a public line that proves."""

from __future__ import annotations

import secrets
from typing import Any

import marshmallow as ma
from sqlalchemy.orm import Session

from api import auth
from api.once import once
from api.schemas import Strict, Text, When
from api.section import Section, runtime
from registry.contributors import assertion, proofs
from registry.contributors import claim as claims

section = Section("claims", "This is me")


class ClaimIn(Strict):
    """`flickr:1@N00`, a profile link, `host:example.org` or `name:PUB/DATASET:NAME`; and a mail address."""

    identity = Text(1000, required=True)
    email = Text(254, load_default=None, allow_none=True, least=0)


class ClaimView(Strict):
    """A claim as its claimant sees it."""

    id = ma.fields.String(required=True)
    identity = ma.fields.String(required=True)
    state = ma.fields.String(required=True)
    assurance = ma.fields.String(allow_none=True)
    proof = ma.fields.String(
        required=True, metadata={"description": "Public: put it into the profile it proves"}
    )
    made_at = When()
    decided_at = When(allow_none=True)
    reason = ma.fields.String(allow_none=True)


class PlaceView(Strict):
    """Where the line may stand, so that it proves something."""

    how = ma.fields.String(required=True, metadata={"description": "profile, photo, dns or well-known"})
    place = ma.fields.String(required=True)
    advice = ma.fields.String(required=True)


class ProofView(Strict):
    """What was seen at a place."""

    how = ma.fields.String(required=True)
    place = ma.fields.String(required=True)
    state = ma.fields.String(required=True, metadata={"description": "found, missing or unreachable"})
    saw = ma.fields.String(required=True)
    checked_at = When()
    seen_at = When(allow_none=True)


class FullClaim(ClaimView):
    """With where its line may stand, and what was seen there."""

    checking = ma.fields.Boolean(required=True, metadata={"description": "Whether somebody looks just now"})
    by_mail = ma.fields.Boolean(required=True, metadata={"description": "Whether a mail can confirm it"})
    places = ma.fields.List(ma.fields.Nested(PlaceView), required=True)
    proofs = ma.fields.List(ma.fields.Nested(ProofView), required=True)


class VerifyIn(Strict):
    """By its line (on `photo`'s page, where that is given), or by a mail to the claim's address."""

    photo = Text(40, load_default=None, allow_none=True)
    by_mail = ma.fields.Boolean(load_default=False)


class ClaimMade(FullClaim):
    """With the secret, which is shown this once."""

    token = ma.fields.String(required=True, metadata={"description": "Secret: it acts. Shown this once"})


@section.post("/claims", body=ClaimIn, gives=ClaimMade, refuses=(409, 413, 415))
def make_claim(_: dict[str, Any], sent: dict[str, Any]) -> Any:
    """Claim an identity."""
    here = runtime()

    def act(session: Session) -> Any:
        return claims.make_claim(
            session, identity=sent["identity"], email=sent["email"] or "", seal=here.seal, now=here.clock(),
            token_bytes=secrets.token_bytes,
        )  # fmt: skip

    return once(act, ClaimMade, headers=lambda made: {"Location": f"/v1/claims/{made['id']}"})


@section.get(
    "/claims/<id:claim>", gives=FullClaim, refuses=(401, 403, 404), doc={"security": [{"bearer": []}]}
)
def claim(_: dict[str, Any], *, claim: str) -> Any:
    """How a claim stands; by its token."""
    token = auth.needed()
    with runtime().sessions() as session:
        return claims.claim_view(session, claim_id=claim, token=token)


@section.post(
    "/claims/<id:claim>/verify",
    body=VerifyIn,
    gives=FullClaim,
    status=202,
    refuses=(401, 403, 404, 409, 413, 415, 503),
    doc={"security": [{"bearer": []}]},
)
def verify(_: dict[str, Any], sent: dict[str, Any], *, claim: str) -> Any:
    """Have a claim's line looked for, or send the mail that confirms it as asserted; by its token."""
    here, token = runtime(), auth.needed()

    def act(session: Session) -> Any:
        if not sent["by_mail"]:
            return proofs.ask_proof(
                session, claim_id=claim, token=token, photo=sent["photo"], now=here.clock()
            )  # fmt: skip
        return assertion.ask_mail(
            session, claim_id=claim, token=token, seal=here.seal, settings=here.settings, now=here.clock(),
            token_urlsafe=lambda: secrets.token_urlsafe(32),
        )  # fmt: skip

    return once(act, FullClaim, status=202)
