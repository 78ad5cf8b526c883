"""One Parquet a manifest, sorted by contributor: one ranged read gives one person's rows.

A row's `position` is its number in this file. Rows of two makers stand once for each. Rows without a maker come last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from registry.storage import ObjectStore, open_object

ROW_GROUP = 8192
SCHEMA = pa.schema(
    [
        pa.field("contributor", pa.string()),
        pa.field("file", pa.int32(), nullable=False),
        pa.field("row", pa.int64(), nullable=False),
        pa.field("photo", pa.string()),  # exactly one photo, else null
        pa.field("photos", pa.list_(pa.string())),  # two or more, else null
        pa.field("url", pa.string()),
        pa.field("landing_url", pa.string()),
        pa.field("title", pa.string()),
        pa.field("license", pa.string()),  # SPDX where the spelling is known
        pa.field("license_raw", pa.string()),
        pa.field("creator_name", pa.string()),
        pa.field("sha256", pa.string()),
        pa.field("item_id", pa.string()),
        pa.field("k", pa.int64()),  # the row's identity item key: its photo, else its URL
    ]
)
COLUMNS = tuple(SCHEMA.names)


def row_group(rows: int) -> int:
    """Rows of a row group in an index of so many: few enough to be read for one person, not so many that the footer is long."""
    return min(max(ROW_GROUP, rows // 2048 // 2048 * 2048), 8 * ROW_GROUP)


def index_key(digest: str) -> str:
    """Where the record index of a manifest lies in the store."""
    return f"records/{digest}.parquet"


def write_entries(store: ObjectStore, digest: str, table: pa.Table) -> None:
    """Write a small index from a table in memory, sorted already; missing columns are null."""
    rows = table.num_rows
    columns = [
        table[field.name].cast(field.type) if field.name in table.schema.names else pa.nulls(rows, field.type)
        for field in SCHEMA
    ]
    sink = pa.BufferOutputStream()
    pq.write_table(
        pa.Table.from_arrays(columns, schema=SCHEMA), sink, row_group_size=ROW_GROUP, compression="zstd"
    )
    store.put(index_key(digest), sink.getvalue().to_pybytes())


def read_entries(
    store: ObjectStore, digest: str, ranges: Sequence[tuple[int, int]], columns: Sequence[str] | None = None
) -> pa.Table:
    """The rows of `ranges` (start, entries) in the order given, with their `position`; NotFound where there is no index."""
    wanted = list(columns) if columns is not None else list(COLUMNS)
    with open_object(store, index_key(digest)) as source, pq.ParquetFile(source, pre_buffer=True) as index:
        bounds = _bounds(index)
        parts = [
            _run(index, bounds, start=start, entries=entries, columns=wanted)
            for start, entries in ranges
            if entries > 0
        ]
        schema = pa.schema(
            [*(index.schema_arrow.field(name) for name in wanted), pa.field("position", pa.int64())]
        )
    return pa.concat_tables(parts) if parts else schema.empty_table()


def scan_entries(store: ObjectStore, digest: str, columns: Sequence[str]) -> Iterator[pa.Table]:
    """The whole index, a bounded stretch at a time, with `position`."""
    with open_object(store, index_key(digest)) as source, pq.ParquetFile(source) as index:
        position = 0
        for batch in index.iter_batches(batch_size=65_536, columns=list(columns)):
            table = pa.Table.from_batches([batch])
            yield _numbered(table, position)
            position += table.num_rows


def _bounds(index: pq.ParquetFile) -> npt.NDArray[np.int64]:
    """The position each row group begins at, and one past the last."""
    sizes = [index.metadata.row_group(group).num_rows for group in range(index.num_row_groups)]
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])


def _run(
    index: pq.ParquetFile, bounds: npt.NDArray[np.int64], *, start: int, entries: int, columns: list[str]
) -> pa.Table:
    first = int(np.searchsorted(bounds, start, side="right")) - 1
    last = int(np.searchsorted(bounds, start + entries, side="left"))
    table = index.read_row_groups(
        list(range(max(first, 0), min(last, index.num_row_groups))), columns=columns
    )
    base = int(bounds[max(first, 0)])
    return _numbered(table.slice(start - base, entries), start)


def _numbered(table: pa.Table, start: int) -> pa.Table:
    return table.append_column("position", pa.array(np.arange(start, start + table.num_rows, dtype=np.int64)))
