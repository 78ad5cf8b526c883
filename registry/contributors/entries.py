"""Rows as answers show them: a few entries of a record index, with the names of their files."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import pyarrow as pa
from sqlalchemy import select
from sqlalchemy.orm import Session

from registry.models import ManifestFile
from registry.storage import ObjectStore
from registry.storage.record_index import read_entries
from registry.storage.record_rows import take_entries

COLUMNS = ("file", "row", "url", "landing_url", "license", "license_raw", "title", "creator_name")


def rows_of_runs(
    session: Session, store: ObjectStore, *, manifest: tuple[int, str], ranges: Sequence[tuple[int, int]]
) -> list[dict[str, Any]]:
    """The rows of runs `(start, entries)` of a manifest `(id, digest)`, each once."""
    table = read_entries(store, manifest[1], ranges, COLUMNS)
    return _shown(table, file_names(session, manifest[0]))


def rows_at(
    session: Session, store: ObjectStore, *, manifest: tuple[int, str], positions: Collection[int]
) -> list[dict[str, Any]]:
    """The rows at these positions, each once."""
    table = take_entries(store, manifest[1], positions, COLUMNS)
    return _shown(table, file_names(session, manifest[0]))


def file_names(session: Session, manifest_id: int) -> dict[int, str]:
    """Names of a manifest's files by position."""
    statement = select(ManifestFile.position, ManifestFile.name).where(
        ManifestFile.manifest_id == manifest_id
    )
    return dict(session.execute(statement).all())


def _shown(table: pa.Table, names: dict[int, str]) -> list[dict[str, Any]]:
    seen: dict[tuple[int, int], dict[str, Any]] = {}
    for entry in table.to_pylist():
        seen.setdefault(
            (entry["file"], entry["row"]),
            {
                "file": names.get(entry["file"]),
                "row": entry["row"],
                "url": entry["url"] or entry["landing_url"],
                "landing_url": entry["landing_url"],
                "license": entry["license"] or entry["license_raw"],
                "title": entry["title"],
                "creator_name": entry["creator_name"],
            },
        )
    return list(seen.values())
