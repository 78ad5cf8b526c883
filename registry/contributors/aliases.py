"""Which handles are one maker. Links are evidence with a source; whose counts is decided here.

An alias belongs to the number that counting sources link it to. Two numbers are a conflict: it merges with
none, and the operator sees it. Numbers never merge with one another, nor names with anything (design
section 5).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select, true, update
from sqlalchemy.orm import Session

from registry.contributors.visible import pieces, select_in
from registry.models import AliasLink, Claim, Contributor, Dataset, Manifest, Publisher

# From the entry in the log on; what was retracted goes on protecting until the operator voids it.
COUNTING_STATES = ("logged", "published", "retracted")


def recompute_roots(session: Session, contributor_ids: Collection[int]) -> set[int]:
    """Decide again for these contributors and all that are linked with them; give the ids whose root changed.

    The answer depends on the links that count now and on nothing else: repeating it changes nothing.
    """
    changed: set[int] = set()
    for some in pieces(contributor_ids, 500):
        for aliases in pieces(_aliases_near(session, some), 500):
            changed |= _settle(session, aliases)
    return changed


def recompute_for_publisher(session: Session, publisher_id: int) -> set[int]:
    """Decide again wherever this publisher's manifests link something: after it was approved or suspended."""
    manifests = select(Manifest.id).join(Dataset).where(Dataset.publisher_id == publisher_id)
    return _recompute_where(session, _of_manifests(manifests))


def recompute_for_manifest(session: Session, manifest_id: int) -> set[int]:
    """Decide again wherever this manifest links something: after it was logged, retracted or voided."""
    return _recompute_where(session, _of_manifests(select(Manifest.id).where(Manifest.id == manifest_id)))


def recompute_everyone(session: Session) -> None:
    """Decide again for all, from nothing but the links that count."""
    session.execute(update(Contributor).values(root_id=Contributor.id))
    _recompute_where(session, true())


def conflicts(session: Session) -> list[dict[str, Any]]:
    """Say what contradicts: aliases with two numbers, identities proved by two people. For the operator."""
    return [*_split_aliases(session), *_disputed_claims(session)]


def _of_manifests(manifests: Any) -> ColumnElement[bool]:
    return or_(AliasLink.manifest_id.in_(manifests), AliasLink.other_manifest_id.in_(manifests))


def _recompute_where(session: Session, condition: ColumnElement[bool]) -> set[int]:
    linked = set(session.scalars(select(AliasLink.alias_id).where(condition).distinct()))
    return recompute_roots(session, linked)


def _aliases_near(session: Session, contributor_ids: list[int]) -> set[int]:
    links = select(AliasLink.alias_id).where(
        or_(AliasLink.alias_id.in_(contributor_ids), AliasLink.number_id.in_(contributor_ids))
    )
    return set(session.scalars(links))


def _settle(session: Session, aliases: list[int]) -> set[int]:
    numbers: defaultdict[int, set[int]] = defaultdict(set)
    for alias_id, number_id in session.execute(
        select(AliasLink.alias_id, AliasLink.number_id)
        .where(AliasLink.alias_id.in_(aliases), _counts())
        .distinct()
    ):
        numbers[alias_id].add(number_id)
    standing = select(Contributor.id, Contributor.root_id).where(Contributor.id.in_(aliases))
    rows = session.execute(standing).all()
    fresh = {
        alias_id: next(iter(numbers[alias_id])) if len(numbers[alias_id]) == 1 else alias_id
        for alias_id, _ in rows
    }
    moved = [{"of": alias, "root": fresh[alias]} for alias, root in rows if fresh[alias] != root]
    if moved:
        table = Contributor.__table__
        statement = update(Contributor.__table__).where(table.c.id == bindparam("of"))  # type: ignore[arg-type]
        session.connection().execute(statement.values(root_id=bindparam("root")), moved)
        _forget_loaded(session, {row["of"] for row in moved})
    return {row["of"] for row in moved}


def _forget_loaded(session: Session, ids: set[int]) -> None:
    """What the session holds of these rows is out of date: the update went round it."""
    for held in list(session.identity_map.values()):
        if isinstance(held, Contributor) and held.id in ids:
            session.expire(held, ["root_id"])


def _counts() -> ColumnElement[bool]:
    """A proof counts; a link counts where every manifest it stands on counts."""
    counting = (
        select(Manifest.id)
        .join(Dataset, Dataset.id == Manifest.dataset_id)
        .join(Publisher, Publisher.id == Dataset.publisher_id)
        .where(
            Manifest.state.in_(COUNTING_STATES), Publisher.approved.is_(True), Publisher.suspended.is_(False)
        )
        .scalar_subquery()
    )
    stands = AliasLink.manifest_id.in_(counting)
    both = or_(AliasLink.other_manifest_id.is_(None), AliasLink.other_manifest_id.in_(counting))
    return or_(AliasLink.how == "proof", and_(stands, both))


def _split_aliases(session: Session) -> Iterator[dict[str, Any]]:
    split = (
        select(AliasLink.alias_id)
        .where(_counts())
        .group_by(AliasLink.alias_id)
        .having(func.count(AliasLink.number_id.distinct()) > 1)
        .order_by(AliasLink.alias_id)
    )
    links = session.scalars(
        select(AliasLink).where(AliasLink.alias_id.in_(split.scalar_subquery()), _counts())
    ).all()
    keys = _keys(session, {link.alias_id for link in links} | {link.number_id for link in links})
    labels = _labels(session, {found for link in links for found in _manifests_of(link)})
    grouped: defaultdict[int, defaultdict[int, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for link in sorted(links, key=lambda link: (link.alias_id, keys[link.number_id], link.source)):
        source = {"how": link.how, "versions": [labels[found] for found in _manifests_of(link)]}
        grouped[link.alias_id][link.number_id].append(source)
    for alias_id, numbers in grouped.items():
        yield {
            "kind": "alias-with-two-numbers",
            "alias": keys[alias_id],
            "numbers": [{"number": keys[number], "sources": sources} for number, sources in numbers.items()],
        }


def _disputed_claims(session: Session) -> Iterator[dict[str, Any]]:
    disputed = (
        select(Claim.identity)
        .where(Claim.state == "confirmed", Claim.email_digest.is_not(None))
        .group_by(Claim.identity)
        .having(func.count(Claim.email_digest.distinct()) > 1)
        .order_by(Claim.identity)
    )
    for identity in session.scalars(disputed):
        confirmed = select(Claim.id).where(Claim.identity == identity, Claim.state == "confirmed")
        claims = session.scalars(confirmed.order_by(Claim.decided_at, Claim.id)).all()
        yield {"kind": "identity-claimed-twice", "identity": identity, "claims": list(claims)}


def _manifests_of(link: AliasLink) -> list[int]:
    return [found for found in (link.manifest_id, link.other_manifest_id) if found is not None]


def _keys(session: Session, ids: set[int]) -> dict[int, str]:
    return {
        row.id: row.key
        for row in select_in(session, select(Contributor.id, Contributor.key), Contributor.id, ids)
    }


def _labels(session: Session, ids: set[int]) -> dict[int, str]:
    statement = (
        select(Manifest.id, Manifest.version, Dataset.name, Publisher.slug)
        .join(Dataset, Dataset.id == Manifest.dataset_id)
        .join(Publisher, Publisher.id == Dataset.publisher_id)
    )
    return {
        row.id: f"{row.slug}/{row.name}@{row.version}"
        for row in select_in(session, statement, Manifest.id, ids)
    }
