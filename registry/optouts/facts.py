"""The rows a batch of opt-outs may touch, and what counting sources say of their photos, read in columns.

Two steps, since a photo is found only through its owner's rows: the makers' own runs of each record index,
then every row anywhere that shows one of their photos or an item somebody points at. Datasets that neither
step names are not opened.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from registry.models import Contributor, ContributorCount
from registry.optouts.hosts import host_positions, hosts_of
from registry.optouts.pieces import select_in
from registry.optouts.rule import IDENTITY_KINDS, Row
from registry.optouts.sources import Source, read_sources, target_ids
from registry.optouts.wishes import Wishes
from registry.storage import ObjectStore
from registry.storage.item_index import FOUND, find
from registry.storage.record_rows import take_entries

COLUMNS = ("contributor", "file", "row", "photo", "k", "url", "landing_url", "sha256")
Spans = Mapping[int, npt.NDArray[np.int64]]  # manifest -> positions
Hits = Mapping[int, dict[int, set[int]]]  # manifest -> position -> item keys it was found by


@dataclass
class Found:
    """One row while it is being read.

    `own`: roots of all its makers; `said`: roots of those makers that are an identity beyond their dataset;
    `items`: the item keys it was found by.
    """

    manifest_id: int
    file: int
    row: int
    photo: int | None
    url: str | None
    landing_url: str | None
    sha256: str | None
    own: set[int] = field(default_factory=set)
    said: set[int] = field(default_factory=set)
    items: set[int] = field(default_factory=set)
    hosts: frozenset[str] = frozenset()

    def as_row(self) -> Row:
        """As the rule takes it."""
        return Row(frozenset(self.own), self.photo, frozenset(self.items), self.hosts)


@dataclass
class Facts:
    """Rows found, and the ways to them.

    `attributions`: photo -> (manifest, roots) of each counting row about it.
    """

    sources: dict[int, Source]
    by_root: dict[int, list[Found]] = field(default_factory=lambda: defaultdict(list))
    by_photo: dict[int, list[Found]] = field(default_factory=lambda: defaultdict(list))
    by_item: dict[int, list[Found]] = field(default_factory=lambda: defaultdict(list))
    at_hosts: list[Found] = field(default_factory=list)
    attributions: dict[int, list[tuple[int, frozenset[int]]]] = field(
        default_factory=lambda: defaultdict(list)
    )


def read_facts(session: Session, items: Engine, store: ObjectStore, wishes: Wishes) -> Facts:
    """Everything the rule needs to decide about these opt-outs."""
    runs = _own_runs(session, wishes)
    sources = read_sources(session, runs)
    own = {m: take_entries(store, source.digest, runs[m], COLUMNS) for m, source in sources.items()}
    hits = _hits(items, _attributed_photos(own, sources, wishes) | wishes.item_keys)
    sources |= read_sources(session, hits.keys() - sources.keys())
    at_hosts = _at_hosts(session, store, sources, wishes.hosts)
    facts = Facts(sources)
    tables = {
        m: _complete(store, source, own.get(m), hits[m].keys() | at_hosts[m]) for m, source in sources.items()
    }
    makers = _makers(session, tables.values())
    for manifest_id, table in tables.items():
        rows = _rows(manifest_id, table, makers, hits[manifest_id])
        _index(facts, rows, read_hosts=bool(at_hosts[manifest_id]))
    return facts


def _own_runs(session: Session, wishes: Wishes) -> Spans:
    spans: dict[int, list[npt.NDArray[np.int64]]] = defaultdict(list)
    columns = select(ContributorCount.manifest_id, ContributorCount.start, ContributorCount.entries)
    for row in select_in(session, columns, ContributorCount.contributor_id, wishes.handles):
        spans[row.manifest_id].append(np.arange(row.start, row.start + row.entries, dtype=np.int64))
    return {manifest_id: np.concatenate(runs) for manifest_id, runs in spans.items()}


def _attributed_photos(
    own: Mapping[int, pa.Table], sources: Mapping[int, Source], wishes: Wishes
) -> set[int]:
    """Photos that counting sources attribute to somebody in the batch."""
    handles = pa.array([h.key for h in wishes.handles.values() if h.kind in IDENTITY_KINDS], pa.string())
    photos: set[int] = set()
    for manifest_id, table in own.items():
        if sources[manifest_id].counts:
            known = pc.and_(pc.is_in(table["contributor"], handles), pc.is_valid(table["photo"]))
            photos.update(pc.unique(table["k"].filter(known)).to_pylist())
    return photos


def _hits(items: Engine, keys: Collection[int]) -> Hits:
    hits: dict[int, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    found = find(items, np.fromiter(keys, np.int64, len(keys)))
    for k, manifest_id, position in zip(*(found[name].to_pylist() for name in FOUND.names), strict=True):
        hits[manifest_id][position].add(k)
    return hits


def _at_hosts(
    session: Session, store: ObjectStore, sources: dict[int, Source], hosts: Collection[str]
) -> Mapping[int, set[int]]:
    """Positions of rows at the hosts somebody points at: the one search that must look into every dataset."""
    found: dict[int, set[int]] = defaultdict(set)
    if hosts:
        sources |= read_sources(session, set(target_ids(session)) - sources.keys())
        for source in sources.values():
            found[source.id] = host_positions(store, source.digest, hosts) if source.target else set()
    return found


def _complete(
    store: ObjectStore, source: Source, own: pa.Table | None, positions: Collection[int]
) -> pa.Table:
    """The own runs' entries and those at the other positions."""
    if own is None:
        return take_entries(store, source.digest, positions, COLUMNS)
    rest = set(positions).difference(own["position"].to_numpy())
    return pa.concat_tables([own, take_entries(store, source.digest, rest, COLUMNS)]) if rest else own


def _makers(session: Session, tables: Iterable[pa.Table]) -> dict[str, tuple[int, bool]]:
    """Contributor key -> its root, and whether it is an identity beyond its dataset."""
    keys: set[str] = set()
    for table in tables:
        keys.update(key for key in pc.unique(table["contributor"]).to_pylist() if key is not None)
    columns = select(Contributor.key, Contributor.root_id, Contributor.kind)
    return {
        row.key: (row.root_id, row.kind in IDENTITY_KINDS)
        for row in select_in(session, columns, Contributor.key, keys)
    }


def _rows(
    manifest_id: int, table: pa.Table, makers: Mapping[str, tuple[int, bool]], hits: Mapping[int, set[int]]
) -> Iterable[Found]:
    """Entries put together: a row with two makers stands twice in the record index."""
    rows: dict[tuple[int, int], Found] = {}
    columns = [table[name].to_pylist() for name in ("position", *COLUMNS)]
    for position, contributor, file, row, photo, k, url, landing, sha256 in zip(*columns, strict=True):
        found = rows.get((file, row))
        if found is None:
            found = Found(manifest_id, file, row, None if photo is None else k, url, landing, sha256)
            rows[file, row] = found
        if position in hits:
            found.items |= hits[position]
        if contributor in makers:
            root, identity = makers[contributor]
            found.own.add(root)
            if identity:
                found.said.add(root)
    return rows.values()


def _index(facts: Facts, rows: Iterable[Found], *, read_hosts: bool) -> None:
    for found in rows:
        for root in found.own:
            facts.by_root[root].append(found)
        for k in found.items:
            facts.by_item[k].append(found)
        if found.photo is not None:
            facts.by_photo[found.photo].append(found)
            if found.said and facts.sources[found.manifest_id].counts:
                facts.attributions[found.photo].append((found.manifest_id, frozenset(found.said)))
        if read_hosts:
            found.hosts = hosts_of(found.url, found.landing_url)
            facts.at_hosts.append(found)
