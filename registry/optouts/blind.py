"""Which opt-outs a version whose rows are digests may touch: what stands is made into digests, and looked for among its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from byline.formats.selectors import fingerprints
from byline.formats.withheld import blinded_makers
from registry.contributors.sealed import ERASED
from registry.contributors.withheld import Blind, item_keys, photo_keys, read_blinds
from registry.models import Contributor, ContributorCount, CoveredPhoto, Manifest, OptOut, OptOutSelector
from registry.optouts.arrays import Ints, Lookup
from registry.optouts.meant import BLINDED_KINDS, MAKER_KINDS, maker_key
from registry.optouts.pieces import select_in
from registry.optouts.sources import read_sources
from registry.optouts.standing_keys import among_all, is_among, standing_keys
from registry.storage import ObjectStore
from registry.storage.record_index import scan_entries

_AT_ONCE = 10_000


def by_digests(session: Session, store: ObjectStore, manifest: Manifest) -> set[str]:
    """Opt-outs that name a maker of it, an item or a host; or stand through a photo that it shows."""
    blinds = read_blinds(session, Manifest.id == manifest.id)
    if not blinds:
        return set()
    pointed, asked = _pointed_at(session, blinds[0])
    photos = _covered(session, store, blinds[0])
    here = among_all(np.union1d(pointed.keys, photos.keys), _shown(store, manifest.digest))
    standing = select(CoveredPhoto.opt_out_id).distinct()
    return (
        _by_makers(session, manifest, blinds[0])
        | {asked[at] for at in pointed.under(here).tolist()}
        | {one for (one,) in select_in(session, standing, CoveredPhoto.k, photos.under(here).tolist())}
    )


def _by_makers(session: Session, manifest: Manifest, blind: Blind) -> set[str]:
    held = select(Contributor.key).join(ContributorCount, ContributorCount.contributor_id == Contributor.id)
    here = set(session.scalars(held.where(ContributorCount.manifest_id == manifest.id)))
    asked: dict[str, set[str]] = defaultdict(set)
    sealed: dict[int, set[str]] = defaultdict(set)
    for one in _standing(session, MAKER_KINDS):
        if one.value.startswith(ERASED):
            sealed[one.k].add(one.opt_out_id)
        else:
            asked[maker_key(one.kind, one.value) or one.value].add(one.opt_out_id)
    for row in select_in(session, select(Contributor.sealed, Contributor.key), Contributor.sealed, sealed):
        asked[row.key] |= sealed[row.sealed]
    known = {key: {key} for key in asked}
    handle = select(Contributor.root_id, Contributor.key)
    roots = {row.root_id: row.key for row in select_in(session, handle, Contributor.key, asked)}
    for row in select_in(session, handle, Contributor.root_id, roots):
        known.setdefault(row.key, set()).add(roots[row.root_id])
    names = zip(known, blinded_makers(blind.key, known), strict=True)
    return {one for key, name in names if name in here for said in known[key] for one in asked.get(said, ())}


def _pointed_at(session: Session, blind: Blind) -> tuple[Lookup, list[str]]:
    """The item keys that standing items and hosts have in this version -> which of the opt-outs beside asked for them."""
    asked: list[str] = []
    pairs: list[tuple[int, int]] = []
    for one in _standing(session, tuple(BLINDED_KINDS)):
        if not one.value.startswith(ERASED):
            pairs += [(k, len(asked)) for k in item_keys([blind], one.kind, one.value)]
            asked.append(one.opt_out_id)
    keys, values = np.array(pairs, np.int64).reshape(-1, 2).T
    return Lookup.of(keys, values), asked


def _covered(session: Session, store: ObjectStore, blind: Blind) -> Lookup:
    """Photos somebody stands through: their keys in this version -> their own.

    They are kept as numbers; their texts are read where they are named.
    """
    covered = standing_keys(session).shown
    keys, values = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for digest in _naming(session) if len(covered) else ():
        for table in scan_entries(store, digest, ("photo", "k")):
            one = table.filter(pc.is_valid(table["photo"]))
            theirs = one.filter(pa.array(is_among(covered, one["k"].to_numpy())))
            keys.append(photo_keys(blind, theirs["photo"].combine_chunks()))
            values.append(theirs["k"].to_numpy())
    return Lookup.of(np.concatenate(keys), np.concatenate(values))


def _naming(session: Session) -> list[str]:
    """Digests of the versions whose word about photos is heard."""
    ids = session.scalars(select(Manifest.id).where(Manifest.withheld_sha256.is_(None))).all()
    return [one.digest for one in read_sources(session, ids).values() if one.counts]


def _shown(store: ObjectStore, digest: str) -> Iterator[Ints]:
    """The item keys that stand in a withheld version, a stretch at a time."""
    for table in scan_entries(store, digest, ("photos", "landing_url", "sha256", "k")):
        hosts = pc.list_flatten(pc.split_pattern(pc.unique(table["landing_url"]).drop_null(), " "))
        photos = pc.unique(pc.list_flatten(table["photos"]))
        yield from (fingerprints("photo2", some) for some in (photos, pc.unique(hosts)))
        yield fingerprints("sha256", pc.unique(table["sha256"]).drop_null())
        yield table["k"].drop_null().to_numpy()


def _standing(session: Session, kinds: tuple[str, ...]) -> Iterator[Row[str, str, str, int]]:
    """The selectors in force: opt_out_id, kind, value, k."""
    columns = select(OptOutSelector.opt_out_id, OptOutSelector.kind, OptOutSelector.value, OptOutSelector.k)
    asked = columns.join(OptOut, OptOut.id == OptOutSelector.opt_out_id).where(
        OptOut.state == "in-force", OptOutSelector.kind.in_(kinds)
    )
    yield from session.execute(asked.execution_options(yield_per=_AT_ONCE))
