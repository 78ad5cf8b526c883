"""What each row of an extract must be: in order, within its file, of a sane length, UTF-8 without U+0000."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from byline.errors import Refused
from registry.publishing.task import Task

MAX_ERRORS = 100


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


def check_strings(batch: pa.RecordBatch, task: Task) -> list[dict[str, object]]:
    """What is wrong with the values of a batch, by row and column."""
    errors: list[dict[str, object]] = []
    total = np.zeros(batch.num_rows, dtype=np.int64)
    for name in batch.schema.names[2:]:
        column = batch[name]
        lengths = lengths_of(column)
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


def lengths_of(column: pa.Array) -> npt.NDArray[np.int64]:
    """The length of each value in bytes; 0 for null."""
    if not pa.types.is_dictionary(column.type):
        return np.asarray(pc.fill_null(pc.binary_length(column), 0), dtype=np.int64)
    words = np.asarray(pc.fill_null(pc.binary_length(column.dictionary), 0), dtype=np.int64)
    if len(words) == 0:
        return np.zeros(len(column), dtype=np.int64)
    known = np.asarray(pc.fill_null(column.indices, 0))
    return np.where(np.asarray(pc.is_null(column.indices)), 0, words[known])
