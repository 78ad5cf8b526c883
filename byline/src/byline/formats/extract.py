"""Extracts: what leaves a publisher, and the digests that who has the files can make again (docs/formats/extract.md)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from byline.errors import Refused
from byline.formats import canonical, withheld
from byline.formats.manifest import FIELDS

BLOCK = 65_536
_ORDER = (*(name for name in withheld.FIELDS if name not in FIELDS), *FIELDS)
_EXTRACT, _COLUMN = b"byline extract v1\n", b"byline column v1\n"


def extract_schema(fields: Sequence[str]) -> pa.Schema:
    """`file` int32, `row` int64, then the mapped fields as strings, in the order of FIELDS."""
    return pa.schema(
        [("file", pa.int32()), ("row", pa.int64()), *((name, pa.string()) for name in ordered(fields))]
    )


EXTRACT_SCHEMA = extract_schema


def ordered(fields: Sequence[str]) -> tuple[str, ...]:
    """The fields (or those of a withheld extract) in the one order they have; Refused("unknown-field")."""
    for name in fields:
        if name not in _ORDER:
            raise Refused(
                "unknown-field",
                f"{name[:80]!r} is not a field; the fields are {', '.join(FIELDS)}",
                at=name[:80],
            )
    return tuple(name for name in _ORDER if name in fields)


class _Blocks:
    """SHA-256 over blocks of 65,536 records: their count, then column after column."""

    def __init__(self, head: bytes) -> None:
        self._hash = hashlib.sha256(head)
        self._waiting: list[list[pa.Array]] = []
        self._count = 0

    def add(self, columns: list[pa.Array]) -> None:
        """Take the same slice of all columns; integers first (as they are written), then strings."""
        start, length = 0, len(columns[0])
        while start < length:
            taken = min(BLOCK - self._count, length - start)
            self._waiting.append([column.slice(start, taken) for column in columns])
            self._count += taken
            start += taken
            if self._count == BLOCK:
                self._flush()

    def hexdigest(self) -> str:
        """The digest of what was added so far; more may follow."""
        if not self._count:
            return self._hash.hexdigest()
        whole = self._hash.copy()
        for part in self._parts():
            whole.update(part)
        return whole.hexdigest()

    def _flush(self) -> None:
        for part in self._parts():
            self._hash.update(part)
        self._waiting, self._count = [], 0

    def _parts(self) -> list[bytes | memoryview]:
        parts: list[bytes | memoryview] = [self._count.to_bytes(4, "little")]
        for pieces in zip(*self._waiting, strict=True):
            if pa.types.is_integer(pieces[0].type):
                parts += [_integers(piece) for piece in pieces]
            else:
                parts += [_lengths(piece) for piece in pieces]
                parts += [_texts(piece) for piece in pieces]
        return parts


class ExtractDigest:
    """The digest of the canonical records: the same for the same records, however they were batched or packed."""

    def __init__(self, fields: Sequence[str]) -> None:
        """`fields`: the mapped ones; their order is FIELDS' own."""
        self.fields = ordered(fields)
        self.rows = 0
        self._blocks = _Blocks(_EXTRACT + canonical.dumps(list(self.fields)) + b"\n")

    def update(self, batch: pa.RecordBatch | pa.Table) -> None:
        """Add rows that have at least the columns `file`, `row` and the fields, in the extract's order."""
        pieces = batch.to_batches() if isinstance(batch, pa.Table) else [batch]
        for piece in pieces:
            numbers = [piece.column("file").cast(pa.uint32()), piece.column("row").cast(pa.uint64())]
            self._blocks.add([*numbers, *(_strings(piece.column(name)) for name in self.fields)])
            self.rows += piece.num_rows

    def hexdigest(self) -> str:
        """64 hex digits."""
        return self._blocks.hexdigest()


class ColumnDigest:
    """The digest of one column of one file with its row numbers: a row feed applies only where it is found again."""

    def __init__(self) -> None:
        """Nothing is added yet."""
        self.rows = 0
        self._blocks = _Blocks(_COLUMN)

    def update(self, rows: pa.Array, values: pa.Array) -> None:
        """Add values with their row numbers, ascending."""
        self._blocks.add([rows.cast(pa.uint64()), _strings(values)])
        self.rows += len(rows)

    def hexdigest(self) -> str:
        """64 hex digits."""
        return self._blocks.hexdigest()


def _strings(column: pa.Array) -> pa.StringArray:
    return column if column.type == pa.string() else column.cast(pa.string())


def _integers(column: pa.Array) -> bytes:
    numbers: npt.NDArray[np.integer[Any]] = column.to_numpy()
    return numbers.astype(numbers.dtype.newbyteorder("<"), copy=False).tobytes()


def _lengths(column: pa.StringArray) -> bytes:
    lengths: npt.NDArray[np.int32] = np.asarray(pc.fill_null(pc.binary_length(column), -1), dtype=np.int32)
    return lengths.astype("<i4", copy=False).tobytes()  # -1 is 0xFFFFFFFF


def _texts(column: pa.StringArray) -> bytes | memoryview:
    if column.null_count:  # what stands behind a null is nobody's business
        column = column.drop_null()
    if not len(column) or column.buffers()[2] is None:
        return b""
    offsets = np.frombuffer(column.buffers()[1], dtype=np.int32)
    start, end = int(offsets[column.offset]), int(offsets[column.offset + len(column)])
    return memoryview(column.buffers()[2])[start:end]
