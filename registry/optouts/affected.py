"""Which opt-outs something that happened may touch: asked in columns, before anything is matched again."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pyarrow.compute as pc
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

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
from registry.optouts.hosts import host_positions
from registry.optouts.pieces import select_in
from registry.optouts.sources import TARGET_STATES
from registry.optouts.wishes import ITEM_KINDS, maker_key, selector_item_keys
from registry.storage import ObjectStore
from registry.storage.item_index import find
from registry.storage.record_index import scan_entries

MAKER_KINDS = ("maker", "name", "id")


def by_manifest(session: Session, items: Engine, store: ObjectStore, manifest: Manifest) -> set[str]:
    """Opt-outs that a manifest's coming, going or change of standing may touch."""
    if (
        manifest.state == "voided"
    ):  # its index and item keys may be gone: ask whoever stands through any photo
        covered = set(session.scalars(select(CoveredPhoto.opt_out_id).distinct()))
        return covered | _matched(session, manifest)
    return (
        _by_makers(session, manifest)
        | _by_photos(session, items, store, manifest)
        | _by_items(session, items, manifest)
        | _by_hosts(session, store, manifest)
        | _matched(session, manifest)
    )


def by_contributors(session: Session, changed: Collection[int]) -> set[str]:
    """Opt-outs that reached one of these handles, or whose own handle is one with one of them now."""
    reached = select(OptOutMaker.opt_out_id)
    before = {one for (one,) in select_in(session, reached, OptOutMaker.contributor_id, changed)}
    roots = {root for (root,) in select_in(session, select(Contributor.root_id), Contributor.id, changed)}
    keys = {key for (key,) in select_in(session, select(Contributor.key), Contributor.root_id, roots)}
    return _standing(session, before) | _naming(session, keys)


def _by_makers(session: Session, manifest: Manifest) -> set[str]:
    """Somebody the manifest names, by any handle that is theirs."""
    selectors = select(OptOutSelector.kind, OptOutSelector.value).join(
        OptOut, OptOut.id == OptOutSelector.opt_out_id
    )
    asked = selectors.where(OptOut.state == "in-force", OptOutSelector.kind.in_(MAKER_KINDS)).distinct()
    keys = {maker_key(kind, value) for kind, value in session.execute(asked)}
    roots = {root for (root,) in select_in(session, select(Contributor.root_id), Contributor.key, keys)}
    handles = select(Contributor.root_id).join(
        ContributorCount, ContributorCount.contributor_id == Contributor.id
    )
    here = handles.where(ContributorCount.manifest_id == manifest.id).distinct()
    named = {root for (root,) in select_in(session, here, Contributor.root_id, roots)}
    keys_here = {key for (key,) in select_in(session, select(Contributor.key), Contributor.root_id, named)}
    return _naming(session, keys_here)


def _naming(session: Session, keys: Collection[str]) -> set[str]:
    """Opt-outs in force whose selector is one of these contributor keys."""
    values = {value for key in keys for value in (key, key.removeprefix("name:"), key.removeprefix("id:"))}
    columns = select(OptOutSelector.opt_out_id, OptOutSelector.kind, OptOutSelector.value)
    columns = columns.where(OptOutSelector.kind.in_(MAKER_KINDS))
    rows = select_in(session, columns, OptOutSelector.value, values)
    return _standing(session, {row.opt_out_id for row in rows if maker_key(row.kind, row.value) in keys})


def _by_photos(session: Session, items: Engine, store: ObjectStore, manifest: Manifest) -> set[str]:
    """A photo that stands under an opt-out already, shown here too. Asked from the smaller side."""
    covered = session.scalar(select(func.count()).select_from(CoveredPhoto)) or 0
    if covered == 0:
        return set()
    if covered < manifest.rows:
        keys = session.scalars(select(CoveredPhoto.k).distinct().execution_options(yield_per=50_000))
        shown = set().union(*(_in_manifest(items, part, manifest.id) for part in keys.partitions()))
    else:
        shown = _photos(store, manifest)
    found = select_in(session, select(CoveredPhoto.opt_out_id).distinct(), CoveredPhoto.k, shown)
    return {one for (one,) in found}


def _photos(store: ObjectStore, manifest: Manifest) -> set[int]:
    shown: set[int] = set()
    for table in scan_entries(store, manifest.digest, ("photo", "k")):
        shown.update(pc.unique(table["k"].filter(pc.is_valid(table["photo"]))).to_pylist())
    return shown


def _by_items(session: Session, items: Engine, manifest: Manifest) -> set[str]:
    columns = select(OptOutSelector.opt_out_id, OptOutSelector.kind, OptOutSelector.value)
    columns = columns.join(OptOut, OptOut.id == OptOutSelector.opt_out_id)
    wanted: dict[int, set[str]] = {}
    for row in session.execute(
        columns.where(OptOut.state == "in-force", OptOutSelector.kind.in_(ITEM_KINDS))
    ):
        for k in selector_item_keys(row.kind, row.value):
            wanted.setdefault(k, set()).add(row.opt_out_id)
    return {one for k in _in_manifest(items, wanted, manifest.id) for one in wanted[k]}


def _in_manifest(items: Engine, keys: Collection[int], manifest_id: int) -> set[int]:
    """Those of the item keys that stand in one manifest."""
    if not keys:
        return set()
    found = find(items, np.fromiter(keys, np.int64, len(keys)), manifest_id=manifest_id)
    return set(found["k"].to_pylist())


def _by_hosts(session: Session, store: ObjectStore, manifest: Manifest) -> set[str]:
    """Whoever asked for a host, where any of those hosts stands here at all."""
    columns = select(OptOutSelector.value, OptOutSelector.opt_out_id)
    columns = columns.join(OptOut, OptOut.id == OptOutSelector.opt_out_id)
    rows = session.execute(columns.where(OptOut.state == "in-force", OptOutSelector.kind == "host")).all()
    if not rows or manifest.state not in TARGET_STATES:
        return set()
    return (
        {row.opt_out_id for row in rows}
        if host_positions(store, manifest.digest, {row.value for row in rows})
        else set()
    )


def _matched(session: Session, manifest: Manifest) -> set[str]:
    return set(session.scalars(select(Match.opt_out_id).where(Match.manifest_id == manifest.id).distinct()))


def _standing(session: Session, ids: Collection[str]) -> set[str]:
    statement = select(OptOut.id).where(OptOut.state == "in-force")
    return {one for (one,) in select_in(session, statement, OptOut.id, ids)}
