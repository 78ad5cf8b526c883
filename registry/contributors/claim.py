"""`This identity is me`: a claim, its two strings, and the operator's word on it.

`token` is the secret that acts; only its digest is kept. `proof` is a line for a public profile, of random
bits of its own, and says nothing of the token. Who stands in no dataset can claim as well: tomorrow's may
hold them.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from byline.errors import NotFound, Refused, Untrusted
from byline.formats.hosts import require_host
from byline.formats.selectors import parse_selector
from registry.contributors.deciding import assurance_of, decide, note_conflict, rivals
from registry.contributors.places import places_of
from registry.jobs import DEAD
from registry.models import Claim, Job, Proof
from registry.seal import Seal

TokenBytes = Callable[[int], bytes]
# Enough to see a slip of the hand; whether it is read, a mail will tell.
_EMAIL = re.compile(
    r"[^@\s\x00-\x1f\x7f<>\",;:]{1,64}@[^@\s\x00-\x1f\x7f<>\",;:]+\.[^@\s\x00-\x1f\x7f<>\",;:.]{2,}"
)


def make_claim(
    session: Session, *, identity: str, email: str, seal: Seal, now: dt.datetime, token_bytes: TokenBytes
) -> dict[str, Any]:
    """Take a claim down; give it as `full_view` does, with `token`, which is shown this once.

    `email` may be empty. Refused: `unknown-selector`, `not-an-identity`, `public-suffix`, `shared-host`,
    `bad-email`.
    """
    key = read_identity(identity)
    address = read_email(email) if email.strip() else None
    token = base64.urlsafe_b64encode(token_bytes(32)).decode().rstrip("=")
    claim = Claim(
        id=token_bytes(16).hex(),
        identity=key,
        token_hash=token_hash(token),
        proof=f"byline-proof={token_bytes(16).hex()}",
        email_sealed=seal.seal(address) if address else None,
        email_digest=seal.digest(address.lower()) if address else None,
        state="pending",
        made_at=now,
    )
    session.add(claim)
    session.flush()
    return full_view(session, claim) | {"token": token}


def read_identity(text: str) -> str:
    """Give the one text of an identity: a contributor key, or `host:example.org`.

    Refused("not-an-identity") for a photo, a file or a digest: those are opted out by themselves;
    Refused("public-suffix", "shared-host") for a host where strangers' pictures lie: it would take them all.
    """
    selector = parse_selector(text)
    if selector.kind == "maker":
        return selector.value
    if selector.kind == "host":
        return f"host:{require_host(selector.value)}"
    if selector.kind in {"name", "id"}:
        return f"{selector.kind}:{selector.value}"
    if selector.kind == "url":  # a profile page that no platform's table knows
        return f"web:{selector.value}"
    raise Refused(
        "not-an-identity", "this is one picture, not somebody; opt out by its link instead", at="identity"
    )


def read_email(text: str) -> str:
    """Give the address; Refused("bad-email")."""
    tidy = text.strip()
    if len(tidy) > 254 or not _EMAIL.fullmatch(tidy):
        raise Refused("bad-email", "this is no mail address: name@example.org", at="email")
    return tidy


def token_hash(token: str) -> str:
    """What is kept of a token: SHA-256 in hex; 256 random bits need no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


def claim_view(session: Session, *, claim_id: str, token: str) -> dict[str, Any]:
    """Give a claim to who has its token, as `full_view` does; NotFound("no-such-claim"), Untrusted("wrong-token")."""
    claim = find_claim(session, claim_id)
    if not hmac.compare_digest(claim.token_hash, token_hash(token)):
        raise Untrusted("wrong-token", "this token does not open that claim")
    return full_view(session, claim)


def full_view(session: Session, claim: Claim) -> dict[str, Any]:
    """A claim with where its line may stand, and what was seen there.

    Beside `claim_view`'s: `checking`, `places` ([{"how", "place", "advice"}]), `proofs` ([{"how", "place",
    "state", "saw", "checked_at", "seen_at"}]), `by_mail` (whether a mail can confirm it, as asserted).
    """
    waiting = select(Job.id).where(Job.kind == "prove", Job.key == claim.id, Job.state != DEAD).limit(1)
    rows = session.scalars(select(Proof).where(Proof.claim_id == claim.id).order_by(Proof.how))
    return _view(claim) | {
        "checking": session.scalar(waiting) is not None,
        "by_mail": claim.email_sealed is not None,
        "places": [
            {"how": place.how, "place": place.address, "advice": place.advice}
            for place in places_of(claim.identity)
        ],
        "proofs": [
            {
                "how": row.how, "place": row.place, "state": row.state, "saw": row.saw,
                "checked_at": row.checked_at, "seen_at": row.seen_at,
            }
            for row in rows
        ],
    }  # fmt: skip


def find_claim(session: Session, claim_id: str) -> Claim:
    """NotFound("no-such-claim")."""
    claim = session.get(Claim, claim_id)
    if claim is None:
        raise NotFound("no-such-claim", "there is no claim of that id", at=claim_id[:64])
    return claim


def list_claims(session: Session, *, state: str | None = None, limit: int = 100) -> list[dict[str, Any]]:
    """For the operator: the oldest first; without mail addresses."""
    statement = select(Claim).order_by(Claim.made_at, Claim.id).limit(limit)
    found = session.scalars(statement if state is None else statement.where(Claim.state == state))
    return [_view(claim) | {"has_email": claim.email_sealed is not None} for claim in found]


def show_claim(session: Session, *, claim_id: str, seal: Seal) -> dict[str, Any]:
    """For the operator: one claim, its mail address, and who else claims the same."""
    claim = find_claim(session, claim_id)
    same = select(Claim.id, Claim.state).where(Claim.identity == claim.identity, Claim.id != claim.id)
    return _view(claim) | {
        "email": seal.open(claim.email_sealed) if claim.email_sealed else None,
        "decided_by": claim.decided_by,
        "others": [
            {"id": row.id, "state": row.state} for row in session.execute(same.order_by(Claim.made_at))
        ],
    }


def confirm(session: Session, *, claim_id: str, who: str, why: str, now: dt.datetime) -> dict[str, Any]:
    """Say that it is so. An identity or host becomes `verified`, a name in one dataset `asserted`.

    A second confirmed claim by another mail address is noted as a conflict (`conflicts_with`); both stand,
    nothing merges. Conflict("claim-decided") where it was rejected; confirming again changes nothing.
    """
    claim = find_claim(session, claim_id)
    assurance = assurance_of(claim.identity)
    if (claim.state, claim.assurance) != ("confirmed", assurance):
        decide(session, claim, state="confirmed", assurance=assurance, who=who, why=why, now=now)
    against = [other.id for other in rivals(session, claim)]
    if against:
        note_conflict(session, claim, against, who=who, now=now)
    return _view(claim) | {"conflicts_with": against}


def reject(session: Session, *, claim_id: str, who: str, why: str, now: dt.datetime) -> dict[str, Any]:
    """Say that it is not so, once. Conflict("claim-decided") where it was confirmed."""
    claim = find_claim(session, claim_id)
    if claim.state != "rejected":
        decide(session, claim, state="rejected", assurance=None, who=who, why=why, now=now)
    return _view(claim)


def _view(claim: Claim) -> dict[str, Any]:
    return {
        "id": claim.id,
        "identity": claim.identity,
        "state": claim.state,
        "assurance": claim.assurance,
        "proof": claim.proof,
        "made_at": claim.made_at,
        "decided_at": claim.decided_at,
        "reason": claim.reason,
    }
