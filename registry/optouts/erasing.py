"""Forget a person, and go on suppressing: what is left of a wish in force says which pictures, and no more who asked.

In one transaction: a crash before its end leaves everything as it was. Gone for good are the mail address, the keys, the
claims with what was seen of them, the words that were written, and the request with its salt, so that nobody can show any
more what the log's commitment meant. Accounts, sites, links and digests of pictures become keyed digests, by which tomorrow's
datasets are matched. What stays is which rows of which datasets are suppressed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from byline.formats.selectors import fingerprint
from byline.formats.withheld import blinded_makers
from registry.contributors.sealed import ERASED, sealed_host, sealed_maker
from registry.contributors.withheld import item_keys, read_blinds
from registry.models import (
    Answer,
    Claim,
    Job,
    MailSession,
    MailToken,
    Notice,
    OptOut,
    OptOutClaim,
    OptOutScope,
    OptOutSelector,
    Proof,
    Tombstone,
    Watch,
)
from registry.optouts.lapse import forget_unconfirmed
from registry.optouts.meant import ITEM_KINDS, MAKER_KINDS, WITHHELD, maker_key
from registry.optouts.mine import claims_of, opt_outs_of_mail, whose
from registry.optouts.pieces import pieces, select_in
from registry.seal import Seal
from registry.watches.asking import end, watches_of


def erase_mine(session: Session, *, token: str, seal: Seal, now: dt.datetime) -> dict[str, int]:
    """Erase all that stands under the key's mail address, the key as well: `{"claims", "opt_outs", "suppressing"}`.

    `suppressing` of the opt-outs go on; nobody can take them back any more. Untrusted("wrong-token").
    """
    digest = whose(session, token, now)
    found = claims_of(session, digest), opt_outs_of_mail(session, digest), watches_of(session, digest)
    session.execute(delete(MailToken).where(MailToken.email_digest == digest))
    session.execute(delete(MailSession).where(MailSession.email_digest == digest))
    _forget_jobs(session, [digest[:32]])
    return _erase(session, *found, seal=seal, now=now)


def erase_again(session: Session, ids: Collection[str], *, seal: Seal, now: dt.datetime) -> None:
    """What a restored database forgot: these claims, opt-outs and watches were erased. Ids that are unknown here stay so."""
    claims = [one for (one,) in select_in(session, select(Claim), Claim.id, ids)]
    opt_outs = [one for (one,) in select_in(session, select(OptOut), OptOut.id, ids)]
    watches = [one for (one,) in select_in(session, select(Watch), Watch.id, ids)]
    _erase(session, claims, opt_outs, watches, seal=seal, now=now)


def _erase(
    session: Session,
    claims: Sequence[Claim],
    opt_outs: Sequence[OptOut],
    watches: Sequence[Watch],
    *,
    seal: Seal,
    now: dt.datetime,
) -> dict[str, int]:
    by_state = {state: [one.id for one in opt_outs if one.state == state] for state in _STATES}
    ids = {one.id for one in claims} | {one.id for one in opt_outs} | {one.id for one in watches}
    for piece in pieces({one.id for one in opt_outs}):
        _forget_words(session, piece)
        session.execute(delete(OptOutClaim).where(OptOutClaim.opt_out_id.in_(piece)))
    _forget_claims(session, [one.id for one in claims])
    end(session, [one.id for one in watches])
    _forget_jobs(session, ids)
    for piece in pieces(by_state["in-force"]):
        _hide_items(session, seal, piece)
        _hide_identities(session, seal, piece)
        _scrub(session, piece)
    for piece in pieces(by_state["withdrawn"]):
        for table in (OptOutSelector, OptOutScope):
            session.execute(delete(table).where(table.opt_out_id.in_(piece)))
        _scrub(session, piece)
    forget_unconfirmed(session, by_state["awaiting-mail"])
    for one in sorted(ids):  # the ids are random: nobody learns from them who it was
        session.merge(Tombstone(kind=FORGOTTEN, subject=one, made_at=now, kept=False))
    session.flush()
    return {"claims": len(claims), "opt_outs": len(opt_outs), "suppressing": len(by_state["in-force"])}


FORGOTTEN = "forgotten"
_STATES = ("in-force", "withdrawn", "awaiting-mail")


def _forget_words(session: Session, opt_outs: Collection[str]) -> None:
    """What the person wrote when they disagreed; that they did stays."""
    mine = select(Notice.id).where(Notice.opt_out_id.in_(opt_outs))
    session.execute(
        update(Answer).where(Answer.notice_id.in_(mine), Answer.by == "person").values(reason=None)
    )
    said = update(Notice).where(Notice.opt_out_id.in_(opt_outs), Notice.state == "contested")
    session.execute(said.values(reason=None))


def _forget_claims(session: Session, claims: Collection[str]) -> None:
    for piece in pieces(claims):
        session.execute(delete(OptOutClaim).where(OptOutClaim.claim_id.in_(piece)))
        session.execute(delete(Proof).where(Proof.claim_id.in_(piece)))
        session.execute(delete(Claim).where(Claim.id.in_(piece)))


def _forget_jobs(session: Session, keys: Collection[str]) -> None:
    """Links, and whatever waits to be done for these."""
    for piece in pieces(keys):
        session.execute(delete(MailToken).where(MailToken.ref.in_(piece)))
        waiting = delete(Job).where(
            Job.key.in_(piece), Job.kind.in_(("mail", "mine", "prove", "claim", "watch"))
        )
        session.execute(waiting.where(or_(Job.state == "ready", Job.state == "dead")))


def _hide_items(session: Session, seal: Seal, opt_outs: Collection[str]) -> None:
    """The matcher finds them by their fingerprints alone."""
    items = OptOutSelector.kind.in_(ITEM_KINDS) & ~OptOutSelector.value.startswith(ERASED)
    blinds = read_blinds(session)
    for one in session.scalars(
        select(OptOutSelector).where(OptOutSelector.opt_out_id.in_(opt_outs), items)
    ).all():
        for k in item_keys(blinds, one.kind, one.value):
            session.add(_kept(one.opt_out_id, k))
        one.value = ERASED + seal.digest(f"{one.kind}:{one.value}")
    session.flush()


def _hide_identities(session: Session, seal: Seal, opt_outs: Collection[str]) -> None:
    """The matcher finds accounts by their number under the seal, and hosts by what stands in their name's place.

    A listed host's fingerprint is in the feed for all to see, and stays.
    """
    blinds = read_blinds(session)
    named = OptOutSelector.kind.in_((*MAKER_KINDS, "host")) & ~OptOutSelector.value.startswith(ERASED)
    listed = set(session.scalars(select(OptOut.id).where(OptOut.id.in_(opt_outs), OptOut.listed)))
    asked = select(OptOutSelector).where(OptOutSelector.opt_out_id.in_(opt_outs), named)
    for one in session.scalars(asked).all():
        if one.kind == "host":
            for k in item_keys(blinds, one.kind, one.value):
                session.add(_kept(one.opt_out_id, k))
            one.k_beside = fingerprint("h", one.value) if one.opt_out_id in listed else None
            one.k = sealed_host(seal, one.value)
        else:
            key = maker_key(one.kind, one.value) or one.value
            one.k = sealed_maker(seal, key)
            for name in (name for blind in blinds for name in blinded_makers(blind.key, [key])):
                session.add(_erased(one, sealed_maker(seal, name)))
        one.value = f"{ERASED}{one.k:015x}"
    session.flush()


def _erased(one: OptOutSelector, k: int) -> OptOutSelector:
    """The same maker as a version of digests has it."""
    return OptOutSelector(opt_out_id=one.opt_out_id, kind=one.kind, value=f"{ERASED}{k:015x}", k=k)


def _kept(opt_out_id: str, k: int) -> OptOutSelector:
    """An item key in a version whose rows are digests."""
    return OptOutSelector(opt_out_id=opt_out_id, kind=WITHHELD, value=f"{ERASED}{k:015x}", k=k)


def _scrub(session: Session, opt_outs: Collection[str]) -> None:
    gone = {"token_hash": None, "email_sealed": None, "email_digest": None, "salt": b"", "request": None}
    session.execute(update(OptOut).where(OptOut.id.in_(opt_outs)).values(gone))
