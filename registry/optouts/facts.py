"""The rows a batch of opt-outs may touch, and what counting sources say of their photos, in columns.

Two steps, since a photo is found only through its owner's rows: the makers' own runs of each record index,
then every row anywhere that shows one of their photos or an item somebody points at. Datasets that neither
step names are not opened.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from registry.contributors.sealed import Hosts, hosts_of
from registry.contributors.withheld import photo_keys
from registry.models import Contributor, ContributorCount
from registry.optouts.arrays import Ints, Lookup, Tally, ints
from registry.optouts.hosts import host_positions
from registry.optouts.pieces import select_in
from registry.optouts.rule import IDENTITY_KINDS
from registry.optouts.sources import Source, read_sources, target_ids
from registry.optouts.wishes import Wishes
from registry.storage import ObjectStore
from registry.storage.item_index import find
from registry.storage.record_rows import take_entries

COLUMNS = ("contributor", "file", "row", "photo", "k", "url", "landing_url", "sha256", "item_id")
SHOWN = pa.schema([(name, pa.string()) for name in ("url", "landing_url", "sha256", "item_id")])
_PHOTO = pa.schema([("photo", pa.string()), ("k", pa.int64())])
NONE = -1  # no photo, or no contributor; fingerprints and ids are never negative


@dataclass(frozen=True)
class Facts:
    """Rows, each once, and the ways to them.

    `manifest`, `file`, `row`, `photo` (the item key of its one photo, else -1) and `shown` are parallel.
    `made`: root -> rows of that maker; `said`: the same, but only of counting sources, identities beyond one
    dataset, and rows with one photo; `saying`: how many such rows attribute a photo; `by_photo`, `by_item`:
    item key -> rows; `at_hosts`: rows at a host somebody points at; `named_hosts`: hosts of a wish, for `in`.
    """

    sources: dict[int, Source]
    manifest: Ints
    file: Ints
    row: Ints
    photo: Ints
    shown: pa.Table
    made: Lookup
    said: Lookup
    saying: Tally
    by_photo: Lookup
    by_item: Lookup
    at_hosts: Ints
    named_hosts: Callable[[Collection[str]], Hosts]


def read_facts(session: Session, items: Engine, store: ObjectStore, wishes: Wishes) -> Facts:
    """Everything the rule needs to decide about these opt-outs."""
    runs = _own_runs(session, wishes)
    sources = read_sources(session, runs)
    own = {m: take_entries(store, source.digest, runs[m], COLUMNS) for m, source in sources.items()}
    photos = _attributed_photos(own, sources, wishes)
    bridges = _bridges(photos, wishes)
    ks = [photos["k"].to_numpy(), ints(wishes.item_keys), *(one.keys for one in bridges.values())]
    hits = find(items, np.unique(np.concatenate(ks)))
    sources |= read_sources(session, set(pc.unique(hits["manifest_id"]).to_pylist()) - sources.keys())
    at_hosts = _at_hosts(session, store, sources, wishes.hosts)
    positions = {m: np.union1d(_positions(hits, m), at_hosts[m]) for m in sources}
    tables = {m: _complete(store, source, own.get(m), positions[m]) for m, source in sources.items()}
    makers = _makers(session, tables.values())
    parts = [_Entries(m, t, makers, _hits_in(hits, m), at_hosts[m]) for m, t in tables.items()]
    for part in parts:
        if part.manifest_id in bridges:
            part.show(bridges[part.manifest_id])
    return _as_facts(sources, parts, named_hosts=partial(hosts_of, session))


def _own_runs(session: Session, wishes: Wishes) -> Mapping[int, Ints]:
    """Manifest -> the positions of the makers' own rows."""
    spans: dict[int, list[Ints]] = defaultdict(list)
    columns = select(ContributorCount.manifest_id, ContributorCount.start, ContributorCount.entries)
    for row in select_in(session, columns, ContributorCount.contributor_id, wishes.handles):
        spans[row.manifest_id].append(np.arange(row.start, row.start + row.entries, dtype=np.int64))
    return {manifest_id: np.concatenate(runs) for manifest_id, runs in spans.items()}


def _attributed_photos(
    own: Mapping[int, pa.Table], sources: Mapping[int, Source], wishes: Wishes
) -> pa.Table:
    """Photos that counting sources attribute to somebody in the batch: `photo`, and its key `k`, each once."""
    handles = pa.array([h.key for h in wishes.handles.values() if h.kind in IDENTITY_KINDS], pa.string())
    found = [_PHOTO.empty_table()]
    for manifest_id, table in own.items():
        if sources[manifest_id].counts:
            known = pc.and_(pc.is_in(table["contributor"], handles), pc.is_valid(table["photo"]))
            found.append(table.select(_PHOTO.names).filter(known))
    return pa.concat_tables(found).group_by(_PHOTO.names).aggregate([])


def _bridges(photos: pa.Table, wishes: Wishes) -> Mapping[int, Lookup]:
    """Withheld version -> the photos' keys as its rows show them, and what photo each is."""
    texts, plain = photos["photo"].combine_chunks(), photos["k"].to_numpy()
    return {one.manifest_id: Lookup.of(photo_keys(one, texts), plain) for one in wishes.blinds if len(plain)}


def _at_hosts(
    session: Session, store: ObjectStore, sources: dict[int, Source], hosts: Collection[str]
) -> Mapping[int, Ints]:
    """Positions of rows at the hosts somebody points at: the one search that must look into every dataset."""
    found: dict[int, Ints] = defaultdict(lambda: ints(()))
    if hosts:
        sources |= read_sources(session, set(target_ids(session)) - sources.keys())
        for source in sources.values():
            if source.target:
                found[source.id] = ints(host_positions(store, source.digest, hosts_of(session, hosts)))
    return found


def _positions(hits: pa.Table, manifest_id: int) -> Ints:
    return _hits_in(hits, manifest_id)[1]


def _hits_in(hits: pa.Table, manifest_id: int) -> tuple[Ints, Ints]:
    """(item key, position) of one manifest."""
    here = hits["manifest_id"].to_numpy() == manifest_id
    return hits["k"].to_numpy()[here], hits["position"].to_numpy()[here]


def _complete(store: ObjectStore, source: Source, own: pa.Table | None, positions: Ints) -> pa.Table:
    """The own runs' entries and those at the other positions."""
    if own is None:
        return take_entries(store, source.digest, positions, COLUMNS)
    rest = np.setdiff1d(positions, own["position"].to_numpy())
    return pa.concat_tables([own, take_entries(store, source.digest, rest, COLUMNS)]) if len(rest) else own


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


class _Entries:
    """One manifest's entries put together to rows: a row with two makers stands twice in its index."""

    def __init__(
        self,
        manifest_id: int,
        table: pa.Table,
        makers: Mapping[str, tuple[int, bool]],
        hits: tuple[Ints, Ints],
        at_hosts: Ints,
    ) -> None:
        place = np.stack([table["file"].to_numpy(), table["row"].to_numpy()], axis=1).astype(np.int64)
        rows, first, self.row_of = np.unique(place, axis=0, return_index=True, return_inverse=True)
        self.manifest_id, self.file, self.row = manifest_id, rows[:, 0], rows[:, 1]
        whole = table.select(["photo", "k", *SHOWN.names]).take(first)
        self.shown = whole.select(SHOWN.names)
        one_photo = pc.if_else(pc.is_valid(whole["photo"]), whole["k"], NONE)
        self.photo: Ints = pc.fill_null(one_photo, NONE).to_numpy().astype(np.int64)
        self.root, self.identity = _roots(table["contributor"], makers)
        position = table["position"].to_numpy()
        order = np.argsort(position)
        self.item_k = hits[0]
        self.item_row: Ints = self.row_of[order[np.searchsorted(position, hits[1], sorter=order)]]
        self.at_hosts: Ints = np.unique(self.row_of[np.isin(position, at_hosts)])

    def show(self, bridge: Lookup) -> None:
        """Say which photo the rows of a withheld version show, where a digest is that of one known here."""
        places = np.minimum(np.searchsorted(bridge.keys, self.item_k), len(bridge.keys) - 1)
        known = bridge.keys[places] == self.item_k
        self.photo = self.photo.copy()
        self.photo[self.item_row[known]] = bridge.values[places[known]]


def _roots(
    contributors: pa.ChunkedArray, makers: Mapping[str, tuple[int, bool]]
) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Each entry's maker: its root (-1 without one), and whether it is an identity beyond its dataset."""
    coded = contributors.combine_chunks().dictionary_encode()
    known = [makers.get(key, (NONE, False)) for key in coded.dictionary.to_pylist()]
    codes = pc.fill_null(coded.indices, len(known)).to_numpy()
    roots = np.array([*(root for root, _ in known), NONE], dtype=np.int64)
    identities = np.array([*(identity for _, identity in known), False], dtype=np.bool_)
    return roots[codes], identities[codes]


def _as_facts(
    sources: dict[int, Source], parts: list[_Entries], *, named_hosts: Callable[[Collection[str]], Hosts]
) -> Facts:
    """All manifests' rows in one set of columns."""
    sizes = np.array([len(part.row) for part in parts], dtype=np.int64)
    offsets = np.cumsum(sizes) - sizes
    photo = _joined([part.photo for part in parts])
    entry_row = _joined([part.row_of + offset for part, offset in zip(parts, offsets, strict=True)])
    root = _joined([part.root for part in parts])
    heard = _joined([part.identity & sources[part.manifest_id].counts for part in parts]).astype(np.bool_)
    said = heard & (photo[entry_row] != NONE)
    every_row = np.arange(len(photo), dtype=np.int64)
    return Facts(
        sources=sources,
        manifest=np.repeat(np.array([part.manifest_id for part in parts], dtype=np.int64), sizes),
        file=_joined([part.file for part in parts]),
        row=_joined([part.row for part in parts]),
        photo=photo,
        shown=pa.concat_tables([SHOWN.empty_table(), *(part.shown for part in parts)]),
        made=Lookup.of(root[root != NONE], entry_row[root != NONE]),
        said=Lookup.of(root[said], entry_row[said]),
        saying=Tally.of(photo[np.unique(entry_row[said])]),
        by_photo=Lookup.of(photo[photo != NONE], every_row[photo != NONE]),
        by_item=Lookup.of(
            _joined([part.item_k for part in parts]),
            _joined([part.item_row + offset for part, offset in zip(parts, offsets, strict=True)]),
        ),
        at_hosts=_joined([part.at_hosts + offset for part, offset in zip(parts, offsets, strict=True)]),
        named_hosts=named_hosts,
    )


def _joined(columns: list[npt.NDArray[np.generic]]) -> Ints:
    return np.concatenate(columns).astype(np.int64) if columns else np.zeros(0, np.int64)
