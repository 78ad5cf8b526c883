"""Rows of any number, sorted by maker in bounded memory: sorted runs first, then stretch by stretch from all of them.

One sort of everything needs memory for each of its spilled runs at once, and so grows with the dataset. Here a run
is as many rows as one sort takes easily; marks read from the runs then cut the makers into stretches of about as
many rows, and each stretch is sorted alone. A maker with more rows than a stretch holds (or no maker at all) needs
no sort: the rows came in the order of files and rows, so the runs one after the other are that order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import cast

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from registry.publishing.rows import UNSORTED
from registry.publishing.task import INDEX, Task
from registry.storage.record_index import row_group

RUN = 5_000_000
STRETCH = 2_000_000
MARK = 4_096  # rows of a run from one mark to the next

# formats.selectors.fingerprint: the first 60 bits of SHA-256("b1|" kind "|" value).
K = "('0x' || substr(sha256('b1|' || {}), 1, 15))::BIGINT"

_RUN = f"""
    SELECT contributor, file, row, photo, photos, url, landing_url, title, license, license_raw, creator_name,
           sha256, item_id, {K.format("item")} AS k
    FROM unsorted ORDER BY contributor NULLS LAST, file, row
"""
_MARKS = f"""
    SELECT contributor FROM read_parquet($path, file_row_number = true)
    WHERE file_row_number % {MARK} = 0 AND contributor IS NOT NULL
"""


@dataclass(frozen=True)
class Stretch:
    """Makers from `low` (itself not, where `above`) to before `high`; None is no bound. `one`: just `low`, all its rows."""

    low: str | None
    above: bool
    high: str | None
    one: bool = False

    def where(self) -> tuple[str, dict[str, str]]:
        """A condition, and what it names."""
        if self.one:
            return (
                ("contributor = $low", {"low": self.low})
                if self.low is not None
                else ("contributor IS NULL", {})
            )
        parts = [
            (f"contributor {'>' if self.above else '>='} $low", "low", self.low),
            ("contributor < $high", "high", self.high),
        ]
        given = [(text, name, value) for text, name, value in parts if value is not None]
        words = " AND ".join(["contributor IS NOT NULL", *(text for text, _, _ in given)])
        return words, {name: value for _, name, value in given}


def write_sorted(connection: duckdb.DuckDBPyConnection, task: Task, rows: Iterator[pa.RecordBatch]) -> None:
    """All rows (`UNSORTED`, by file and row) into the record index: by maker, those without one last."""
    runs = list(_write_runs(connection, task, rows))
    if len(runs) == 1:
        task.path(runs[0]).rename(task.path(INDEX))
        return
    _merge(connection, task, [str(task.path(run)) for run in runs])
    for run in runs:
        task.path(run).unlink()


def stretches(marks: Counter[str], *, most: int) -> Iterator[Stretch]:
    """Cut makers into stretches of about `most` marks; one with as many of its own stands alone; no maker comes last."""
    low, above, held = None, False, 0
    for maker, count in sorted(marks.items()):
        if count >= most:
            yield Stretch(low, above, maker)
            yield Stretch(maker, above=False, high=None, one=True)
            low, above, held = maker, True, 0
        elif held + count > most:
            yield Stretch(low, above, maker)
            low, above, held = maker, False, count
        else:
            held += count
    yield Stretch(low, above, None)
    yield Stretch(None, above=False, high=None, one=True)


def _write_runs(
    connection: duckdb.DuckDBPyConnection, task: Task, rows: Iterator[pa.RecordBatch]
) -> Iterator[str]:
    number = 0
    first = next(rows, None)
    while first is not None or number == 0:
        name = f"run-{number}.parquet"
        piece = _some(chain([first] if first is not None else [], rows))
        connection.register("unsorted", pa.RecordBatchReader.from_batches(UNSORTED, piece))
        connection.execute(
            f"COPY ({_RUN}) TO {quoted(str(task.path(name)))} "
            f"(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE {row_group(task.rows)})"
        )
        connection.unregister("unsorted")
        yield name
        number, first = number + 1, next(rows, None)


def _some(rows: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Batches of one run; the rest stays in `rows`."""
    taken = 0
    for batch in rows:
        yield batch
        taken += batch.num_rows
        if taken >= RUN:
            return


def _merge(connection: duckdb.DuckDBPyConnection, task: Task, runs: list[str]) -> None:
    marks: Counter[str] = Counter()
    for run in runs:
        marks.update(maker for (maker,) in connection.execute(_MARKS, {"path": run}).fetchall())
    schema = pq.read_schema(runs[0])
    size = row_group(task.rows)
    with pq.ParquetWriter(task.path(INDEX), schema, compression="zstd", compression_level=1) as writer:
        held: list[pa.RecordBatch] = []
        for batch in _in_order(connection, runs, stretches(marks, most=max(STRETCH // MARK, 1)), size):
            held.append(batch)
            if sum(one.num_rows for one in held) >= size:
                held = _write_whole(writer, held, size)
        if held:
            writer.write_table(pa.Table.from_batches(held))


def _write_whole(writer: pq.ParquetWriter, held: list[pa.RecordBatch], size: int) -> list[pa.RecordBatch]:
    """Write what fills row groups; the rest is kept for the next."""
    table = pa.Table.from_batches(held)
    whole = table.num_rows // size * size
    writer.write_table(table.slice(0, whole), row_group_size=size)
    return list(table.slice(whole).to_batches())


def _in_order(
    connection: duckdb.DuckDBPyConnection, runs: list[str], cut: Iterator[Stretch], size: int
) -> Iterator[pa.RecordBatch]:
    for stretch in cut:
        where, values = stretch.where()
        for paths in [[run] for run in runs] if stretch.one else [runs]:
            query = f"SELECT * FROM read_parquet($paths) WHERE {where} ORDER BY contributor, file, row"
            found = connection.sql(query, params={**values, "paths": paths})
            yield from cast("pa.RecordBatchReader", found.to_arrow_reader(size))


def quoted(text: str) -> str:
    """A text as SQL says it."""
    return "'" + text.replace("'", "''") + "'"
