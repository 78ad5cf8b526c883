"""One Parquet a manifest, sorted by contributor: one ranged read gives one person's rows.

A row's `position` is its number in this file. Rows of two makers stand once for each. Rows without a maker come last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from registry.storage import ObjectStore, open_object
from registry.storage.open_index import OpenIndex, open_index

ROW_GROUP, LARGEST_GROUP = 2048, 65_536
_GROUPS = 8192  # about so many: a photo of nobody known is one row of a group that is decoded whole
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
    return min(max(ROW_GROUP, rows // _GROUPS // 2048 * 2048), LARGEST_GROUP)


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
    with open_index(store, index_key(digest)) as index:
        parts = [
            _run(index, start=start, entries=entries, columns=wanted)
            for start, entries in ranges
            if entries > 0
        ]
        schema = pa.schema(
            [*(index.file.schema_arrow.field(name) for name in wanted), pa.field("position", pa.int64())]
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


def _run(index: OpenIndex, *, start: int, entries: int, columns: list[str]) -> pa.Table:
    starts = index.starts
    first = max(int(np.searchsorted(starts, start, side="right")) - 1, 0)
    last = min(int(np.searchsorted(starts, start + entries, side="left")), len(starts) - 1)
    # One group is decoded sooner here than in the threads it would be handed to.
    table = index.file.read_row_groups(
        list(range(first, last)), columns=columns, use_threads=last - first > 1
    )
    return _numbered(table.slice(start - int(starts[first]), entries), start)


def _numbered(table: pa.Table, start: int) -> pa.Table:
    return table.append_column("position", pa.array(np.arange(start, start + table.num_rows, dtype=np.int64)))
