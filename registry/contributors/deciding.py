"""How a claim is decided, by a proof, by a mail, or by the operator; and who else says to be the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from byline.errors import Conflict
from registry.jobs import SHORT, enqueue
from registry.models import Claim, Contributor, OperatorAct
from registry.tlog import append

LONGEST_WHY = 1000
# What may follow what. A lapsed claim can be proved again, a disputed one is the operator's to settle.
_FOLLOWS = {
    "pending": {"confirmed", "rejected", "disputed"},
    "confirmed": {"confirmed", "lapsed", "disputed"},
    "lapsed": {"confirmed", "rejected", "disputed"},
    "disputed": {"confirmed", "rejected"},
}


def assurance_of(identity: str) -> str:
    """What a proof makes of an identity: a name in one dataset is nobody's alone."""
    return "asserted" if identity.partition(":")[0] in {"name", "id"} else "verified"


def decide(
    session: Session, claim: Claim, *, state: str, assurance: str | None, who: str, why: str, now: dt.datetime
) -> None:
    """Change a claim's state, say who and why, and have what stands on it follow. Conflict("claim-decided")."""
    if state not in _FOLLOWS.get(claim.state, ()):
        raise Conflict("claim-decided", f"this claim is {claim.state} already", at=claim.id)
    claim.state, claim.assurance = state, assurance
    claim.decided_at, claim.decided_by, claim.reason = now, who[:100], why[:LONGEST_WHY]
    note(session, claim, what=f"claim-{state}", who=who, why=why, now=now)
    append.append(
        session, kind=f"claim-{state}", subject=f"claim:{claim.id}", ref=claim.id, leaf=None, now=now
    )
    enqueue(session, lane=SHORT, kind="claim", key=claim.id, payload={"claim": claim.id}, now=now)


def rivals(session: Session, claim: Claim) -> list[Claim]:
    """Confirmed claims of the same identity, or of a handle that is one with it, by somebody else.

    As far as mail addresses tell. Every claim of it is locked until the transaction ends: of two that are
    proved at once the second sees the first.
    """
    statement = select(Claim).where(Claim.identity.in_(one_with(session, claim.identity)))
    locked = session.scalars(
        statement.order_by(Claim.id).with_for_update().execution_options(populate_existing=True)
    )
    return [
        other
        for other in locked
        if other.id != claim.id
        and other.state == "confirmed"
        and other.assurance == claim_weight(claim)
        and (other.email_digest is None or other.email_digest != claim.email_digest)
    ]


def claim_weight(claim: Claim) -> str:
    """The assurance that a claim is after: only the same weight is a rival."""
    return assurance_of(claim.identity)


def note_conflict(
    session: Session, claim: Claim, against: Collection[str], *, who: str, now: dt.datetime
) -> None:
    """Tell the operator, once for the same."""
    why = f"also confirmed: {', '.join(sorted(against))}"[:LONGEST_WHY]
    said = select(OperatorAct.id).where(
        OperatorAct.what == "claim-conflict", OperatorAct.subject == claim.id, OperatorAct.why == why
    )
    if session.scalar(said) is None:
        note(session, claim, what="claim-conflict", who=who, why=why, now=now)


def note(session: Session, claim: Claim, *, what: str, who: str, why: str, now: dt.datetime) -> None:
    """A line in the audit trail."""
    session.add(OperatorAct(who=who[:100], what=what, subject=claim.id, why=why[:LONGEST_WHY], at=now))
    session.flush()


def one_with(session: Session, identity: str) -> list[str]:
    """An identity, and every handle that is linked with it."""
    root = select(Contributor.root_id).where(Contributor.key == identity).scalar_subquery()
    return [identity, *session.scalars(select(Contributor.key).where(Contributor.root_id == root))]
