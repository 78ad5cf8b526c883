"""Makers as answers show them: who, how much, and what each dataset's publisher discloses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any
from urllib.parse import quote

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from byline.formats.platforms import BY_NAME
from registry.contributors.people import Held, Member, Person, Version, flushed, read_people
from registry.models import Contributor, Dataset, Manifest, Publisher

MOST_SAMPLES = 5


def describe(session: Session, roots: Collection[int]) -> dict[int, dict[str, Any]]:
    """As `described`, of these roots."""
    return described(session, read_people(session, roots))


def described(
    session: Session, found: dict[int, Person], *, hidden_too: bool = False
) -> dict[int, dict[str, Any]]:
    """Give `{"contributor", "records", "datasets"}` of each root that may be shown by name.

    Of each dataset the newest published version that holds the maker; a version they are no longer in does
    not hide the older one, which is still about in the world.
    """
    people = {
        root: person for root, person in found.items() if person.held and (hidden_too or not person.hidden)
    }
    labels = _labels(session, {version.id for person in people.values() for version in person.newest()})
    shown: dict[int, dict[str, Any]] = {}
    for root, person in people.items():
        datasets = [_dataset(person, version, labels[version.id]) for version in person.newest()]
        datasets.sort(key=lambda entry: (-entry["records"], entry["dataset"]))
        shown[root] = {
            "contributor": contributor_dict(person),
            "records": person.records,
            "datasets": datasets,
        }
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


def profile_url(contributor: Contributor | Member) -> str | None:
    """Give the maker's own page where one is known; never fetched by us."""
    if contributor.kind == "web":
        return f"https://{contributor.handle}"
    platform = BY_NAME.get(contributor.platform or "")
    if platform is None or platform.profile is None:
        return None
    return platform.profile.format(quote(contributor.handle.removeprefix(platform.sigil), safe="@:_-."))


_LABELS = (
    select(
        Manifest.id, Publisher.slug, Dataset.name, Manifest.version, Manifest.role, Publisher.status,
        Manifest.annotations, Manifest.purposes, Manifest.access,
    )
    .join(Dataset, Dataset.id == Manifest.dataset_id)
    .join(Publisher, Publisher.id == Dataset.publisher_id)
    .where(Manifest.id.in_(bindparam("manifests", expanding=True)))
)  # fmt: skip


def _labels(session: Session, ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """What a publisher says of each of these versions."""
    return {
        row.id: {
            "dataset": f"{row.slug}/{row.name}",
            "version": row.version,
            "role": row.role,
            "publisher_status": row.status,
            "annotations": row.annotations,
            "purposes": row.purposes,
            "access": row.access,
        }
        for row in flushed(session).execute(_LABELS, {"manifests": list(ids)})
    }


def _dataset(person: Person, version: Version, label: dict[str, Any]) -> dict[str, Any]:
    counts = sorted(person.held[version], key=lambda count: (-count.records, count.contributor_id))
    samples = [sample for count in counts for sample in count.samples]
    return label | {
        "records": person.records_in(version),
        "licenses": _licenses(counts, person.twice.get(version.id, 0)),
        "samples": [sample for at, sample in enumerate(samples) if sample not in samples[:at]][:MOST_SAMPLES],
    }


def _licenses(counts: list[Held], twice: int) -> dict[str, int]:
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
