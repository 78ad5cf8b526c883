"""From raw columns to a numbered batch: expressions, empty values, and the bounds every value is held to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from byline.formats.columns import Expression, evaluate
from byline.formats.numbered import BadRow, Limits, NumberedBatch, Raw

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Stretch:
    """Records `first` up to `next` as they were read: `numbers` and the raw columns of the good ones."""

    first: int
    next: int
    numbers: Numbers
    columns: Mapping[str, pa.Array]
    bad: Sequence[BadRow] = ()
    raw: Raw | None = None


def assemble(stretch: Stretch, expressions: Mapping[str, Expression], limits: Limits) -> NumberedBatch:
    """Make fields of raw columns; a value that is too long, not UTF-8 or holds U+0000 makes its row bad."""
    fields = evaluate(expressions, stretch.columns)
    wrong: dict[int, BadRow] = {}
    for name, column in fields.items():
        for at, code, reason in _wrong_values(name, column, limits):
            number = int(stretch.numbers[at])
            wrong.setdefault(number, BadRow(number, name, code, reason))
    numbers = stretch.numbers
    if wrong:
        good = np.isin(numbers, np.fromiter(wrong, dtype=np.int64), invert=True)
        numbers = numbers[good]
        fields = {name: column.filter(pa.array(good)) for name, column in fields.items()}
    rows = pa.RecordBatch.from_arrays(
        [pa.array(numbers, pa.int64()), *fields.values()], names=["row", *fields]
    )
    bad = sorted([*stretch.bad, *wrong.values()], key=lambda one: one.row)
    return NumberedBatch(rows, tuple(bad), stretch.first, stretch.next, stretch.raw)


def _wrong_values(name: str, column: pa.Array, limits: Limits) -> list[tuple[int, str, str]]:
    if column.null_count == len(column):
        return []
    found: list[tuple[int, str, str]] = []
    lengths = np.asarray(pc.fill_null(pc.binary_length(column), 0))
    is_url = name.endswith("url")
    longest = limits.url if is_url else limits.row
    code = "url-too-long" if is_url else "value-too-long"
    found += [
        (int(at), code, f"{name} is longer than {longest:,} bytes")
        for at in np.flatnonzero(lengths > longest)
    ]
    if holds_nul(column):
        nul = np.asarray(pc.fill_null(pc.match_substring(column, "\0"), False))
        found += [(int(at), "nul-character", f"{name} holds U+0000") for at in np.flatnonzero(nul)]
    return found


def holds_nul(column: pa.Array) -> bool:
    """Whether a zero byte stands anywhere in the strings: one look over the buffer."""
    data = text_bytes(column)
    return len(data) > 0 and not bool(data.all())


def text_bytes(column: pa.Array) -> npt.NDArray[np.uint8]:
    """The bytes of all strings of a string array, one after another (what a null hides included)."""
    if column.buffers()[2] is None:
        return np.zeros(0, dtype=np.uint8)
    offsets = np.frombuffer(column.buffers()[1], dtype=np.int32)
    start, end = int(offsets[column.offset]), int(offsets[column.offset + len(column)])
    return np.frombuffer(column.buffers()[2], dtype=np.uint8)[start:end]
