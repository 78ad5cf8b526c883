"""Rows of any number, sorted by maker in bounded memory: sorted runs first, then stretch by stretch from all of them.

A run is as many rows as are sorted in memory. A stretch of makers is picked out of every run and sorted alone. A maker
with more rows than a stretch holds (or no maker at all) needs no sort: the rows came in the order of files and rows, so
the runs one after the other are that order.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import chain

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from registry.ahead import ahead
from registry.publishing.runs import Runs
from registry.publishing.stretches import Stretch, stretches
from registry.publishing.task import INDEX, Task
from registry.storage.record_index import SCHEMA, row_group

RUN_BYTES = 96 << 20
STRETCH_BYTES = 128 << 20
RUNS = "runs.arrow"
# Columns whose values stand many times in a row group: sorted by maker, a name is one of them.
_REPEATED = ["contributor", "license", "license_raw", "creator_name"]

# formats.selectors.fingerprint: the first 60 bits of SHA-256("b1|" kind "|" value).
K = "('0x' || substr(sha256('b1|' || {}), 1, 15))::BIGINT"
_KS = f"SELECT nth, {K.format('item')} AS k FROM items"


def write_sorted(connection: duckdb.DuckDBPyConnection, task: Task, rows: Iterator[pa.RecordBatch]) -> None:
    """All rows (`UNSORTED`, by file and row) into the record index: by maker, those without one last."""
    made = ahead(map(partial(_sorted_run, connection), ahead(_cut(rows))))
    first, second = next(made, SCHEMA.empty_table()), next(made, None)
    if second is None:
        _write(task, iter([first]))
        return
    runs = Runs(task.path(RUNS))
    for run in chain([first, second], made):
        runs.add(run)
    runs.finish()
    _write(task, ahead(_in_order(runs)))
    task.path(RUNS).unlink()


def _cut(rows: Iterator[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    held, size = list[pa.RecordBatch](), 0
    for batch in rows:
        held.append(batch)
        size += batch.nbytes
        if size >= RUN_BYTES:
            yield held
            held, size = [], 0
    if held:
        yield held


def _sorted_run(connection: duckdb.DuckDBPyConnection, run: list[pa.RecordBatch]) -> pa.Table:
    table = pa.Table.from_batches(run).combine_chunks()
    keys = _keys(connection, table["item"])
    return table.drop("item").append_column("k", keys).cast(SCHEMA).take(pa.array(_by_maker(table)))


def _keys(connection: duckdb.DuckDBPyConnection, item: pa.ChunkedArray) -> pa.Array:
    """The item key of each row; null where it has none."""
    items = pa.table({"item": item, "nth": np.arange(len(item))})
    with connection.cursor() as cursor:
        cursor.register("items", items)
        found = cursor.execute(_KS).fetchnumpy()  # in any order
    keys = np.zeros(len(item), dtype=np.int64)
    keys[found["nth"]] = np.ma.filled(found["k"], 0)
    return pa.array(keys, mask=np.asarray(item.is_null()))


def _by_maker(table: pa.Table) -> npt.NDArray[np.intp]:
    """The rows by maker, otherwise as they stand; those without one last."""
    coded = table["contributor"].combine_chunks().dictionary_encode()
    makers = len(coded.dictionary)
    rank = np.full(makers + 1, makers)
    rank[np.asarray(pc.sort_indices(coded.dictionary))] = np.arange(makers)
    return np.argsort(rank[np.asarray(coded.indices.fill_null(makers))], kind="stable")


def _in_order(runs: Runs) -> Iterator[pa.Table]:
    cut: Iterator[Stretch] = stretches(runs.weights, most=STRETCH_BYTES)
    for stretch, parts in runs.read(cut):
        if stretch.one:
            yield from parts
            continue
        table = pa.concat_tables([SCHEMA.empty_table(), *parts]).combine_chunks()
        yield table.take(pa.array(_by_maker(table)))


def _write(task: Task, tables: Iterator[pa.Table]) -> None:
    size = row_group(task.rows)
    with pq.ParquetWriter(
        task.path(INDEX), SCHEMA, compression="zstd", compression_level=1, use_dictionary=_REPEATED
    ) as writer:
        held = SCHEMA.empty_table()
        for table in tables:
            held = pa.concat_tables([held, table])
            whole = held.num_rows // size * size
            if whole:
                writer.write_table(held.slice(0, whole), row_group_size=size)
                held = held.slice(whole)
        if held.num_rows:
            writer.write_table(held, row_group_size=size)
