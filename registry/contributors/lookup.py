"""Is exactly this in there: `yes`, `no`, or `cannot-tell` and what would decide it.

`no` is said only where the rows themselves exclude it. A maker may hide behind rows that name nobody, a
name without an identity, or the other kind of handle of the same platform; an item behind rows without
photo id and URL.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sqlalchemy import Engine, bindparam, or_, select
from sqlalchemy.orm import Session, load_only

from byline.errors import Refused
from byline.formats.selectors import ACCEPTED, Selector, candidates, contributor_kind
from registry.contributors.entries import ALL, as_public, rows_at, rows_of_runs
from registry.contributors.known import Known, known_of
from registry.contributors.people import Member, flushed, members_named, read_people
from registry.contributors.photos import via_photo, withheld_photos
from registry.contributors.shown import ITEM_KINDS, ShownAt, maker_at, rows_showing
from registry.contributors.views import contributor_dict
from registry.contributors.visible import newest_first, published, versions
from registry.contributors.withheld import KIND, Blind, item_keys, known_as, read_blinds
from registry.models import Contributor, ContributorCount, Dataset, Manifest, Publisher
from registry.storage import ObjectStore, item_index

MOST_ROWS = 100  # shown of one version
MOST_MAKERS = 50
_IMAGE = re.compile(r"\.(?:jpe?g|png|gif|webp|tiff?|avif|heic|bmp|svg)(?:[?#].*)?$", re.IGNORECASE)
YES, NO, CANNOT_TELL = "yes", "no", "cannot-tell"
PHOTO_LINK = "photo-link"


_VERSIONS = (
    versions()
    .where(published())
    .with_only_columns(Manifest, Publisher.slug, Dataset.name)
    # All that an answer needs of a thousand versions; what a publisher says of them is long.
    .options(
        load_only(
            Manifest.digest,
            Manifest.version,
            Manifest.visibility,
            Manifest.access,
            Manifest.unattributed,
            Manifest.published_at,
            raiseload=True,
        )
    )
)

_RUNS = (
    select(
        ContributorCount.manifest_id,
        ContributorCount.start,
        ContributorCount.entries,
        ContributorCount.records,
    )
    .where(ContributorCount.contributor_id.in_(bindparam("members", expanding=True)))
    .order_by(ContributorCount.start)
)


@dataclass(frozen=True)
class _Question:
    """What a text asks. `of_item`: for one item; else for the makers of `keys`, and for an item as well."""

    selectors: tuple[Selector, ...]
    items: tuple[Selector, ...]
    keys: frozenset[str]
    of_item: bool
    rows_shown: str = ALL
    opened: frozenset[int] = frozenset()
    """The withheld versions whose digests could be asked."""


@dataclass
class _Found:
    """What one version holds of what was asked: runs of its record index, single entries of it."""

    runs: list[tuple[int, int]] = field(default_factory=list)
    positions: set[int] = field(default_factory=set)
    records: int = 0


def lookup(
    session: Session, *, store: ObjectStore, items: Engine, q: str, shown: str = ALL
) -> dict[str, Any]:
    """Answer as `GET /v1/lookup`: one entry per dataset, and older versions where they say yes.

    `shown`: of which datasets' rows file, row and address are named (the setting `rows_shown`).
    Refused("unknown-selector") for a text that is no link, handle or selector.
    """
    question = replace(_read(q), rows_shown=shown)
    versions_ = session.execute(_VERSIONS).all()
    manifests = {manifest.id: manifest for manifest, _, _ in versions_}
    labels = {manifest.id: f"{slug}/{name}" for manifest, slug, name in versions_}
    members = members_named(session, question.keys) if question.keys else []
    found = _found(session, store, items, question, members, manifests)
    blinds = read_blinds(session, Manifest.state == "published")
    found |= _withheld(session, store, items, question, members, blinds)
    question = replace(question, opened=frozenset(blind.manifest_id for blind in blinds))
    entries = [
        _entry(session, store, manifests[number], labels[number], found.get(number), question, members)
        for number in _asked(manifests, labels, found, question)
    ]
    entries.sort(key=lambda entry: (entry["dataset"], entry["version"]))
    answers = {entry["answer"] for entry in entries}
    answer = next((each for each in (YES, CANNOT_TELL) if each in answers), NO)
    undecided = CANNOT_TELL in answers and not question.of_item and bool(question.keys)
    return {
        "answer": answer,
        "need": PHOTO_LINK if undecided else None,
        "selectors": [{"kind": each.kind, "value": each.value} for each in question.selectors],
        "contributors": _contributors(session, members, found, question),
        "items": entries,
    }


def _read(q: str) -> _Question:
    selectors = candidates(q)
    if not selectors:
        raise Refused(
            "unknown-selector", f"{q[:200]!r} is no link and no user name; accepted: {ACCEPTED}", at="q"
        )
    makers = {each.value for each in selectors if each.kind == "maker"}
    makers |= {f"{each.kind}:{each.value}" for each in selectors if each.kind in {"name", "id"}}
    shown = tuple(each for each in selectors if each.kind in ITEM_KINDS)
    return _Question(selectors, shown, frozenset(makers), _asks_for_item(q, shown) or not makers)


def _asks_for_item(q: str, shown: tuple[Selector, ...]) -> bool:
    """A photo's link asks for the photo, not for its maker; a bare word like a photo's id does not."""
    kinds = {selector.kind for selector in shown}
    by_id = "photo" in kinds and ("/" in q or q.strip().lower().startswith("photo:") or q.strip().isdigit())
    return by_id or "sha256" in kinds or ("url" in kinds and bool(_IMAGE.search(q.strip())))


def _found(
    session: Session,
    store: ObjectStore,
    items: Engine,
    question: _Question,
    members: list[Member],
    manifests: dict[int, Manifest],
) -> dict[int, _Found]:
    found: defaultdict[int, _Found] = defaultdict(_Found)
    for entry in rows_showing(items, question.items):
        if entry.manifest_id in manifests:
            found[entry.manifest_id].positions.add(entry.position)
    if question.of_item:
        return found
    if not members:
        return found
    for number, start, entries, records in flushed(session).execute(
        _RUNS, {"members": [each.id for each in members]}
    ):
        if number in manifests:
            found[number].runs.append((start, entries))
            found[number].records += records
    if manifests.keys() <= found.keys():
        return found  # nowhere left to look through the photo
    for number, positions in via_photo(session, store, items, members).items():
        if number in manifests and number not in found:
            found[number].positions |= positions
    return found


def _withheld(
    session: Session,
    store: ObjectStore,
    items: Engine,
    question: _Question,
    members: list[Member],
    blinds: list[Blind],
) -> dict[int, _Found]:
    """The same of versions whose rows are digests: their makers by every handle that is known here, and the items."""
    wanted = {k for each in question.items for k in item_keys(blinds, each.kind, each.value)}
    found: defaultdict[int, _Found] = defaultdict(_Found)
    numbers = {blind.manifest_id for blind in blinds}
    if blinds and not question.of_item:
        known = known_as(session, blinds, question.keys | {each.key for each in members})
        ids = {one for some in known.values() for one in some}
        for number, start, entries, records in flushed(session).execute(_RUNS, {"members": list(ids)}):
            if number in numbers:
                found[number].runs.append((start, entries))
                found[number].records += records
        left = [blind for blind in blinds if blind.manifest_id not in found] if members else []
        wanted |= withheld_photos(session, store, left, members)
    shown = item_index.find(items, np.array(sorted(wanted), dtype=np.int64)) if wanted else None
    for number, position in (
        zip(*(shown[name].to_pylist() for name in ("manifest_id", "position")), strict=True) if shown else ()
    ):
        if number in numbers:
            found[number].positions.add(position)
    return dict(found)


def _asked(
    manifests: dict[int, Manifest], labels: dict[int, str], found: dict[int, _Found], question: _Question
) -> list[int]:
    """The newest version of each dataset, and older ones with an answer; a name asks one dataset."""
    local = {key.split(":", 2)[1] for key in question.keys if key.partition(":")[0] in {"name", "id"}}
    newest: dict[str, int] = {}
    for number, manifest in sorted(manifests.items(), key=lambda pair: newest_first(pair[1])):
        newest[labels[number]] = manifest.id
    wanted = set(newest.values()) | set(found)
    elsewhere = {key for key in question.keys if key.partition(":")[0] not in {"name", "id"}}
    return [
        number for number in wanted if not local or elsewhere or question.of_item or labels[number] in local
    ]


def _entry(
    session: Session,
    store: ObjectStore,
    manifest: Manifest,
    label: str,
    found: _Found | None,
    question: _Question,
    members: list[Member],
) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    if found is None:
        known = known_of(session, store, manifest)
        unsure = (
            _item_unsure(manifest, known, question)
            if question.of_item
            else _maker_unsure(manifest, known, question, members)
        )
        answer = CANNOT_TELL if unsure else NO
    else:
        answer = YES
        named = manifest.visibility == "named"
        rows = _rows(session, store, manifest, found) if named else []
        rows = as_public(rows, manifest, shown=question.rows_shown)
    records = found.records or len(found.positions) if found else 0
    return {"dataset": label, "version": manifest.version, "answer": answer, "records": records, "rows": rows}


def _rows(session: Session, store: ObjectStore, manifest: Manifest, found: _Found) -> list[dict[str, Any]]:
    at = (manifest.id, manifest.digest)
    if not found.runs:
        return rows_at(session, store, manifest=at, positions=sorted(found.positions)[:MOST_ROWS])
    ranges = [(start, min(entries, MOST_ROWS)) for start, entries in found.runs]
    return rows_of_runs(session, store, manifest=at, ranges=ranges)[:MOST_ROWS]


def _item_unsure(manifest: Manifest, known: Known, question: _Question) -> bool:
    """Whether a row may show the item without saying so."""
    kinds = {selector.kind for selector in question.items}
    if kinds == {"sha256"}:
        return "sha256" in known.empty
    if manifest.visibility != "named":  # a row that shows a photo has no digest of its URL
        return kinds != {"photo"} or "photos" in known.empty or manifest.id not in question.opened
    if kinds == {"url"}:
        return "k" in known.empty or {"url", "landing_url"} <= known.filled
    return "k" in known.empty or not kinds


def _maker_unsure(manifest: Manifest, known: Known, question: _Question, members: Collection[Member]) -> bool:
    """Whether a row may be theirs without saying so."""
    keys = question.keys | {member.key for member in members}
    kinds = {contributor_kind(key) for key in keys}
    dark = manifest.visibility != "named"
    if kinds <= {("name", None), ("id", None)}:  # asked of its own dataset, where names are what there is
        return dark and manifest.id not in question.opened
    if dark:
        return True  # which kind of handle its rows go by is not seen
    if manifest.unattributed or {kind for kind, _ in known.makers} & {"name", "id"}:
        return True
    platforms = {platform for _, platform in kinds if platform}
    return any(
        (other, platform) in known.makers
        for platform in platforms
        for kind, other in (("alias", "number"), ("number", "alias"))
        if (kind, platform) in kinds and (other, platform) not in kinds
    )


def _contributors(
    session: Session, members: list[Member], found: dict[int, _Found], question: _Question
) -> list[dict[str, Any]]:
    """The makers asked for, or those of the rows that show the item."""
    roots = {member.root_id for member in members} if not question.of_item else _makers_at(session, found)
    people = read_people(session, roots) if roots else {}
    return [contributor_dict(person) for _, person in sorted(people.items())][:MOST_MAKERS]


def _makers_at(session: Session, found: dict[int, _Found]) -> set[int]:
    places = [
        ShownAt(number, at) for number, each in found.items() for at in sorted(each.positions)[:MOST_ROWS]
    ]
    conditions = [maker_at(place) for place in places[:MOST_MAKERS]]
    if not conditions:
        return set()
    roots = select(Contributor.root_id).join(ContributorCount)
    return set(session.scalars(roots.where(or_(*conditions), Contributor.kind != KIND)))
