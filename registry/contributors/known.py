"""What a published manifest can say: which kinds of makers it knows, which fields are filled.

A manifest's rows never change, so what was found out once is kept.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pyarrow.parquet as pq
from sqlalchemy import select
from sqlalchemy.orm import Session

from registry.models import Contributor, ContributorCount, Manifest
from registry.storage import ObjectStore, open_object
from registry.storage.record_index import index_key

MOST_KEPT = 10_000


@dataclass(frozen=True)
class Known:
    """`makers`: (kind, platform) of its makers. `empty`: columns with a null; `filled`: with a value."""

    makers: frozenset[tuple[str, str | None]]
    empty: frozenset[str]
    filled: frozenset[str]


class _Kept:
    """What was found out, by digest; forgotten all at once when there is too much of it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Known] = {}

    def get(self, digest: str) -> Known | None:
        with self._lock:
            return self._known.get(digest)

    def put(self, digest: str, known: Known) -> None:
        with self._lock:
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            self._known[digest] = known


_KEPT = _Kept()


def known_of(session: Session, store: ObjectStore, manifest: Manifest) -> Known:
    """Find out, or remember. NotFound where the record index is gone."""
    kept = _KEPT.get(manifest.digest)
    if kept is None:
        empty, filled = _columns(store, manifest.digest)
        kept = Known(_makers(session, manifest.id), empty, filled)
        _KEPT.put(manifest.digest, kept)
    return kept


def _makers(session: Session, manifest_id: int) -> frozenset[tuple[str, str | None]]:
    statement = (
        select(Contributor.kind, Contributor.platform)
        .join(ContributorCount, ContributorCount.contributor_id == Contributor.id)
        .where(ContributorCount.manifest_id == manifest_id)
        .distinct()
    )
    return frozenset(session.execute(statement))


def _columns(store: ObjectStore, digest: str) -> tuple[frozenset[str], frozenset[str]]:
    """From the footer alone; a column without statistics counts as both."""
    empty: set[str] = set()
    filled: set[str] = set()
    with open_object(store, index_key(digest)) as source, pq.ParquetFile(source) as index:
        for group in range(index.num_row_groups):
            for column in range(index.metadata.num_columns):
                chunk = index.metadata.row_group(group).column(column)
                name = chunk.path_in_schema.partition(".")[0]
                nulls = (
                    chunk.statistics.null_count
                    if chunk.is_stats_set and chunk.statistics.has_null_count
                    else None
                )
                if nulls is None or nulls > 0:
                    empty.add(name)
                if nulls is None or nulls < chunk.num_values:
                    filled.add(name)
    return frozenset(empty), frozenset(filled)
