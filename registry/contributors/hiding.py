"""Hide from name search, and be found again: by who proved to be it. Exact look-ups still answer, so an opt-out works."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session, aliased

from byline.errors import Conflict
from byline.formats.selectors import contributor_kind, public_id
from registry.contributors.assertion import BY_MAIL
from registry.contributors.deciding import LONGEST_WHY, one_with
from registry.contributors.sealed import seal_of, sealed_maker
from registry.models import Claim, Contributor, OperatorAct, Tombstone
from registry.tlog.append import append


@dataclass(frozen=True)
class Decided:
    """Which operator, and why: kept for good."""

    who: str
    why: str


def may_hide(claim: Claim) -> bool:
    """Confirmed by its line or by the operator: a mail address alone hides nobody. A host is no maker."""
    return (
        claim.state == "confirmed" and claim.decided_by != BY_MAIL and not claim.identity.startswith("host:")
    )


def set_hidden(session: Session, claims: Iterable[Claim], *, hidden: bool, now: dt.datetime) -> list[str]:
    """Hide the makers of these claims, or show them again; the identities it was done for.

    It holds in this transaction: search asks the table. Who stands in no dataset yet is kept as hidden, for tomorrow's.
    Conflict("not-proved") where none of the claims may.
    """
    keys = sorted({one.identity for one in claims if may_hide(one)})
    if not keys:
        raise Conflict(
            "not-proved", "show first that it is you: by the line in your profile, or the operator's word"
        )
    for key in keys:
        _set(session, key, hidden=hidden, now=now)
    return keys


def hide_account(session: Session, key: str, *, hidden: bool, by: Decided, now: dt.datetime) -> int:
    """The operator hides a maker, with every handle that is one with it, or shows it again: how many handles changed.

    The trail names the maker's public id. Who stands in no dataset yet is kept as hidden.
    """
    keys = set(one_with(session, key))
    standing = set(
        session.scalars(select(Contributor.key).where(Contributor.key.in_(keys), Contributor.hidden))
    )
    changed = keys - standing if hidden else standing
    for one in sorted(changed):
        _set(session, one, hidden=hidden, now=now)
    what = "maker-hide" if hidden else "maker-show"
    session.add(
        OperatorAct(who=by.who[:100], what=what, subject=public_id(key), why=by.why[:LONGEST_WHY], at=now)
    )
    session.flush()
    return len(changed)


def _set(session: Session, key: str, *, hidden: bool, now: dt.datetime) -> None:
    one = session.scalar(select(Contributor).where(Contributor.key == key))
    if one is None:
        if not hidden:
            return
        one = new_contributor(session, key)
    _mark(session, one, hidden=hidden, now=now)


def hide_again(session: Session, public_id: str, *, hidden: bool, now: dt.datetime) -> None:
    """What a restored database forgot: this maker was hidden, or shown again. One that is unknown here stays unknown."""
    one = session.scalar(select(Contributor).where(Contributor.public_id == public_id))
    if one is not None:
        _mark(session, one, hidden=hidden, now=now)


def hide_newcomers(session: Session, keys: Collection[str]) -> None:
    """Makers that come into the tables with a new dataset, and were hidden in ones that are lost."""
    later = aliased(Tombstone)
    shown = exists().where(
        later.kind == "shown", later.subject == Tombstone.subject, later.made_at > Tombstone.made_at
    )
    hidden = select(Tombstone.subject).where(Tombstone.kind == "hidden", ~shown)
    new = update(Contributor).where(Contributor.key.in_(keys), Contributor.public_id.in_(hidden))
    session.execute(new.values(hidden=True), execution_options={"synchronize_session": False})


def _mark(session: Session, one: Contributor, *, hidden: bool, now: dt.datetime) -> None:
    if one.hidden != hidden:
        one.hidden = hidden
        kind = "hidden" if hidden else "shown"
        append(session, kind=kind, subject="contributor", ref=one.public_id, leaf=None, now=now)
        session.merge(Tombstone(kind=kind, subject=one.public_id, made_at=now, kept=False))


def new_contributor(session: Session, key: str) -> Contributor:
    """A handle that stands in no dataset yet, as the registry would write it for its first."""
    kind, platform = contributor_kind(key)
    local = kind in ("id", "name")
    one = Contributor(
        key=key, public_id=public_id(key), kind=kind, platform=platform,
        handle=key.split(":", 2 if local else 1)[-1], dataset_id=None, root_id=0, hidden=False,
        sealed=sealed_maker(seal_of(session), key),
    )  # fmt: skip
    session.add(one)
    session.flush()
    session.execute(update(Contributor).where(Contributor.id == one.id).values(root_id=one.id))
    return one
