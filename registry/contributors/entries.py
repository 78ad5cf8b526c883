"""Rows as answers show them: a few entries of a record index, with the names of their files."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import quote

import pyarrow as pa
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from byline.formats.manifest import RESTRICTED
from byline.formats.platforms import BY_NAME
from registry.contributors.people import flushed
from registry.models import Manifest, ManifestFile
from registry.storage import ObjectStore
from registry.storage.record_index import read_entries
from registry.storage.record_rows import take_entries

ALL, OPEN = "all", "open"
"""Of which datasets answers name rows: the setting `rows_shown`."""
COLUMNS = ("file", "row", "photo", "url", "landing_url", "license", "license_raw", "title", "creator_name")
_FILES = select(ManifestFile.position, ManifestFile.name).where(
    ManifestFile.manifest_id == bindparam("manifest")
)


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


def as_public(rows: list[dict[str, Any]], manifest: Manifest, *, shown: str) -> list[dict[str, Any]]:
    """Rows as everybody may see them: with `shown` = open less where the publisher says that not everybody has the files.

    The feed is public. Beside whose row is which, or an image's unguessable address, it would tell anybody who
    objected, not only who holds the files. `file` and `row` are null then, and `url` is the photo's page.
    """
    told = [{name: value for name, value in row.items() if name != "photo"} for row in rows]
    if shown != OPEN or manifest.access not in RESTRICTED:
        return told
    pages = [row["landing_url"] or _page(row["photo"]) for row in rows]
    return [row | {"file": None, "row": None, "url": page} for row, page in zip(told, pages, strict=True)]


def _page(photo: str | None) -> str | None:
    """Where a photo is looked at, by its id alone; None where its platform has no such address."""
    name, _, number = (photo or "").partition(":")
    page = BY_NAME[name].photo_page if name in BY_NAME else None
    return page.format(quote(number)) if page else None


def file_names(session: Session, manifest_id: int) -> dict[int, str]:
    """Names of a manifest's files by position."""
    return dict(flushed(session).execute(_FILES, {"manifest": manifest_id}).all())


def _shown(table: pa.Table, names: dict[int, str]) -> list[dict[str, Any]]:
    seen: dict[tuple[int, int], dict[str, Any]] = {}
    for entry in table.to_pylist():
        seen.setdefault(
            (entry["file"], entry["row"]),
            {
                "file": names.get(entry["file"]),
                "row": entry["row"],
                "photo": entry["photo"],
                "url": entry["url"] or entry["landing_url"],
                "landing_url": entry["landing_url"],
                "license": entry["license"] or entry["license_raw"],
                "title": entry["title"],
                "creator_name": entry["creator_name"],
            },
        )
    return list(seen.values())
