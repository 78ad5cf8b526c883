"""Who may see and act on an opt-out: who holds its token, or the token of any claim it stands on."""

from __future__ import annotations

import hashlib
import hmac

from sqlalchemy import select
from sqlalchemy.orm import Session

from byline.errors import NotFound, Untrusted
from registry.models import Claim, OptOut, OptOutClaim


def token_hash(token: str) -> str:
    """What is kept of a secret: SHA-256, in hex. A token is 256 random bits, so its digest tells nothing."""
    return hashlib.sha256(token.encode()).hexdigest()


def find_opt_out(session: Session, opt_out_id: str) -> OptOut:
    """NotFound("no-such-opt-out")."""
    found = session.get(OptOut, opt_out_id)
    if found is None:
        raise NotFound("no-such-opt-out", "there is no opt-out of that id")
    return found


def require_token(session: Session, opt_out: OptOut, token: str) -> None:
    """Untrusted("wrong-token") unless it is the opt-out's own or that of one of its claims."""
    claims = select(Claim.token_hash).join(OptOutClaim, OptOutClaim.claim_id == Claim.id)
    good = [*session.scalars(claims.where(OptOutClaim.opt_out_id == opt_out.id)), opt_out.token_hash]
    offered = token_hash(token)
    if not any([one is not None and hmac.compare_digest(one, offered) for one in good]):  # noqa: C419 - look at all of them
        raise Untrusted("wrong-token", "this token does not open that opt-out")


def require_claim(session: Session, claim_id: str, token: str) -> Claim:
    """The claim, or Untrusted("wrong-token"), also where there is none of that id."""
    claim = session.get(Claim, claim_id)
    if claim is None or not hmac.compare_digest(claim.token_hash, token_hash(token)):
        raise Untrusted("wrong-token", "this token does not open that claim", at="claims")
    return claim
