"""A claim is proved by its line: looked for on request, again on schedule; a line that is gone lapses in sight.

Looking takes seconds and holds no transaction. What was asked by who once proved it stays asked: a lapsed
claim makes no new opt-outs, and unmakes none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from byline.errors import Conflict, Refused, Unavailable
from registry.contributors.claim import claim_view, find_claim
from registry.contributors.deciding import assurance_of, decide, note_conflict, rivals
from registry.contributors.looking import FOUND, MISSING, UNREACHABLE, Seen, look
from registry.contributors.places import line_in, places_of, proof_address
from registry.database import Sessions, transaction
from registry.egress import Egress
from registry.jobs import OUT, enqueue
from registry.models import Claim, Proof

BY_PROOF = "proof"
AGAIN = dt.timedelta(seconds=10)
RECHECK = dt.timedelta(days=30)
SOON = dt.timedelta(days=1)
GRACE = dt.timedelta(days=14)
AT_ONCE = 100
Now = Callable[[], dt.datetime]


def ask_proof(
    session: Session, *, claim_id: str, token: str, photo: str | None, now: dt.datetime
) -> dict[str, Any]:
    """Have a claim's line looked for, soon; the claim as `claim_view` gives it.

    Untrusted("wrong-token"), NotFound("no-such-claim"), Conflict("claim-decided") where it was rejected,
    Refused("no-place-for-a-line", "no-such-page"), Unavailable("checked-just-now").
    """
    claim_view(session, claim_id=claim_id, token=token)
    claim = find_claim(session, claim_id)
    if claim.state == "rejected":
        raise Conflict("claim-decided", "this claim was rejected; make another one", at=claim.id)
    if not places_of(claim.identity, photo=photo):
        raise Refused(
            "no-place-for-a-line",
            "no page of this identity carries its owner's words alone; confirm by mail instead (asserted)",
            at="identity",
        )
    if claim.checked_at is not None and now - claim.checked_at < AGAIN:
        raise Unavailable("checked-just-now", "it was looked for just now; try again", retry_after=10)
    _enqueue(session, claim, photo, now)
    return claim_view(session, claim_id=claim_id, token=token)


def check(
    sessions: Sessions, *, egress: Egress, public_url: str, claim_id: str, photo: str | None, now: Now
) -> None:
    """Look at every place of a claim, and write down what was seen. May be repeated."""
    with sessions() as session:
        claim = session.get(Claim, claim_id)
        if claim is None or claim.state == "rejected":
            return
        identity, proof = claim.identity, claim.proof
    seen = [look(egress, place, identity=identity) for place in places_of(identity, photo=photo)]
    found = [one for one in seen if is_proved(one, proof, public_url)]
    with transaction(sessions) as session:
        keep(session, claim_id=claim_id, seen=seen, found=found, now=now())


def keep(
    session: Session, *, claim_id: str, seen: Sequence[Seen], found: Sequence[Seen], now: dt.datetime
) -> None:
    """Write what was seen, and what follows for the claim."""
    claim = find_claim(session, claim_id)
    for one in seen:
        _keep_seen(session, claim, one, found=one in found, now=now)
    claim.checked_at = now
    if found:
        _proved(session, claim, found, now)
    elif claim.decided_by == BY_PROOF:
        _not_seen(session, claim, answered=all(one.answered for one in seen), now=now)


def recheck(session: Session, *, now: dt.datetime) -> bool:
    """Ask for another look at each claim that is due. True where any was."""
    due = select(Claim).where(Claim.check_at <= now).order_by(Claim.check_at).limit(AT_ONCE)
    claims = session.scalars(due).all()
    for claim in claims:
        photo = session.get(Proof, (claim.id, "photo"))
        at = photo.place.rstrip("/").rpartition("/")[2] if photo is not None else None
        _enqueue(session, claim, at, now)
        claim.check_at = now + SOON
    return bool(claims)


def is_proved(seen: Seen, proof: str, public_url: str) -> bool:
    """Whether the line stands there, or a `rel=me` link to its address."""
    return line_in(seen.texts, proof) or proof_address(public_url, proof) in seen.links


def _proved(session: Session, claim: Claim, found: Sequence[Seen], now: dt.datetime) -> None:
    claim.missing_since, claim.check_at = None, now + RECHECK
    if claim.state == "confirmed" and claim.assurance == "verified":
        return
    against = [
        one
        for one in rivals(session, claim)
        if not any(line_in(seen.texts, one.proof) for seen in found)  # whoever wrote both lines owns both
    ]
    if against and claim.state != "disputed":
        decide(session, claim, state="disputed", assurance=None, who=BY_PROOF, why=_where(found), now=now)
    if against:
        note_conflict(session, claim, [one.id for one in against], who=BY_PROOF, now=now)
        return
    assurance = assurance_of(claim.identity)
    decide(session, claim, state="confirmed", assurance=assurance, who=BY_PROOF, why=_where(found), now=now)


def _not_seen(session: Session, claim: Claim, *, answered: bool, now: dt.datetime) -> None:
    """Gone for two weeks, each place answering, is gone; who cannot be reached may come back."""
    claim.check_at = now + SOON
    if not answered or claim.state != "confirmed":
        return
    claim.missing_since = claim.missing_since or now
    if now - claim.missing_since >= GRACE:
        claim.check_at = None
        decide(
            session, claim, state="lapsed", assurance=claim.assurance, who=BY_PROOF,
            why="the line is no longer there", now=now,
        )  # fmt: skip


def _keep_seen(session: Session, claim: Claim, one: Seen, *, found: bool, now: dt.datetime) -> None:
    row = session.get(Proof, (claim.id, one.place.how))
    if row is None:
        row = Proof(claim_id=claim.id, how=one.place.how)
        session.add(row)
    row.place, row.saw, row.checked_at = one.place.address, one.said[:300], now
    row.state = FOUND if found else MISSING if one.answered else UNREACHABLE
    row.seen_at = now if found else row.seen_at


def _enqueue(session: Session, claim: Claim, photo: str | None, now: dt.datetime) -> None:
    enqueue(
        session, lane=OUT, kind="prove", key=claim.id, payload={"claim": claim.id, "photo": photo}, now=now
    )


def _where(found: Sequence[Seen]) -> str:
    return "; ".join(f"{seen.place.how}: {seen.place.address}" for seen in found)
