"""What name search knows of a maker: names, handles, and how much there is, over every published manifest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from registry.contributors.visible import named
from registry.models import AliasLink, Contributor, ContributorCount, ContributorName, Dataset, Manifest

MOST_NAMES = 50  # of one maker; the ones with the most records
_KIND_ORDER = ("alias", "number", "web", "id", "name")


@dataclass
class Person:
    """One root and what is linked to it; `records` of the newest version of each dataset with them."""

    root: int
    members: list[Contributor] = field(default_factory=list)
    names: list[tuple[str, int]] = field(default_factory=list)
    records: int = 0

    @property
    def hidden(self) -> bool:
        """Whether one of its handles was hidden by its owner."""
        return any(member.hidden for member in self.members)

    @property
    def public_id(self) -> str:
        """The root's."""
        return next(member.public_id for member in self.members if member.id == self.root)

    @property
    def handles(self) -> tuple[str, ...]:
        """Handles that say something by themselves, `name:` being a name already."""
        return tuple(member.handle for member in self.members if member.kind != "name")

    @property
    def known_as(self) -> tuple[str, ...]:
        """Names, the most used first."""
        own = [(member.handle, 0) for member in self.members if member.kind == "name"]
        ordered = sorted([*self.names, *own], key=lambda pair: (-pair[1], pair[0]))
        return tuple(dict.fromkeys(name for name, _ in ordered))[:MOST_NAMES]

    @property
    def shown_as(self) -> str:
        """The most used name, else the handle that says most."""
        by_kind = sorted(self.members, key=lambda member: _KIND_ORDER.index(member.kind))
        return next(iter(self.known_as), None) or by_kind[0].handle


def read_people(session: Session, roots: Collection[int]) -> dict[int, Person]:
    """Read these roots, in four statements; one without a published record has `records` 0."""
    people = {root: Person(root) for root in roots}
    root_of: dict[int, int] = {}
    for member in session.scalars(
        select(Contributor).where(Contributor.root_id.in_(list(people))).order_by(Contributor.id)
    ):
        people[member.root_id].members.append(member)
        root_of[member.id] = member.root_id
    for contributor, name, records in _names(session, root_of):
        people[root_of[contributor]].names.append((name, records))
    for root, records in records_of(session, people).items():
        people[root].records = records
    return {root: person for root, person in people.items() if person.members}


def shared_rows(session: Session, roots: Collection[int]) -> dict[tuple[int, int | None], int]:
    """Rows that two handles of one root both count, by (root, manifest): to be taken off the sum."""
    number = aliased(Contributor)
    statement = (
        select(Contributor.root_id, AliasLink.manifest_id, func.sum(AliasLink.records))
        .join(Contributor, Contributor.id == AliasLink.alias_id)
        .join(number, number.id == AliasLink.number_id)
        .where(Contributor.root_id.in_(list(roots)), AliasLink.how == "record")
        .where(Contributor.root_id == number.root_id)
        .group_by(Contributor.root_id, AliasLink.manifest_id)
    )
    return {(row[0], row[1]): int(row[2]) for row in session.execute(statement)}


def _names(session: Session, ids: Collection[int]) -> list[tuple[int, str, int]]:
    statement = (
        select(ContributorName.contributor_id, ContributorName.name, func.sum(ContributorName.records))
        .join(Manifest, Manifest.id == ContributorName.manifest_id)
        .join(Dataset, Dataset.id == Manifest.dataset_id)
        .where(ContributorName.contributor_id.in_(list(ids)), named())
        .group_by(ContributorName.contributor_id, ContributorName.name)
    )
    return [(row[0], row[1], int(row[2])) for row in session.execute(statement)]


def records_of(session: Session, roots: Collection[int]) -> dict[int, int]:
    """Records of each root that has any: of each dataset, those of the newest version that holds it."""
    held: defaultdict[tuple[int, int], dict[tuple[float, int], int]] = defaultdict(dict)
    statement = (
        select(
            Contributor.root_id,
            Manifest.dataset_id,
            Manifest.id,
            Manifest.published_at,
            func.sum(ContributorCount.records),
        )
        .join(Contributor, Contributor.id == ContributorCount.contributor_id)
        .join(Manifest, Manifest.id == ContributorCount.manifest_id)
        .join(Dataset, Dataset.id == Manifest.dataset_id)
        .where(Contributor.root_id.in_(list(roots)), named())
        .group_by(Contributor.root_id, Manifest.dataset_id, Manifest.id, Manifest.published_at)
    )
    for root, dataset, manifest, published_at, records in session.execute(statement):
        age = (published_at.timestamp() if published_at else 0.0, manifest)
        held[root, dataset][age] = int(records)
    twice = shared_rows(session, roots)
    sums: defaultdict[int, int] = defaultdict(int)
    for (root, _), versions in held.items():
        newest = max(versions)
        sums[root] += versions[newest] - twice.get((root, newest[1]), 0)
    return sums
