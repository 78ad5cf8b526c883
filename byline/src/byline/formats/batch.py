"""Selectors of many records at once, equal to `record_selectors` row by row.

Each URL column is made canonical and read by Arrow; creators repeat, so their columns are read once per
distinct text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from byline.formats.makers import (
    MAYBE_A_PAGE,
    digest_text,
    id_key,
    maker_in_name,
    name_key,
    number_key,
    profile_in_name,
    web_key,
)
from byline.formats.platforms.columns import each_distinct, shown_of_column
from byline.formats.url_columns import Mask, as_mask, canonical_urls, string_array

SCHEMA = pa.schema(
    [
        ("makers", pa.list_(pa.string())),
        ("photos", pa.list_(pa.string())),
        ("url", pa.string()),
        ("landing", pa.string()),
        ("sha256", pa.string()),
    ]
)
ROWS_AT_ONCE = 65_536
"""Small enough that a block's columns stay in the processor's cache, and that no offset overflows 31 bits."""

Fields = dict[str, pa.StringArray]
Columns = Sequence["pa.StringArray | None"]


def batch_selectors(batch: pa.RecordBatch | pa.Table, *, dataset: str) -> pa.Table:
    """One row per record, in order: makers and photos (lists), b1 of url and of landing_url, sha256.

    `batch` holds any of the record fields as string columns; others are ignored.
    """
    rows = batch.num_rows  # a table without columns does not know where it ends: never slice beyond
    starts = range(0, rows, ROWS_AT_ONCE)
    blocks = [_block(batch.slice(start, min(ROWS_AT_ONCE, rows - start)), dataset) for start in starts]
    return pa.Table.from_batches(blocks, schema=SCHEMA)


def _block(batch: pa.RecordBatch | pa.Table, dataset: str) -> pa.RecordBatch:
    names = [field.name for field in batch.schema]
    fields = {name: string_array(batch.column(at)) for at, name in enumerate(names)}
    rows = batch.num_rows
    none = pa.nulls(rows, pa.string())
    url, landing = (canonical_urls(fields.get(name, none)) for name in ("url", "landing_url"))
    seen = [shown_of_column(column) for column in (url, landing) if column.null_count < rows]
    profiles = _Profiles(fields, rows)
    makers = [*(page.maker for page in seen), *profiles.makers()]
    photos, images = [page.photo for page in seen], [page.image for page in seen]
    columns = [
        listed(makers, rows, instead=lambda: [profiles.otherwise(dataset)]),
        listed(photos, rows, instead=lambda: images),
        url,
        landing,
        each_distinct(fields["sha256"], digest_text) if "sha256" in fields else none,
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


class _Profiles:
    """The creator columns, each reduced to its distinct texts and where they stand, when that is first needed."""

    def __init__(self, fields: Fields, rows: int) -> None:
        self.none = pa.nulls(rows, pa.string())
        self._fields = {name: fields[name] for name in fields if name.startswith("creator_")}
        self._encoded: dict[str, pa.DictionaryArray] = {}

    def makers(self) -> Columns:
        """The platform makers that creator_url, creator_id and creator_name show."""
        pages = self._pages
        shown = shown_of_column(pages).maker if pages is not None else None
        return [
            shown.take(self._distinct("creator_url").indices) if shown is not None else None,
            self._each("creator_id", number_key),
            self._each("creator_name", maker_in_name) if self._named_by_pages else None,
        ]

    def otherwise(self, dataset: str) -> pa.StringArray:
        """What stands in where a row shows no platform's maker: web, then id, then name."""
        pages = (
            each_distinct(self._pages, web_key).take(self._distinct("creator_url").indices)
            if self._pages is not None
            else None
        )
        found = (
            pages,
            self._each("creator_name", lambda name: web_key(profile_in_name(name)))
            if self._named_by_pages
            else None,
            self._each("creator_id", lambda number: id_key(number, dataset)),
            self._each("creator_name", lambda name: name_key(name, dataset)),
        )
        return pc.coalesce(*(column for column in found if column is not None), self.none)

    @cached_property
    def _pages(self) -> pa.StringArray | None:
        """B1 of each distinct creator_url."""
        return (
            canonical_urls(self._distinct("creator_url").dictionary)
            if "creator_url" in self._fields
            else None
        )

    @cached_property
    def _named_by_pages(self) -> bool:
        """Whether any name may be, or link, somebody's page: nearly no column has one, and Arrow sees that at once."""
        names = self._fields.get("creator_name")
        return names is not None and bool(pc.any(pc.match_substring_regex(names, MAYBE_A_PAGE)).as_py())

    def _distinct(self, name: str) -> pa.DictionaryArray:
        if name not in self._encoded:
            self._encoded[name] = self._fields[name].dictionary_encode()
        return self._encoded[name]

    def _each(self, name: str, reading: Callable[[str], str | None]) -> pa.StringArray | None:
        if name not in self._fields:
            return None
        encoded = self._distinct(name)
        keys = pa.array([reading(text) for text in encoded.dictionary.to_pylist()], pa.string())
        return keys.take(encoded.indices) if keys.null_count < len(keys) else None


def listed(columns: Columns, rows: int, *, instead: Callable[[], Columns]) -> pa.ListArray:
    """Each row's values over the columns, each once; where there are none, of `instead()`."""
    kept, masks = _distinct(columns)
    empty = ~np.logical_or.reduce(masks) if masks else np.ones(rows, dtype=bool)
    if empty.any():
        others, more = _distinct(instead())
        kept, masks = [*kept, *others], [*masks, *(mask & empty for mask in more)]
    if not kept:
        return pa.ListArray.from_arrays(np.zeros(rows + 1, dtype=np.int32), pa.array([], pa.string()))
    standing = np.column_stack(masks)
    offsets = np.zeros(rows + 1, dtype=np.int32)
    np.cumsum(standing.sum(axis=1), out=offsets[1:])
    if len(kept) == 1:
        return pa.ListArray.from_arrays(offsets, kept[0].filter(pa.array(masks[0])))
    row, column = np.nonzero(standing)
    return pa.ListArray.from_arrays(offsets, pa.concat_arrays(kept).take(pa.array(column * rows + row)))


def _distinct(columns: Columns) -> tuple[list[pa.StringArray], list[Mask]]:
    kept = [column for column in columns if column is not None and column.null_count < len(column)]
    masks: list[Mask] = []
    for at, column in enumerate(kept):
        mask = as_mask(column.is_valid())
        for earlier in kept[:at]:
            mask &= ~as_mask(pc.equal(earlier, column))
        masks.append(mask)
    used = [at for at, mask in enumerate(masks) if mask.any()]
    return [kept[at] for at in used], [masks[at] for at in used]
