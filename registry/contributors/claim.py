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

from byline.errors import Conflict, NotFound, Refused, Untrusted
from byline.formats.hosts import require_host
from byline.formats.selectors import parse_selector
from registry.models import Claim, OperatorAct
from registry.seal import Seal
from registry.tlog import append

TokenBytes = Callable[[int], bytes]
LONGEST_WHY = 1000
# Enough to see a slip of the hand; whether it is read, a mail will tell.
_EMAIL = re.compile(
    r"[^@\s\x00-\x1f\x7f<>\",;:]{1,64}@[^@\s\x00-\x1f\x7f<>\",;:]+\.[^@\s\x00-\x1f\x7f<>\",;:.]{2,}"
)


def make_claim(
    session: Session, *, identity: str, email: str, seal: Seal, now: dt.datetime, token_bytes: TokenBytes
) -> dict[str, Any]:
    """Take a claim down; give it as `claim_view` does, with `token`, which is shown this once.

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
    return _view(claim) | {"token": token}


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
    """Give a claim to who has its token; NotFound("no-such-claim"), Untrusted("wrong-token")."""
    claim = find_claim(session, claim_id)
    if not hmac.compare_digest(claim.token_hash, token_hash(token)):
        raise Untrusted("wrong-token", "this token does not open that claim")
    return _view(claim)


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
    nothing merges. Conflict("claim-decided") where it was rejected or lapsed; confirming again changes
    nothing.
    """
    claim = find_claim(session, claim_id)
    if claim.state != "confirmed":
        local = claim.identity.partition(":")[0] in {"name", "id"}
        _decide(
            session,
            claim,
            state="confirmed",
            assurance="asserted" if local else "verified",
            who=who,
            why=why,
            now=now,
        )
    against = _others_confirmed(session, claim)
    if against:
        _record(
            session,
            claim,
            what="claim-conflict",
            who=who,
            why=f"also confirmed: {', '.join(against)}",
            now=now,
        )
    return _view(claim) | {"conflicts_with": against}


def reject(session: Session, *, claim_id: str, who: str, why: str, now: dt.datetime) -> dict[str, Any]:
    """Say that it is not so, once. Conflict("claim-decided") where it was confirmed."""
    claim = find_claim(session, claim_id)
    if claim.state != "rejected":
        _decide(session, claim, state="rejected", assurance=None, who=who, why=why, now=now)
    return _view(claim)


def _decide(
    session: Session, claim: Claim, *, state: str, assurance: str | None, who: str, why: str, now: dt.datetime
) -> None:
    if claim.state != "pending":
        raise Conflict("claim-decided", f"this claim is {claim.state} already", at=claim.id)
    claim.state, claim.assurance = state, assurance
    claim.decided_at, claim.decided_by, claim.reason = now, who[:100], why[:LONGEST_WHY]
    _record(session, claim, what=f"claim-{state}", who=who, why=why, now=now)
    append.append(
        session, kind=f"claim-{state}", subject=f"claim:{claim.id}", ref=claim.id, leaf=None, now=now
    )


def _record(session: Session, claim: Claim, *, what: str, who: str, why: str, now: dt.datetime) -> None:
    """Once per decision and content: a repeated command adds no second line."""
    said = select(OperatorAct.id).where(OperatorAct.what == what, OperatorAct.subject == claim.id)
    if (
        what == "claim-conflict"
        and session.scalar(said.where(OperatorAct.why == why[:LONGEST_WHY])) is not None
    ):
        return
    session.add(OperatorAct(who=who[:100], what=what, subject=claim.id, why=why[:LONGEST_WHY], at=now))
    session.flush()


def _others_confirmed(session: Session, claim: Claim) -> list[str]:
    """Confirmed claims of the same identity by somebody else, as far as mail addresses tell."""
    others = select(Claim).where(
        Claim.identity == claim.identity, Claim.state == "confirmed", Claim.id != claim.id
    )
    return [
        other.id
        for other in session.scalars(others.order_by(Claim.decided_at, Claim.id))
        if other.email_digest is None or other.email_digest != claim.email_digest
    ]


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
