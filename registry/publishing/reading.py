"""An extract, read as if an enemy had written it: bounds first, then bounded batches, each row looked at.

Dictionary-coded columns stay dictionaries until their true size is known: in 6 kB of Parquet one long string
can stand a hundred million times. What gets past these bounds still meets the limits of the process that runs
this.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from byline.errors import Refused
from registry.publishing.checks import MAX_ERRORS, Order, check_strings, lengths_of
from registry.publishing.task import Task

BATCH = 65_536
MAX_FOOTER = 32 << 20
MAX_BATCH_BYTES = 16 << 20
# A row of an honest extract takes bytes of its own; a megabyte of Parquet cannot stand for a billion rows.
ROWS_PER_BYTE, FREE_ROWS = 64, 100_000
# How far strings may unfold from the bytes that were sent: real lists unfold 3 to 30 times.
UNFOLD, FREE_BYTES = 200, 64 << 20
_INTEGERS = {"file": pa.int32(), "row": pa.int64()}
_REPEATS = frozenset({"DELTA_BYTE_ARRAY"})  # shares prefixes: unfolds without a dictionary that would show it


def read_extract(task: Task) -> Iterator[pa.RecordBatch]:
    """Batches of at most 65,536 checked rows.

    `file`, `row` and the mapped fields as plain strings, in the extract's order.
    """
    order = Order(task.files)
    budget = sum(task.path(part).stat().st_size for part in task.parts) * UNFOLD + FREE_BYTES
    check_rows(task)
    for part in task.parts:
        for batch in _read_part(task.path(part), task):
            budget -= _true_size(batch)
            if budget < 0:
                raise Refused(
                    "extract-unfolds-too-far",
                    "the extract's strings are far more than what was sent; it is not read",
                    at=part,
                )
            for piece in _pieces(batch):
                errors = [*order.check(piece), *check_strings(piece, task)]
                if errors:
                    raise Refused(
                        "bad-rows",
                        f"rows of the extract cannot be taken, the first: {errors[0]['message']}",
                        details=errors[:MAX_ERRORS],
                    )
                yield piece
    order.finish(task.rows)


def check_rows(task: Task) -> None:
    """Refuse what the footers alone give away: another schema, another number of rows, more rows than bytes can hold."""
    rows = 0
    for part in task.parts:
        with open_part(task.path(part)) as file:
            _check_schema(file.schema_arrow, task, part)
            _check_encodings(file.metadata, part)
            if file.metadata.num_rows > task.path(part).stat().st_size * ROWS_PER_BYTE + FREE_ROWS:
                raise Refused(
                    "extract-unfolds-too-far",
                    f"{file.metadata.num_rows:,} rows in so few bytes are not believed",
                    at=part,
                )
            rows += file.metadata.num_rows
    if rows != task.rows:
        raise Refused(
            "wrong-row-count",
            f"the extract has {rows:,} rows, the manifest says {task.rows:,}",
            at="predicate.records.extract.rows",
        )


def open_part(path: Path, dictionaries: list[str] | None = None) -> pq.ParquetFile:
    """A Parquet file whose footer is of a sane size; Refused("not-parquet")."""
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(-8, 2) if path.stat().st_size >= 12 else None
        tail = file.read(8)
    if head != b"PAR1" or tail[4:] != b"PAR1":
        raise Refused("not-parquet", "this is not a whole Parquet file", at=path.name)
    if int.from_bytes(tail[:4], "little") > MAX_FOOTER:
        raise Refused(
            "too-many-columns", "the Parquet footer is too large to be a list of eleven columns", at=path.name
        )
    try:
        return pq.ParquetFile(
            path,
            read_dictionary=dictionaries,
            thrift_string_size_limit=MAX_FOOTER,
            thrift_container_size_limit=1_000_000,
            arrow_extensions_enabled=False,
        )
    except (pa.ArrowException, OSError) as error:
        raise Refused(
            "not-parquet", f"this Parquet file cannot be read: {_said(error)}", at=path.name
        ) from error


def _read_part(path: Path, task: Task) -> Iterator[pa.RecordBatch]:
    with open_part(path) as file:
        dictionaries = _dictionary_columns(file.metadata)
        sizes = [_batch_rows(file.metadata.row_group(group)) for group in range(file.num_row_groups)]
    wanted = ["file", "row", *task.fields]
    with open_part(path, dictionaries) as file:
        for group, size in enumerate(sizes):
            try:
                yield from file.iter_batches(batch_size=size, row_groups=[group], columns=wanted)
            except (pa.ArrowException, OSError) as error:
                if isinstance(error, MemoryError):
                    raise
                raise Refused(
                    "not-parquet", f"row group {group} cannot be read: {_said(error)}", at=path.name
                ) from error


def _batch_rows(group: pq.RowGroupMetaData) -> int:
    """So many rows at once that what the footer says of them fits; a footer that lies meets the process's limits."""
    if group.num_rows == 0:
        return 1
    average = max(group.total_byte_size // group.num_rows, 1)
    return int(max(min(BATCH, MAX_BATCH_BYTES // average), 1))


def _check_schema(schema: pa.Schema, task: Task, part: str) -> None:
    wanted = ["file", "row", *task.fields]
    if len(schema.names) > len(wanted):
        raise Refused(
            "too-many-columns",
            f"the extract has {len(schema.names):,} columns, {len(wanted)} are mapped",
            at=part,
        )
    if list(schema.names) != wanted:
        raise Refused(
            "wrong-columns", f"the extract must have the columns {', '.join(wanted)}, in this order", at=part
        )
    for field in schema:
        if field.type != _INTEGERS.get(field.name, pa.string()):
            raise Refused(
                "wrong-column-type",
                f"column {field.name} is {str(field.type)[:80]}, not {_INTEGERS.get(field.name, pa.string())}",
                at=part,
            )


def _check_encodings(metadata: pq.FileMetaData, part: str) -> None:
    for group in range(metadata.num_row_groups):
        for column in range(metadata.num_columns):
            if _REPEATS & set(metadata.row_group(group).column(column).encodings):
                raise Refused(
                    "unread-encoding",
                    "DELTA_BYTE_ARRAY is not read; write the extract plain or with dictionaries",
                    at=part,
                )


def _dictionary_columns(metadata: pq.FileMetaData) -> list[str]:
    found = set()
    for group in range(metadata.num_row_groups):
        for column in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(column)
            if chunk.physical_type == "BYTE_ARRAY" and {"RLE_DICTIONARY", "PLAIN_DICTIONARY"} & set(
                chunk.encodings
            ):
                found.add(chunk.path_in_schema)
    return sorted(found)


def _true_size(batch: pa.RecordBatch) -> int:
    """Bytes of all strings once unfolded, without unfolding them."""
    return sum(int(lengths_of(column).sum()) for column in batch.columns[2:])


def _pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Plain strings, in stretches that fit: what stood as a dictionary is unfolded here and not before."""
    if batch.num_rows > 1 and _true_size(batch) > MAX_BATCH_BYTES:
        middle = batch.num_rows // 2
        yield from _pieces(batch.slice(0, middle))
        yield from _pieces(batch.slice(middle))
        return
    plain = [
        column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
        for column in batch.columns
    ]
    if batch.num_rows:
        yield pa.RecordBatch.from_arrays(plain, names=batch.schema.names)


def _said(error: Exception) -> str:
    return str(error).splitlines()[0][:200]
