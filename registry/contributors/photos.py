"""Through the photo: rows that name nobody, of a photo that another dataset attributes to the maker."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from byline.formats.selectors import fingerprints
from registry.contributors.people import Member
from registry.contributors.visible import published
from registry.contributors.withheld import Blind, photo_keys
from registry.models import ContributorCount, Dataset, Manifest, Publisher
from registry.storage import ObjectStore, item_index
from registry.storage.record_index import read_entries

# Of one maker's so many are looked for elsewhere: enough to say yes; without them nothing says no.
MOST_PHOTOS = 5_000
MOST_DIGESTS = 100_000  # made for one question, over all versions whose rows are digests: 0.1 s


def via_photo(
    session: Session, store: ObjectStore, items: Engine, members: Sequence[Member]
) -> dict[int, set[int]]:
    """Positions by manifest, in every manifest whatever its state, that show a photo of theirs.

    Only approved publishers' attributions are believed about others' rows (design section 5).
    """
    photos = _photos(session, store, members)
    if not len(photos):
        return {}
    shown = item_index.find(items, fingerprints("photo", photos))
    places: defaultdict[int, set[int]] = defaultdict(set)
    for manifest, position in zip(
        shown["manifest_id"].to_pylist(), shown["position"].to_pylist(), strict=True
    ):
        places[manifest].add(position)
    return places


def withheld_photos(
    session: Session, store: ObjectStore, blinds: Sequence[Blind], members: Sequence[Member]
) -> set[int]:
    """The item keys that withheld rows of their photos have; of the fewer photos the more versions there are."""
    if not blinds:
        return set()
    photos = _photos(session, store, members).slice(0, max(MOST_DIGESTS // len(blinds), 1))
    return {k for blind in blinds for k in photo_keys(blind, photos).tolist()}


def _photos(session: Session, store: ObjectStore, members: Sequence[Member]) -> pa.Array:
    """Photos that believed rows attribute to them, at most so many."""
    found = pa.array([], pa.string())
    for digest, ranges in _believed(session, members).items():
        table = read_entries(store, digest, ranges, ("photo",))
        found = pc.unique(pa.concat_arrays([found, table["photo"].combine_chunks().drop_null()]))
        if len(found) >= MOST_PHOTOS:
            break
    return found.slice(0, MOST_PHOTOS)


def _believed(session: Session, members: Sequence[Member]) -> dict[str, list[tuple[int, int]]]:
    """Runs of theirs by manifest digest."""
    statement = (
        select(Manifest.digest, ContributorCount.start, ContributorCount.entries)
        .join(ContributorCount, ContributorCount.manifest_id == Manifest.id)
        .join(Dataset, Dataset.id == Manifest.dataset_id)
        .join(Publisher, Publisher.id == Dataset.publisher_id)
        .where(ContributorCount.contributor_id.in_([member.id for member in members]), published())
        .where(Publisher.approved.is_(True), Publisher.suspended.is_(False))
        .order_by(Manifest.id, ContributorCount.start)
    )
    runs: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for digest, start, entries in session.execute(statement):
        runs[digest].append((start, min(entries, MOST_PHOTOS)))
    return runs
