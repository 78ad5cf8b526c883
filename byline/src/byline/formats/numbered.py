"""What the strict reader takes and gives: options, limits, numbered rows, bad rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_KIB, _MIB = 1 << 10, 1 << 20


@dataclass(frozen=True)
class ReadOptions:
    """How a file is read: the same members as `records` of a manifest.

    `columns` maps a field (or any name) to a column expression, see `columns.py`. `header` names the columns
    of a file that has none. `array` names the member of a JSON document that holds the records.
    """

    format: str
    columns: Mapping[str, str]
    delimiter: str = ","
    quoting: bool = True
    header: tuple[str, ...] | None = None
    array: str | None = None


@dataclass(frozen=True)
class Limits:
    """What a file may ask of its reader, in bytes where nothing else is said."""

    row: int = 64 * _KIB
    url: int = 8 * _KIB
    columns: int = 10_000
    """How many columns a file may have, mapped or not."""
    ratio: int = 1_000
    """How far compressed bytes may unfold, beyond `free` bytes."""
    free: int = 256 * _MIB
    unfolded: int = 1 << 40
    footer: int = 32 * _MIB
    """The largest Parquet footer."""
    batch: int = 64 * _MIB
    """Strings held at once."""


DEFAULT = Limits()


@dataclass(frozen=True)
class BadRow:
    """A record that cannot be read: its number, the field at fault (None: the whole record), a stable code."""

    row: int
    column: str | None
    code: str
    reason: str


@dataclass(frozen=True)
class Raw:
    """The bytes a batch of text records was read from.

    Record `first_row + i` is `data[starts[i]:ends[i]]`, its line break included; the first `lead` bytes still
    belong to the record before. All other bytes (header, blank lines) belong to no record.
    """

    data: bytes
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    lead: int = 0


@dataclass(frozen=True)
class NumberedBatch:
    """Records `first_row` up to `next_row`.

    `rows` has the good ones ("row" int64, then each field as string).
    """

    rows: pa.RecordBatch
    bad: tuple[BadRow, ...]
    first_row: int
    next_row: int
    raw: Raw | None = None
    whole: pa.RecordBatch | None = None
    """All columns of all rows, good and bad, where a reader of Parquet was asked for them."""
