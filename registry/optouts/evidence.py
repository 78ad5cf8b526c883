"""Whether a newer version shows that rows were taken out, or only that they are harder to find. Columns, no tables.

Rows that are gone are evidence as long as the version says of its rows as much as the one before did: a column
that was dropped, blanked or filled with other people's addresses makes everybody invisible and nobody absent.
Source: docs/formats/evidence.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyroaring import BitMap64

from registry.storage import ObjectStore
from registry.storage.record_index import scan_entries

SAYS = {
    "contributor": "who made them",
    "photo": "which photo they show",
    "photos": "what they show",
    "url": "their address",
    "sha256": "their file's digest",
    "item_id": "their id",
}
FINDS = ("photo", "photos", "url", "sha256", "item_id")
"""By these a row is known again; of several `photos` (or digests, where rows are withheld) by the first."""
_PLACE = pa.schema([("file", pa.int32()), ("row", pa.int64())])


@dataclass(frozen=True)
class Filled:
    """How many entries a record index has, and in how many each column says something."""

    entries: int
    said: Mapping[str, int]


def filled(store: ObjectStore, digest: str) -> Filled:
    """Count a version's columns."""
    said, entries = dict.fromkeys(SAYS, 0), 0
    for table in scan_entries(store, digest, tuple(SAYS)):
        entries += table.num_rows
        for column in SAYS:
            said[column] += table.num_rows - table[column].null_count
    return Filled(entries, said)


def rows_at(store: ObjectStore, digest: str, rows: Mapping[int, BitMap64]) -> pa.Table:
    """The entries of these rows (file -> ordinals), with `file`, `row` and what identifies them."""
    wanted = {file: np.array(some.to_array()).astype(np.int64) for file, some in rows.items()}
    parts = [_first(_at(table, wanted)) for table in scan_entries(store, digest, (*_PLACE.names, *SAYS))]
    empty = pa.schema([*_PLACE, *((name, pa.string()) for name in SAYS), ("position", pa.int64())])
    return pa.concat_tables(parts) if parts else empty.empty_table()


def among(table: pa.Table, rows: Mapping[int, BitMap64]) -> pa.Table:
    """Those entries of a table of `rows_at` that are of these rows."""
    return _at(table, {file: np.array(some.to_array()).astype(np.int64) for file, some in rows.items()})


def found_again(store: ObjectStore, digest: str, table: pa.Table) -> dict[str, pa.Array]:
    """Column -> values of the table's rows that stand in another version, too."""
    values = {name: pc.unique(table[name].drop_null().combine_chunks()) for name in FINDS}
    found: dict[str, list[pa.Array]] = {name: [] for name in FINDS}
    for part in scan_entries(store, digest, FINDS):
        for name in FINDS:
            shown = pc.list_flatten(part[name]) if name == "photos" else part[name]
            here = shown.filter(pc.is_in(shown, value_set=values[name]))
            found[name].append(pc.unique(here.drop_null().combine_chunks()))
    return {
        name: pa.concat_arrays(some) if some else pa.array([], pa.string()) for name, some in found.items()
    }


def why_not(own: pa.Table, before: Filled, after: Filled, again: Mapping[str, pa.Array]) -> str | None:
    """Why a version is no evidence that rows (`own`, as they were) are gone; None where it is."""
    if own.num_rows == 0:
        return "it cannot be told which rows they were"
    for name in FINDS:
        if pc.any(pc.is_in(own[name].drop_null(), value_set=again[name])).as_py():
            return f"{SAYS[name]} still stands in it"
    for name, words in SAYS.items():
        if own[name].null_count < own.num_rows and _says_less(name, before, after):
            return f"fewer of its rows say {words} than before: they may be there unseen"
    return None


def _first(table: pa.Table) -> pa.Table:
    at = table.schema.get_field_index("photos")
    given = pc.greater(pc.fill_null(pc.list_value_length(table["photos"]), 0), 0)
    first = [
        pc.list_element(some, 0) if len(some) else pa.array([], pa.string())
        for some in table["photos"].filter(given).chunks
    ]
    texts = pa.chunked_array(first, pa.string()).combine_chunks()
    places = pc.if_else(given, pc.subtract(pc.cumulative_sum(pc.cast(given, pa.int64())), 1), None)
    return table.set_column(at, "photos", texts.take(places))


def _says_less(column: str, before: Filled, after: Filled) -> bool:
    """More rows without it, and a larger share: taking out rows that have it is neither."""
    more = after.entries - after.said[column] > before.entries - before.said[column]
    return more and after.said[column] * before.entries < before.said[column] * after.entries


def _at(table: pa.Table, wanted: Mapping[int, np.ndarray]) -> pa.Table:
    file, row = table["file"].to_numpy(), table["row"].to_numpy()
    here = np.zeros(table.num_rows, dtype=np.bool_)
    for number, some in wanted.items():
        here |= (file == number) & np.isin(row, some)
    return table.filter(pa.array(here))
