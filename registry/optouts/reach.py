"""What one opt-out reaches, out of the facts: rows of files, photos, and possible fingerprints. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from pyroaring import BitMap64

from byline.formats.publishable import row_fingerprints
from byline.formats.selectors import fingerprint
from registry.optouts.facts import Facts, Found
from registry.optouts.rule import Strength, reaches, through_photo
from registry.optouts.wishes import Asked


@dataclass
class FileRows:
    """Rows of one file, and the manifests on whose word they are reached."""

    rows: BitMap64 = field(default_factory=BitMap64)
    word_of: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Reached:
    """`matches`: (manifest, file, strength) -> rows.

    `covered`: photos; `fingerprints`: (k, kind) for the key feed.
    """

    matches: dict[tuple[int, int, Strength], FileRows]
    covered: frozenset[int]
    fingerprints: frozenset[tuple[int, str]]


def reach(one: Asked, facts: Facts) -> Reached:
    """Apply the rule to every row that could be reached."""
    covered = covered_photos(one, facts)
    matches: dict[tuple[int, int, Strength], FileRows] = defaultdict(FileRows)
    for found in _candidates(one, facts, covered):
        source = facts.sources[found.manifest_id]
        if not source.target or not one.targets(source.dataset_id):
            continue
        said = facts.attributions.get(found.photo, ()) if found.photo is not None else ()
        strength = reaches(one.wish, found.as_row(), [roots for _, roots in said])
        if strength is not None:
            match = matches[found.manifest_id, found.file, strength]
            match.rows.add(found.row)
            match.word_of |= _word_of(one, found, said)
    return Reached(dict(matches), covered, frozenset(_fingerprints(one, facts, covered)))


def covered_photos(one: Asked, facts: Facts) -> frozenset[int]:
    """Photos that a counting source attributes to one of the makers."""
    return frozenset(
        found.photo
        for root in one.wish.makers
        for found in facts.by_root.get(root, ())
        if found.photo is not None and root in found.said and facts.sources[found.manifest_id].counts
    )


def _candidates(one: Asked, facts: Facts, covered: frozenset[int]) -> Iterable[Found]:
    """Each row once."""
    ways = [
        *(facts.by_root.get(root, ()) for root in one.wish.makers),
        *(facts.by_photo.get(photo, ()) for photo in covered),
        *(facts.by_item.get(k, ()) for k in one.wish.items),
        *([facts.at_hosts] if one.wish.hosts else ()),
    ]
    return {id(found): found for way in ways for found in way}.values()


def _word_of(one: Asked, found: Found, said: Iterable[tuple[int, frozenset[int]]]) -> set[int]:
    """The manifests that say these makers made it; none where the row itself shows what was pointed at."""
    if found.own & one.wish.makers:
        return {found.manifest_id}
    return {manifest_id for manifest_id, roots in said if roots & one.wish.makers}


def _fingerprints(one: Asked, facts: Facts, covered: frozenset[int]) -> Iterable[tuple[int, str]]:
    """What may stand in the key feed: of photos that no counting source contradicts, and listed hosts."""
    if not one.may_be_fingerprint:
        return
    for host in one.listed_hosts:
        yield fingerprint("h", host), "h"
    photos_of: dict[tuple[int, str], set[int]] = defaultdict(set)
    for photo in covered:
        if through_photo(one.wish.makers, [roots for _, roots in facts.attributions[photo]]) == "full":
            for found in facts.by_photo[photo]:
                source = facts.sources[found.manifest_id]
                if source.counts and source.named:
                    for kind, k in row_fingerprints(found.url, found.landing_url, found.sha256):
                        photos_of[k, kind].add(photo)
    for (k, kind), photos in photos_of.items():
        # One digest on several photos is a placeholder ("this photo is no longer available"), not a photo.
        if kind != "sha256" or len(photos) == 1:
            yield k, kind
