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


class ClaimMade(ClaimView):
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
    "/claims/<id:claim>", gives=ClaimView, refuses=(401, 403, 404), doc={"security": [{"bearer": []}]}
)
def claim(_: dict[str, Any], *, claim: str) -> Any:
    """How a claim stands; by its token."""
    token = auth.needed()
    with runtime().sessions() as session:
        return claims.claim_view(session, claim_id=claim, token=token)
