"""Which rows of which manifests show an item: a narrow table in a database of its own (registry.models.records).

Keys come sorted and go in by small transactions, each followed by a breath. Who waits for SQLite's lock looks every few
milliseconds; a loader that takes it back at once starves them (a 5 M load in one go held it for 22 s).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlalchemy import Connection, Engine, text

from registry.database import writing

LOADED, CHUNK = (
    50_000,
    10_000,
)  # keys of a transaction: each waits for the disk once, and loading does nothing else as long
_ASKED = 20_000
FOUND = pa.schema([("k", pa.int64()), ("manifest_id", pa.int64()), ("position", pa.int64())])
Int64s = npt.NDArray[np.int64]

_ROWS = 400  # rows of one INSERT on SQLite: a statement for each row takes three times as long
_INSERT_UNNESTED = (
    "INSERT INTO item_key (k, manifest_id, position) "
    "SELECT k, %s, position FROM unnest(%s::bigint[], %s::bigint[]) AS new (k, position) ON CONFLICT DO NOTHING"
)
_FIND = {
    "sqlite": "SELECT k, manifest_id, position FROM item_key WHERE k IN (SELECT value FROM json_each(?))",
    "postgresql": "SELECT k, manifest_id, position FROM item_key WHERE k = ANY(%s::bigint[])",
}


def load(
    items: Engine,
    manifest_id: int,
    batches: Iterable[tuple[Int64s, Int64s]],
    *,
    loaded: Callable[[int], None] = lambda _count: None,
) -> int:
    """Put (ks, positions) of one manifest in; what is there already stays.

    `loaded` hears the count after each chunk.
    """
    count = 0
    for ks, positions in _chunks(batches):
        with breathing(), writing(items) as connection:
            _insert(connection, manifest_id, ks, positions)
        count += len(ks)
        loaded(count)
    return count


@contextmanager
def breathing() -> Iterator[None]:
    """Do one piece of a long work, then leave its lock to others for longer than they look away (registry.database)."""
    began = time.monotonic()
    yield
    time.sleep(max(0.01, (time.monotonic() - began) / 10))


def find(items: Engine, ks: Int64s, *, manifest_id: int | None = None) -> pa.Table:
    """Every row that shows one of `ks`, ordered by (k, manifest_id, position); in one manifest where it is named."""
    wanted = np.unique(ks)
    found: list[tuple[int, int, int]] = []
    with items.connect() as connection:
        for start in range(0, len(wanted), _ASKED):
            found += _find(connection, wanted[start : start + _ASKED], manifest_id)
    table = np.array(found, dtype=np.int64).reshape(-1, 3)
    table = table[np.lexsort((table[:, 2], table[:, 1], table[:, 0]))]
    return pa.table([pa.array(table[:, column]) for column in range(3)], schema=FOUND)


def forget(items: Engine, manifest_id: int) -> int:
    """Take all keys of one manifest out, a stretch of `CHUNK` keys of the whole table at a time."""
    gone = 0
    for low, high in _stretches(items):
        with breathing(), writing(items) as connection:
            deleted = connection.execute(
                text("DELETE FROM item_key WHERE k >= :low AND k <= :high AND manifest_id = :manifest"),
                {"low": low, "high": high, "manifest": manifest_id},
            )
            gone += deleted.rowcount
    return gone


def _chunks(batches: Iterable[tuple[Int64s, Int64s]]) -> Iterator[tuple[Int64s, Int64s]]:
    for ks, positions in batches:
        for start in range(0, len(ks), LOADED):
            yield ks[start : start + LOADED], positions[start : start + LOADED]


def _insert(connection: Connection, manifest_id: int, ks: Int64s, positions: Int64s) -> None:
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(_INSERT_UNNESTED, (manifest_id, ks.tolist(), positions.tolist()))
        return
    values = np.column_stack([ks, positions]).ravel()
    for start in range(0, len(values), 2 * _ROWS):
        some = values[start : start + 2 * _ROWS].tolist()
        rows = ",".join([f"(?,{manifest_id:d},?)"] * (len(some) // 2))
        connection.exec_driver_sql(
            f"INSERT OR IGNORE INTO item_key (k, manifest_id, position) VALUES {rows}",  # noqa: S608 - our own number
            tuple(some),
        )


def _find(connection: Connection, ks: Int64s, manifest_id: int | None) -> list[tuple[int, int, int]]:
    dialect = connection.dialect.name
    asked = json.dumps(ks.tolist()) if dialect == "sqlite" else ks.tolist()
    statement: str = _FIND[dialect]
    values: tuple[Any, ...] = (asked,)
    if manifest_id is not None:
        statement += " AND manifest_id = " + ("?" if dialect == "sqlite" else "%s")
        values = (asked, manifest_id)
    cursor = connection.exec_driver_sql(statement, values).cursor
    return list(cursor.fetchall())  # plain tuples: numpy takes 30 times as long over SQLAlchemy's rows


def _stretches(items: Engine) -> Iterator[tuple[int, int]]:
    """(low, high) of k, together the whole table, each at most about `CHUNK` rows."""
    low = -(2**63)
    while True:
        with items.connect() as connection:
            high = connection.scalar(
                text("SELECT k FROM item_key WHERE k >= :low ORDER BY k LIMIT 1 OFFSET :chunk"),
                {"low": low, "chunk": CHUNK},
            )
        yield low, 2**63 - 1 if high is None else high
        if high is None:
            return
        low = high + 1
