"""Opt-outs follow the claims they stand on: proved later, they count for more from then on."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from registry.models import Claim, OptOut, OptOutClaim
from registry.optouts.match import ask

_STANDING = frozenset({"confirmed", "lapsed"})  # who proved it once proved it


def follow_claim(session: Session, *, claim_id: str, now: dt.datetime) -> None:
    """Give every opt-out that stands on a claim the assurance its claims have now; match what changed again."""
    joined = select(OptOut).join(OptOutClaim, OptOutClaim.opt_out_id == OptOut.id)
    for opt_out in session.scalars(joined.where(OptOutClaim.claim_id == claim_id)):
        assurance = _assurance(session, opt_out.id)
        if opt_out.assurance != assurance:
            opt_out.assurance = assurance
            if opt_out.state == "in-force":
                ask(session, now=now, opt_out=opt_out.id)


def _assurance(session: Session, opt_out_id: str) -> str:
    columns = select(Claim.state, Claim.assurance).join(OptOutClaim, OptOutClaim.claim_id == Claim.id)
    claims = session.execute(columns.where(OptOutClaim.opt_out_id == opt_out_id)).all()
    proved = all(one.state in _STANDING and one.assurance == "verified" for one in claims)
    return "verified" if proved else "asserted"
