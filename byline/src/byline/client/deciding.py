"""Which records of one file go: by its row feed, or asked one by one of the key feed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa

from byline.client.asking import Asking, Question
from byline.client.feed import KEPT, ROW, UNREADABLE, Feed, Use, Verdicts
from byline.client.item_ids import ItemIds
from byline.client.layout import Columns, same_columns
from byline.client.report import Tally
from byline.client.sampling import sampled
from byline.client.sources import Source
from byline.client.tiers import Tier
from byline.errors import Refused
from byline.formats.names import column_names
from byline.formats.numbered import NumberedBatch, ReadOptions
from byline.formats.parquet_reader import read_parquet
from byline.formats.records import DEFAULT, read_records

Decided = Iterator[tuple[NumberedBatch | None, Verdicts]]


def by_keys(source: Source, options: ReadOptions, asking: Asking, *, tally: Tally, whole: bool) -> Decided:
    """Batches with a verdict for each record; what cannot be read as a record cannot be asked about."""
    columns = tally.columns or Columns((), ())
    names = same_columns((*columns.urls, *columns.digests))
    split = len(columns.urls)

    def questions() -> Iterator[tuple[NumberedBatch, Question]]:
        for batch in _read(source, replace(options, columns=names), whole=whole):
            fields = [batch.rows.column(name) for name in names]
            question = Question(fields[:split], fields[split:])
            tally.sampled = tally.sampled or sampled(question)
            yield batch, question

    for batch, found in asking.verdicts(questions()):
        if not batch.bad:
            yield batch, found
            continue
        verdicts = np.full(batch.next_row - batch.first_row, UNREADABLE, dtype=np.uint8)
        verdicts[batch.rows.column("row").to_numpy() - batch.first_row] = found
        yield batch, verdicts


def by_ids(
    source: Source, options: ReadOptions, known: ItemIds, *, column: str, asked: tuple[Use, bool]
) -> Decided:
    """Batches with a verdict for each record, by the dataset's own ids; `asked`: the use, and whether whole rows are needed."""
    use, whole = asked
    for batch in _read(source, replace(options, columns={"c0": column}), whole=whole):
        found = known.verdicts(batch.rows.column("c0"), use=use)
        verdicts = np.full(batch.next_row - batch.first_row, UNREADABLE, dtype=np.uint8)
        verdicts[batch.rows.column("row").to_numpy() - batch.first_row] = found
        yield batch, verdicts


def read_ids(source: Source, options: ReadOptions, column: str) -> pa.ChunkedArray:
    """The ids of a whole file: with a list, nothing less tells which list it is."""
    batches = _read(source, replace(options, columns={"c0": column}), whole=False)
    return pa.chunked_array(
        [batch.rows.column("c0").cast(pa.large_string()) for batch in batches], pa.large_string()
    )


def by_rows(source: Source, tier: Tier, feed: Feed, *, use: Use, written: bool) -> Decided:
    """All records at once where nothing is written: the file is not read again. Else batches."""
    if tier.options is None:
        raise AssertionError("a row tier knows how its file is read")
    total = tier.entries[0].records
    rows = np.array(tier.rows(feed, use).to_array(), dtype=np.int64)
    if len(rows) and int(rows[-1]) >= total:
        raise Refused("bad-row-feed", f"{source.name}: the row feed names rows beyond the file's {total:,}")
    verdicts = np.full(total, KEPT, dtype=np.uint8)
    verdicts[np.array(tier.bad.to_array(), dtype=np.int64)] = UNREADABLE
    verdicts[rows] = ROW
    if not written:
        yield None, verdicts
        return
    records = 0
    for batch in _read(source, _any_column(source, tier.options, tier), whole=True):
        records = batch.next_row
        if records > total:
            break
        yield batch, verdicts[batch.first_row : records]
    if records != total:
        raise Refused("file-changed", f"{source.name} has other records than a moment ago", at=source.name)


def _any_column(source: Source, options: ReadOptions, tier: Tier) -> ReadOptions:
    column = next((entry.column for entry in tier.entries if entry.column), None)
    if column is None:
        with source.open() as file:
            column = column_names(file, options)[0]
    return replace(options, columns={"c0": column})


def _read(source: Source, options: ReadOptions, *, whole: bool) -> Iterator[NumberedBatch]:
    with source.open() as file:
        if options.format == "parquet":
            yield from read_parquet(file, options, DEFAULT, whole=whole)
        else:
            yield from read_records(file, options)
