"""Which handles a manifest shows to be one maker's: by one record, or by two attributions of one photo.

Links are evidence with a source, nothing more; whose evidence counts is decided where roots are computed
(registry.contributors.aliases). Only a platform's photo id joins two datasets.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import Engine, exists, select
from sqlalchemy.orm import Session

from registry.database import Sessions, transaction
from registry.models import AliasLink, Contributor, ContributorCount, Manifest
from registry.publishing.contributors import Row, ids_of, insert_new
from registry.storage import item_index

BATCH = 1_000
KEYS = 100_000
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Handles:
    """The handles of one manifest along its record index: where each run begins and ends, and whose it is."""

    start: Int64s
    end: Int64s
    contributor: Int64s
    kind: list[str]
    platform: list[str]

    def at(self, positions: Int64s) -> Int64s:
        """The number of the run each position lies in, -1 where it lies in none of them."""
        if len(self.start) == 0:
            return np.full(len(positions), -1, dtype=np.int64)
        run = np.searchsorted(self.start, positions, side="right") - 1
        return np.where((run >= 0) & (positions < self.end[run]), run, -1)


def learn_own_links(sessions: Sessions, *, manifest_id: int, links: Path) -> None:
    """Links found within the extract."""
    with pq.ParquetFile(links) as file:
        for batch in file.iter_batches(batch_size=BATCH):
            pairs = batch.to_pylist()
            with transaction(sessions) as session:
                ids = ids_of(session, sorted({pair[side] for pair in pairs for side in ("alias", "number")}))
                insert_new(session, AliasLink, [_own(pair, ids, manifest_id) for pair in pairs])


def learn_photo_links(sessions: Sessions, items: Engine, *, manifest_id: int, keys: Path) -> None:
    """An alias here and a number there (or the other way round), of one platform, for one photo."""
    with sessions() as session:
        if not _others_link(session, manifest_id):
            return
        mine = handles_of(session, manifest_id)
    known: dict[int, Handles] = {}
    for ks, positions in bridging_keys(keys):
        found = item_index.find(items, ks)
        found = found.filter(pc.not_equal(found["manifest_id"], manifest_id))
        for other in pc.unique(found["manifest_id"]).to_pylist():
            with sessions() as session:
                theirs = known.setdefault(other, handles_of(session, other))
            shared = found.filter(pc.equal(found["manifest_id"], other))
            pairs = _joined(ks, mine.at(positions), shared=shared, mine=mine, theirs=theirs)
            with transaction(sessions) as session:
                insert_new(
                    session, AliasLink, [_by_photo(pair, manifest_id, other) for pair in sorted(pairs)]
                )


def handles_of(session: Session, manifest_id: int) -> Handles:
    """Numbers and aliases of a manifest, on its way or published.

    Of two manifests on their way at once the later one to come here sees the other whole; a link of one that is refused
    in the end goes with it.
    """
    rows = session.execute(
        select(
            ContributorCount.start,
            ContributorCount.entries,
            Contributor.id,
            Contributor.kind,
            Contributor.platform,
        )
        .join(Contributor, Contributor.id == ContributorCount.contributor_id)
        .join(Manifest, Manifest.id == ContributorCount.manifest_id)
        .where(
            ContributorCount.manifest_id == manifest_id,
            Contributor.kind.in_(("alias", "number")),
            Manifest.state != "voided",
        )
        .order_by(ContributorCount.start)
    ).all()
    start = np.array([row.start for row in rows], dtype=np.int64)
    entries = np.array([row.entries for row in rows], dtype=np.int64)
    contributor = np.array([row.id for row in rows], dtype=np.int64)
    kinds = [row.kind for row in rows]
    return Handles(start, start + entries, contributor, kinds, [row.platform or "" for row in rows])


def bridging_keys(keys: Path) -> Iterator[tuple[Int64s, Int64s]]:
    """(ks, positions) of rows that show exactly one photo, in key order."""
    with pq.ParquetFile(keys) as file:
        for batch in file.iter_batches(batch_size=KEYS):
            kept = batch.filter(batch["bridges"])
            if kept.num_rows:
                yield kept["k"].to_numpy(), kept["position"].to_numpy()


def _others_link(session: Session, manifest_id: int) -> bool:
    """Whether any other manifest knows a maker by a platform's handle at all."""
    others = (
        select(ContributorCount.manifest_id)
        .join(Contributor, Contributor.id == ContributorCount.contributor_id)
        .where(ContributorCount.manifest_id != manifest_id, Contributor.kind.in_(("alias", "number")))
    )
    return bool(session.scalar(select(exists(others))))


def _joined(
    ks: Int64s, runs: Int64s, *, shared: pa.Table, mine: Handles, theirs: Handles
) -> set[tuple[int, int]]:
    """(alias, number) ids that stand at the same photo on the two sides."""
    shared_ks, their_runs = shared["k"].to_numpy(), theirs.at(shared["position"].to_numpy())
    pairs = set()
    for k, their in zip(shared_ks.tolist(), their_runs.tolist(), strict=True):
        low, high = np.searchsorted(ks, k, side="left"), np.searchsorted(ks, k, side="right")
        for run in runs[low:high].tolist():
            if run >= 0 and their >= 0 and mine.platform[run] == theirs.platform[their]:
                kinds = {
                    mine.kind[run]: int(mine.contributor[run]),
                    theirs.kind[their]: int(theirs.contributor[their]),
                }
                if len(kinds) == 2:
                    pairs.add((kinds["alias"], kinds["number"]))
    return pairs


def _own(pair: Row, ids: dict[str, int], manifest_id: int) -> Row:
    by_record = pair["how"] == "record"
    return {
        "alias_id": ids[pair["alias"]],
        "number_id": ids[pair["number"]],
        "source": f"manifest:{manifest_id}" if by_record else f"photo:{manifest_id}:{manifest_id}",
        "manifest_id": manifest_id,
        "other_manifest_id": None,
        "how": pair["how"],
        "records": pair["records"],
    }


def _by_photo(pair: tuple[int, int], manifest_id: int, other: int) -> Row:
    low, high = sorted((manifest_id, other))
    return {
        "alias_id": pair[0],
        "number_id": pair[1],
        "source": f"photo:{low}:{high}",
        "manifest_id": manifest_id,
        "other_manifest_id": other,
        "how": "photo",
        "records": 0,
    }
