"""Rows scattered over a record index: each row group that holds one is decoded once, a few at a time."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from registry.storage import ObjectStore
from registry.storage.open_index import OpenIndex, open_index
from registry.storage.record_index import index_key

ROWS_AT_ONCE = 262_144  # decoded: some 60 MB with long URLs


def take_entries(
    store: ObjectStore,
    digest: str,
    positions: Collection[int] | npt.NDArray[np.int64],
    columns: Sequence[str],
) -> pa.Table:
    """The entries at `positions`, each once, ascending, with their `position`.

    NotFound where there is no index.
    """
    wanted = np.unique(np.fromiter(positions, np.int64, len(positions)))
    with open_index(store, index_key(digest)) as index:
        fields = [index.file.schema_arrow.field(name) for name in columns]
        parts = list(_parts(index, wanted, list(columns)))
    schema = pa.schema([*fields, pa.field("position", pa.int64())])
    return pa.concat_tables(parts) if parts else schema.empty_table()


def _parts(index: OpenIndex, wanted: npt.NDArray[np.int64], columns: list[str]) -> Sequence[pa.Table]:
    starts = index.starts
    groups_of = np.searchsorted(starts, wanted, side="right") - 1
    groups = np.unique(groups_of)
    at_once = max(1, ROWS_AT_ONCE // int(np.diff(starts).max(initial=1)))
    parts = []
    for at in range(0, len(groups), at_once):
        some = groups[at : at + at_once]
        here = wanted[(groups_of >= some[0]) & (groups_of <= some[-1])]
        table = index.file.read_row_groups([int(group) for group in some], columns=columns)
        # Where each of these groups begins in the table just read.
        begins = np.concatenate([[0], np.cumsum(starts[some + 1] - starts[some])])[:-1]
        group_at = np.searchsorted(starts[some], here, side="right") - 1
        taken = table.take(pa.array(here - starts[some][group_at] + begins[group_at]))
        parts.append(taken.append_column("position", pa.array(here)))
    return parts
