"""An extract, read as if an enemy had written it: bounds first, then bounded batches, each row looked at.

Dictionary-coded columns stay dictionaries until their true size is known: in 6 kB of Parquet one long string
can stand a hundred million times. What gets past these bounds still meets the limits of the process that runs
this.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from byline.errors import Refused
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
MAX_ERRORS = 100


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
                errors = [*order.check(piece), *_check_strings(piece, task)]
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


class Order:
    """(file, row) strictly ascending, each within its file: nothing twice, nothing invented."""

    def __init__(self, files: tuple[int, ...]) -> None:
        """`files`: how many records each has."""
        self._records = np.array(files, dtype=np.int64)
        self._last = (-1, -1)
        self._rows = 0

    def check(self, batch: pa.RecordBatch) -> list[dict[str, object]]:
        """What is wrong with the numbers of this batch, the first of it only."""
        if batch["file"].null_count or batch["row"].null_count:
            return [problem("null-row-number", "file and row must be there in every row")]
        file, row = batch["file"].to_numpy().astype(np.int64), batch["row"].to_numpy()
        if file.min() < 0 or file.max() >= len(self._records):
            return [
                problem("no-such-file", "a row names a file the manifest does not list", file=int(file.max()))
            ]
        outside = np.flatnonzero((row < 0) | (row >= self._records[file]))
        if len(outside):
            at = int(outside[0])
            return [
                problem(
                    "row-out-of-range",
                    "a row number lies outside its file",
                    file=int(file[at]),
                    row=int(row[at]),
                )
            ]
        before_file = np.concatenate([[self._last[0]], file[:-1]])
        before_row = np.concatenate([[self._last[1]], row[:-1]])
        wrong = np.flatnonzero((file < before_file) | ((file == before_file) & (row <= before_row)))
        if len(wrong):
            at = int(wrong[0])
            return [
                problem(
                    "rows-out-of-order",
                    "rows must ascend by (file, row), none twice",
                    file=int(file[at]),
                    row=int(row[at]),
                )
            ]
        self._last = (int(file[-1]), int(row[-1]))
        self._rows += len(row)
        return []

    def finish(self, rows: int) -> None:
        """Refuse an extract that turned out to have another number of rows than its footers said."""
        if self._rows != rows:
            raise Refused(
                "wrong-row-count", f"the extract holds {self._rows:,} rows, the manifest says {rows:,}"
            )


def problem(code: str, message: str, **where: object) -> dict[str, object]:
    """One bad row: by file, row, column and reason."""
    at = ", ".join(f"{name} {value}" for name, value in where.items() if value is not None)
    return {"code": code, "message": message, "at": at or None, **where}


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
    return sum(int(_lengths(column).sum()) for column in batch.columns[2:])


def _lengths(column: pa.Array) -> npt.NDArray[np.int64]:
    """The length of each value in bytes; 0 for null."""
    if not pa.types.is_dictionary(column.type):
        return np.asarray(pc.fill_null(pc.binary_length(column), 0), dtype=np.int64)
    words = np.asarray(pc.fill_null(pc.binary_length(column.dictionary), 0), dtype=np.int64)
    if len(words) == 0:
        return np.zeros(len(column), dtype=np.int64)
    known = np.asarray(pc.fill_null(column.indices, 0))
    return np.where(np.asarray(pc.is_null(column.indices)), 0, words[known])


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


def _check_strings(batch: pa.RecordBatch, task: Task) -> list[dict[str, object]]:
    errors: list[dict[str, object]] = []
    total = np.zeros(batch.num_rows, dtype=np.int64)
    for name in batch.schema.names[2:]:
        column = batch[name]
        lengths = _lengths(column)
        total += lengths
        longest = task.max_url if name.endswith("url") else task.max_row
        errors += _named(
            batch,
            lengths > longest,
            "value-too-long",
            f"a value of {name} is longer than {longest:,} bytes",
            name,
        )
        if _holds_nul(column):
            nul = np.asarray(pc.fill_null(pc.match_substring(column, "\0"), False))
            errors += _named(batch, nul, "nul-character", f"a value of {name} holds U+0000", name)
        errors += _not_utf8(batch, name)
    errors += _named(
        batch, total > task.max_row, "row-too-long", f"a row is longer than {task.max_row:,} bytes", None
    )
    return errors


def _named(
    batch: pa.RecordBatch, wrong: npt.NDArray[np.bool_], code: str, message: str, column: str | None
) -> list[dict[str, object]]:
    at = np.flatnonzero(wrong)[:MAX_ERRORS]
    return [
        problem(
            code, message, file=batch["file"][int(i)].as_py(), row=batch["row"][int(i)].as_py(), column=column
        )
        for i in at
    ]


def _holds_nul(column: pa.Array) -> bool:
    """Whether a zero byte stands anywhere in the strings: one look over the buffer, which is nearly always enough."""
    offsets = np.frombuffer(column.buffers()[1], dtype=np.int32)[
        column.offset : column.offset + len(column) + 1
    ]
    if column.buffers()[2] is None:
        return False
    data = np.frombuffer(column.buffers()[2], dtype=np.uint8)[offsets[0] : offsets[-1]]
    return len(data) > 0 and not data.all()


def _not_utf8(batch: pa.RecordBatch, name: str) -> list[dict[str, object]]:
    try:
        batch[name].validate(full=True)
    except pa.ArrowInvalid:
        wrong = np.array(
            [not _is_utf8(value) for value in batch[name].cast(pa.binary()).to_pylist()], dtype=bool
        )
        return _named(batch, wrong, "not-utf8", f"a value of {name} is not UTF-8", name)
    return []


def _is_utf8(value: bytes | None) -> bool:
    try:
        (value or b"").decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _said(error: Exception) -> str:
    return str(error).splitlines()[0][:200]
