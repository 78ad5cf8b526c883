"""What a manifest holds of each maker: handles, counts, samples and names, from the sorted runs into the tables.

In batches, each a short transaction with a breath after it: whoever else writes gets between them. Repeating a batch
changes nothing. None of it is shown before the manifest is published.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from sqlalchemy import case, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from byline.formats.selectors import contributor_kind, public_id
from registry.contributors.hiding import hide_newcomers
from registry.contributors.sealed import seal_of, sealed_maker
from registry.database import Sessions, dialect_of, transaction
from registry.models import Base, Contributor, ContributorCount, ContributorName, Manifest
from registry.storage.item_index import breathing

BATCH = 250
MOST_SAMPLES = 5
RANGES = (1, 10, 100, 1000)  # of records a maker has: 1, 2-9, 10-99, 100-999, 1,000-9,999, more

_YEAR = re.compile(r"(?<!\d)(1[89]\d\d|20\d\d)(?!\d)", re.ASCII)
Row = dict[str, Any]


def count_contributors(
    sessions: Sessions, *, manifest_id: int, makers: Path, counted: Callable[[int], None]
) -> None:
    """Bring every run of `makers` into the tables; `counted` hears how many are in."""
    done = 0
    with pq.ParquetFile(makers) as file:
        for batch in file.iter_batches(batch_size=BATCH):
            runs = batch.to_pylist()
            with breathing(), transaction(sessions) as session:
                _count(session, manifest_id, runs)
            done += len(runs)
            counted(done)


def spread(session: Session, manifest_id: int) -> dict[str, int]:
    """How many makers have how many records in it, by the least number of each range: `{"1": 12, "2": 3, "10": 1}`."""
    records = ContributorCount.records
    least = case(
        (records < 2, 1), *((records < 10 * at, at if at > 1 else 2) for at in RANGES), else_=RANGES[-1] * 10
    )
    counted = (
        select(least.label("least"), func.count())
        .where(ContributorCount.manifest_id == manifest_id)
        .group_by("least")
        .order_by("least")
    )
    return {str(start): count for start, count in session.execute(counted)}


def insert_new(session: Session, table: type[Base], rows: list[Row]) -> None:
    """INSERT … ON CONFLICT DO NOTHING, on either database."""
    if rows:
        insert = postgresql.insert if dialect_of(session) == "postgresql" else sqlite.insert
        # On the connection: the ORM's bulk insert takes several times as long, and holds the write lock meanwhile.
        session.connection().execute(insert(table).on_conflict_do_nothing(), rows)


def ids_of(session: Session, keys: list[str]) -> dict[str, int]:
    """The ids of contributors that are there."""
    rows = session.execute(select(Contributor.key, Contributor.id).where(Contributor.key.in_(keys)))
    return {row.key: row.id for row in rows}


def samples(titles: list[str] | None) -> list[Row]:
    """At most five different titles, each with a year where one can be read in it: what tells namesakes apart."""
    different = list(dict.fromkeys(title.strip() for title in titles or ()))
    return [{"title": title, "year": _year(title)} for title in different[:MOST_SAMPLES]]


def _count(session: Session, manifest_id: int, runs: list[Row]) -> None:
    keys = [run["contributor"] for run in runs]
    dataset_id = session.scalars(select(Manifest.dataset_id).where(Manifest.id == manifest_id)).one()
    known = ids_of(session, keys)
    seal = seal_of(session)
    insert_new(
        session,
        Contributor,
        [_handle(key, dataset_id) | {"sealed": sealed_maker(seal, key)} for key in keys if key not in known],
    )
    # A handle stands for itself until it is linked; 0 is nobody's id.
    session.execute(update(Contributor).where(Contributor.root_id == 0).values(root_id=Contributor.id))
    ids = ids_of(session, keys)
    hide_newcomers(session, keys)
    insert_new(
        session, ContributorCount, [_counted(run, ids[run["contributor"]], manifest_id) for run in runs]
    )
    insert_new(
        session,
        ContributorName,
        [name for run in runs for name in _names(run, ids[run["contributor"]], manifest_id)],
    )


def _handle(key: str, dataset_id: int) -> Row:
    kind, platform = contributor_kind(key)
    local = kind in ("id", "name")
    return {
        "key": key,
        "public_id": public_id(key),
        "kind": kind,
        "platform": platform,
        # `name:PUB/DATASET:Jane` is known as Jane, `flickr:1@N00` as 1@N00.
        "handle": key.split(":", 2 if local else 1)[-1],
        "dataset_id": dataset_id if local else None,
        "root_id": 0,
        "hidden": False,
    }


def _counted(run: Row, contributor_id: int, manifest_id: int) -> Row:
    return {
        "contributor_id": contributor_id,
        "manifest_id": manifest_id,
        "start": run["start"],
        "entries": run["entries"],
        "records": run["entries"],
        "licenses": {one["text"]: one["records"] for one in _by_count(run["licences"])},
        "samples": samples(run["titles"]),
    }


def _names(run: Row, contributor_id: int, manifest_id: int) -> list[Row]:
    return [
        {
            "contributor_id": contributor_id,
            "manifest_id": manifest_id,
            "name": one["text"],
            "records": one["records"],
        }
        for one in _by_count(run["names"])
    ]


def _by_count(pairs: list[Row] | None) -> list[Row]:
    return sorted(pairs or (), key=lambda one: (-one["records"], one["text"]))


def _year(title: str) -> int | None:
    found = _YEAR.search(title)
    return int(found[1]) if found else None
