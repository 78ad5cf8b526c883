"""Makers as answers show them: who, how much, and what each dataset's publisher discloses."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import Session

from byline.formats.platforms import BY_NAME
from registry.contributors.people import Person, read_people, shared_rows
from registry.contributors.visible import named
from registry.models import Contributor, ContributorCount, Dataset, Manifest, Publisher

MOST_SAMPLES = 5


@dataclass
class _Holding:
    """What one version holds of one root."""

    manifest: Manifest
    dataset: Dataset
    publisher: Publisher
    counts: list[ContributorCount] = field(default_factory=list)

    @property
    def age(self) -> tuple[float, int]:
        published_at = self.manifest.published_at
        return (published_at.timestamp() if published_at else 0.0, self.manifest.id)


def describe(
    session: Session, roots: Collection[int], *, hidden_too: bool = False
) -> dict[int, dict[str, Any]]:
    """Give `{"contributor", "records", "datasets"}` of each root that may be shown by name.

    Of each dataset the newest published version that holds the maker; a version they are no longer in does
    not hide the older one, which is still about in the world.
    """
    people = {
        root: person
        for root, person in read_people(session, roots).items()
        if hidden_too or not person.hidden
    }
    holdings = _holdings(session, people)
    twice = shared_rows(session, people)
    shown: dict[int, dict[str, Any]] = {}
    for root, person in people.items():
        datasets = [_dataset(held, twice.get((root, held.manifest.id), 0)) for held in holdings[root]]
        datasets.sort(key=lambda entry: (-entry["records"], entry["dataset"]))
        if datasets:
            records = sum(entry["records"] for entry in datasets)
            shown[root] = {"contributor": contributor_dict(person), "records": records, "datasets": datasets}
    return shown


def contributor_dict(person: Person) -> dict[str, Any]:
    """Give a maker's identity; `display_name` is the name most used."""
    root = next(member for member in person.members if member.id == person.root)
    return {
        "id": root.public_id,
        "key": root.key,
        "display_name": person.shown_as,
        "platform": root.platform,
        "platform_id": root.handle if root.platform else None,
        "profile_url": profile_url(root),
        "names": list(person.known_as),
    }


def profile_url(contributor: Contributor) -> str | None:
    """Give the maker's own page where one is known; never fetched by us."""
    if contributor.kind == "web":
        return f"https://{contributor.handle}"
    platform = BY_NAME.get(contributor.platform or "")
    if platform is None or platform.profile is None:
        return None
    return platform.profile.format(quote(contributor.handle.removeprefix(platform.sigil), safe="@:_-."))


def _holdings(session: Session, people: dict[int, Person]) -> defaultdict[int, list[_Holding]]:
    """Of each root and dataset the newest version with records of theirs."""
    statement = (
        select(Contributor.root_id, ContributorCount, Manifest, Dataset, Publisher)
        .join(ContributorCount, ContributorCount.contributor_id == Contributor.id)
        .join(Manifest, Manifest.id == ContributorCount.manifest_id)
        .join(Dataset, Dataset.id == Manifest.dataset_id)
        .join(Publisher, Publisher.id == Dataset.publisher_id)
        .where(Contributor.root_id.in_(list(people)), named())
    )
    held: dict[tuple[int, int], _Holding] = {}
    for root, count, manifest, dataset, publisher in session.execute(statement):
        held.setdefault((root, manifest.id), _Holding(manifest, dataset, publisher)).counts.append(count)
    newest: dict[tuple[int, int], _Holding] = {}
    for (root, _), holding in held.items():
        at = (root, holding.dataset.id)
        newest[at] = max(newest.get(at, holding), holding, key=lambda each: each.age)
    found: defaultdict[int, list[_Holding]] = defaultdict(list)
    for (root, _), holding in newest.items():
        found[root].append(holding)
    return found


def _dataset(held: _Holding, twice: int) -> dict[str, Any]:
    counts = sorted(held.counts, key=lambda count: (-count.records, count.contributor_id))
    samples = [sample for count in counts for sample in count.samples]
    return {
        "dataset": f"{held.publisher.slug}/{held.dataset.name}",
        "version": held.manifest.version,
        "role": held.manifest.role,
        "publisher_status": held.publisher.status,
        "records": sum(count.records for count in counts) - twice,
        "licenses": _licenses(counts, twice),
        "annotations": held.manifest.annotations,
        "purposes": held.manifest.purposes,
        "access": held.manifest.access,
        "samples": [sample for at, sample in enumerate(samples) if sample not in samples[:at]][:MOST_SAMPLES],
    }


def _licenses(counts: list[ContributorCount], twice: int) -> dict[str, int]:
    """Licences of all handles; rows that show two of them are counted with the first, as far as they go."""
    total: Counter[str] = Counter()
    for at, count in enumerate(counts):
        held = Counter({name: int(number) for name, number in count.licenses.items()})
        if at and twice:
            held, twice = _without(held, total, twice)
        total.update(held)
    return dict(sorted(total.items(), key=lambda pair: (-pair[1], pair[0])))


def _without(held: Counter[str], before: Counter[str], twice: int) -> tuple[Counter[str], int]:
    left = Counter(held)
    for name, number in held.most_common():
        taken = min(number, before[name], twice)
        left[name] -= taken
        twice -= taken
    return +left, twice
