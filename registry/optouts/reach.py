"""What one opt-out reaches, out of the facts: rows of files, photos, and possible fingerprints. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pyarrow as pa
from pyroaring import BitMap64

from byline.formats.itemfeed import item_keys
from registry.optouts.arrays import Ints, Tally, distinct, ints, together
from registry.optouts.facts import Facts
from registry.optouts.hosts import hosts_of
from registry.optouts.published import fingerprints_of
from registry.optouts.rule import Bools, Strength, agreeing_photos, covered_host, reach_rows
from registry.optouts.wishes import Asked


@dataclass
class FileRows:
    """Rows of one file, the manifests on whose word they are reached, and the fingerprints of the rows' own ids."""

    rows: BitMap64 = field(default_factory=BitMap64)
    items: Ints = field(default_factory=lambda: ints(()))
    word_of: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Reached:
    """`matches`: (manifest, file, strength) -> rows. `covered`: photos; `fingerprints`: k -> kind."""

    matches: dict[tuple[int, int, Strength], FileRows]
    covered: frozenset[int]
    fingerprints: dict[int, str]


def reach(one: Asked, facts: Facts) -> Reached:
    """Apply the rule to every row that could be reached."""
    makers = ints(one.wish.makers)
    own, agreeing_rows = facts.made.under(makers), facts.said.under(makers)
    agreeing = Tally.of(facts.photo[agreeing_rows])
    itself = together(own, together(facts.by_item.under(ints(one.wish.items)), _at_hosts(one, facts)))
    rows = together(itself, facts.by_photo.under(agreeing.keys))
    rows = rows[_may_be_asked(one, facts, rows)]
    photo = facts.photo[rows]
    found = reach_rows(np.isin(rows, itself), agreeing.at(photo), facts.saying.at(photo))
    matches: dict[tuple[int, int, Strength], FileRows] = defaultdict(FileRows)
    _add(matches, facts, rows[found.full], "full")
    _add(matches, facts, rows[found.asserted], "asserted")
    for (manifest_id, file, strength), match in matches.items():
        reached = rows[found.full if strength == "full" else found.asserted]
        here = reached[(facts.manifest[reached] == manifest_id) & (facts.file[reached] == file)]
        match.word_of |= _word_of(facts, here, own, agreeing_rows)
        match.items = _items(facts, manifest_id, here)
    unanimous = agreeing.keys[agreeing_photos(agreeing.counts, facts.saying.at(agreeing.keys))]
    return Reached(dict(matches), frozenset(agreeing.keys.tolist()), _fingerprints(one, facts, unanimous))


def _at_hosts(one: Asked, facts: Facts) -> Ints:
    if not one.wish.hosts:
        return ints(())
    urls = facts.shown.select(["url", "landing_url"]).take(pa.array(facts.at_hosts)).to_pylist()
    wished = facts.named_hosts(one.wish.hosts)
    covered = [covered_host(hosts_of(shown["url"], shown["landing_url"]), wished) for shown in urls]
    return facts.at_hosts[np.array(covered, dtype=np.bool_)]


def _may_be_asked(one: Asked, facts: Facts, rows: Ints) -> Bools:
    """Rows of versions that stand, in the datasets it is about."""
    asked = [s.id for s in facts.sources.values() if s.target and one.targets(s.dataset_id)]
    return np.isin(facts.manifest[rows], ints(asked))


def _add(
    matches: dict[tuple[int, int, Strength], FileRows], facts: Facts, rows: Ints, strength: Strength
) -> None:
    """Put rows under their file."""
    order = np.lexsort((facts.file[rows], facts.manifest[rows]))
    rows = rows[order]
    manifest, file = facts.manifest[rows], facts.file[rows]
    changes = np.flatnonzero((np.diff(manifest) != 0) | (np.diff(file) != 0)) + 1
    for start, stop in pairwise([0, *changes.tolist(), len(rows)]) if len(rows) else ():
        key = (int(manifest[start]), int(file[start]), strength)
        matches[key].rows |= BitMap64(facts.row[rows[start:stop]])


def _items(facts: Facts, manifest_id: int, rows: Ints) -> Ints:
    """Fingerprints of these rows' ids in their dataset's list, ascending."""
    list_sha256 = facts.sources[manifest_id].items_sha256
    if list_sha256 is None or not len(rows):
        return ints(())
    k = distinct(item_keys(list_sha256, facts.shown["item_id"].take(pa.array(rows))))
    return k[k >= 0]


def _word_of(facts: Facts, rows: Ints, own: Ints, agreeing_rows: Ints) -> set[int]:
    """The manifests that say these makers made them; none where a row itself shows what was pointed at."""
    by_others = rows[~np.isin(rows, own)]
    said = agreeing_rows[np.isin(facts.photo[agreeing_rows], facts.photo[by_others])]
    mine = facts.manifest[rows[np.isin(rows, own)]]
    return {int(one) for one in together(mine, facts.manifest[said])}


def _fingerprints(one: Asked, facts: Facts, photos: Ints) -> dict[int, str]:
    """What may stand in the key feed: of photos that no counting source contradicts, and listed hosts."""
    if not one.may_be_fingerprint:
        return {}
    public = ints([s.id for s in facts.sources.values() if s.counts and s.named])
    rows = facts.by_photo.under(photos)
    rows = rows[np.isin(facts.manifest[rows], public)]
    found = dict.fromkeys(one.listed_hosts, "h")
    for kind, some in fingerprints_of(facts.shown.take(pa.array(rows))).items():
        k = _of_one_photo(some.k, facts.photo[rows[some.row]]) if kind == "sha256" else some.k
        found |= dict.fromkeys(k.tolist(), kind)
    return found


def _of_one_photo(k: Ints, photo: Ints) -> Ints:
    """No digest that stands on several photos: "no longer available" is a picture of nothing."""
    pairs = np.unique(np.stack([k, photo], axis=1), axis=0)
    alone = Tally.of(pairs[:, 0])
    single: Ints = alone.keys[alone.counts == 1]
    return single
