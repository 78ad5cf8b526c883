"""Which opt-outs something that happened may touch: asked in columns, before anything is matched again."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
import pyarrow.compute as pc
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from byline.formats.selectors import fingerprints
from registry.contributors.sealed import ERASED, hosts_of, seal_of, sealed_maker
from registry.models import (
    Contributor,
    ContributorCount,
    CoveredPhoto,
    Manifest,
    Match,
    OptOut,
    OptOutMaker,
    OptOutSelector,
)
from registry.optouts.arrays import Ints, together
from registry.optouts.blind import by_digests
from registry.optouts.hosts import host_positions
from registry.optouts.lineage import touched_by
from registry.optouts.meant import ITEM_KINDS, MAKER_KINDS, maker_key
from registry.optouts.pieces import select_in
from registry.optouts.sources import TARGET_STATES
from registry.optouts.standing_keys import among_all, standing_keys
from registry.storage import ObjectStore
from registry.storage.item_index import find
from registry.storage.record_index import scan_entries


def by_manifest(session: Session, items: Engine, store: ObjectStore, manifest: Manifest) -> set[str]:
    """Opt-outs that a manifest's coming, going or change of standing may touch."""
    if (
        manifest.state == "voided"
    ):  # its index and item keys may be gone: ask whoever stands through any photo
        covered = set(session.scalars(select(CoveredPhoto.opt_out_id).distinct()))
        return covered | _matched(session, manifest) | touched_by(session, manifest)
    return (
        _by_makers(session, manifest)
        | _by_items(session, items, store, manifest)
        | _by_hosts(session, store, manifest)
        | by_digests(session, store, manifest)
        | _matched(session, manifest)
        | touched_by(session, manifest)
    )


def by_contributors(session: Session, changed: Collection[int]) -> set[str]:
    """Opt-outs that reached one of these handles, or whose own handle is one with one of them now."""
    reached = select(OptOutMaker.opt_out_id)
    before = {one for (one,) in select_in(session, reached, OptOutMaker.contributor_id, changed)}
    roots = {root for (root,) in select_in(session, select(Contributor.root_id), Contributor.id, changed)}
    keys = {key for (key,) in select_in(session, select(Contributor.key), Contributor.root_id, roots)}
    return _standing(session, before) | _naming(session, keys)


def _by_makers(session: Session, manifest: Manifest) -> set[str]:
    """Somebody the manifest names, by any handle that is theirs. Asked from the smaller side."""
    some = select(OptOutSelector.k).where(OptOutSelector.kind.in_(MAKER_KINDS)).limit(manifest.contributors)
    if (session.scalar(select(func.count()).select_from(some.subquery())) or 0) < manifest.contributors:
        return _named_here(session, manifest)
    return {
        one
        for statement in (_BY_KEY, _BY_OWN_NAME, _BY_SEAL)
        for (one,) in session.execute(statement, {"manifest": manifest.id})
    }


# From the manifest's makers over all their handles to the selectors that name one. SQLite joins in this order.
_HANDLES = """
    SELECT DISTINCT s.opt_out_id FROM contributor_count AS c
    CROSS JOIN contributor AS h CROSS JOIN contributor AS x CROSS JOIN opt_out_selector AS s CROSS JOIN opt_out AS o
    WHERE c.manifest_id = :manifest AND h.id = c.contributor_id AND x.root_id = h.root_id
      AND o.id = s.opt_out_id AND o.state = 'in-force'
"""
_BY_KEY = text(_HANDLES + "AND s.value = x.key AND s.kind = 'maker'")
_BY_OWN_NAME = text(
    _HANDLES
    + "AND x.kind IN ('name', 'id') AND s.kind = x.kind AND s.value = substr(x.key, length(x.kind) + 2)"
)

_BY_SEAL = text(_HANDLES + "AND s.k = x.sealed AND s.kind IN ('maker', 'name', 'id')")


def _named_here(session: Session, manifest: Manifest) -> set[str]:
    """The same from the selectors."""
    # Of withdrawn ones, too: asked together with their states, SQLite would walk all opt-outs in force.
    asked = select(OptOutSelector.kind, OptOutSelector.value, OptOutSelector.k)
    rows = session.execute(asked.where(OptOutSelector.kind.in_(MAKER_KINDS)).distinct()).all()
    keys = {maker_key(row.kind, row.value) for row in rows if not row.value.startswith(ERASED)}
    sealed = {row.k for row in rows if row.value.startswith(ERASED)}
    root = select(Contributor.root_id)
    roots = {one for (one,) in select_in(session, root, Contributor.key, keys)}
    roots |= {one for (one,) in select_in(session, root, Contributor.sealed, sealed)}
    handles = select(Contributor.root_id).join(
        ContributorCount, ContributorCount.contributor_id == Contributor.id
    )
    here = handles.where(ContributorCount.manifest_id == manifest.id).distinct()
    named = {root for (root,) in select_in(session, here, Contributor.root_id, roots)}
    keys_here = {key for (key,) in select_in(session, select(Contributor.key), Contributor.root_id, named)}
    return _naming(session, keys_here)


def _naming(session: Session, keys: Collection[str]) -> set[str]:
    """Opt-outs in force whose selector is one of these contributor keys, or what is left of it."""
    values = {value for key in keys for value in (key, key.removeprefix("name:"), key.removeprefix("id:"))}
    columns = select(OptOutSelector.opt_out_id, OptOutSelector.kind, OptOutSelector.value)
    columns = columns.where(OptOutSelector.kind.in_(MAKER_KINDS))
    rows = select_in(session, columns, OptOutSelector.value, values)
    named = {row.opt_out_id for row in rows if maker_key(row.kind, row.value) in keys}
    sealed = {sealed_maker(seal_of(session), key) for key in keys}
    named |= {row.opt_out_id for row in select_in(session, columns, OptOutSelector.k, sealed)}
    return _standing(session, named)


def _by_items(session: Session, items: Engine, store: ObjectStore, manifest: Manifest) -> set[str]:
    """A photo that stands under an opt-out already or is asked for, shown here too; a URL or file asked for."""
    standing = standing_keys(session)
    shown = among_all(standing.shown, _shown(store, manifest)) if len(standing.shown) else standing.shown
    few = len(standing.beside) < manifest.rows / 10
    beside = (
        _in_manifest(items, standing.beside, manifest.id)
        if few
        else among_all(standing.beside, _beside(store, manifest))
    )
    here = together(shown, beside).tolist()
    selecting = select(OptOutSelector.opt_out_id).distinct()
    ways = (
        (select(CoveredPhoto.opt_out_id).distinct(), CoveredPhoto.k),
        (selecting.where(OptOutSelector.kind.in_(ITEM_KINDS)), OptOutSelector.k),
        (selecting, OptOutSelector.k_beside),  # of photos; that of an erased host is no item
    )
    return _standing(
        session, {one for way, column in ways for (one,) in select_in(session, way, column, here)}
    )


def _beside(store: ObjectStore, manifest: Manifest) -> Iterator[Ints]:
    """The item keys of photos beside others, and of file digests, a stretch at a time."""
    for table in scan_entries(store, manifest.digest, ("photos", "sha256")):
        yield fingerprints("photo2", pc.unique(pc.list_flatten(table["photos"])))
        yield fingerprints("sha256", pc.unique(table["sha256"].drop_null()))


def _shown(store: ObjectStore, manifest: Manifest) -> Iterator[Ints]:
    """The item keys of one photo or one URL that a record index shows, a stretch at a time."""
    for table in scan_entries(store, manifest.digest, ("k",)):
        yield table["k"].drop_null().to_numpy()


def _in_manifest(items: Engine, keys: Ints, manifest_id: int) -> Ints:
    """Those of the item keys that stand in one manifest."""
    if len(keys) == 0:
        return keys
    return np.unique(find(items, keys, manifest_id=manifest_id)["k"].to_numpy())


def _by_hosts(session: Session, store: ObjectStore, manifest: Manifest) -> set[str]:
    """Whoever asked for a host, where any of those hosts stands here at all."""
    if manifest.state not in TARGET_STATES:
        return set()
    columns = select(OptOutSelector.value, OptOutSelector.opt_out_id).where(OptOutSelector.kind == "host")
    asked = session.execute(columns).all()
    standing = _standing(session, {row.opt_out_id for row in asked})
    rows = [row for row in asked if row.opt_out_id in standing]
    if not rows:
        return set()
    return (
        {row.opt_out_id for row in rows}
        if host_positions(store, manifest.digest, hosts_of(session, {row.value for row in rows}))
        else set()
    )


def _matched(session: Session, manifest: Manifest) -> set[str]:
    return set(session.scalars(select(Match.opt_out_id).where(Match.manifest_id == manifest.id).distinct()))


def _standing(session: Session, ids: Collection[str]) -> set[str]:
    statement = select(OptOut.id, OptOut.state)
    return {row.id for row in select_in(session, statement, OptOut.id, ids) if row.state == "in-force"}
