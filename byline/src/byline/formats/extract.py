r"""What leaves a publisher: the mapped columns with file and row number, and the digests that pin them.

An extract is Parquet, but its identity is its canonical records, so that whoever has the files can make the same
digest with any tool (docs/formats/extract.md):

    SHA-256 over  "byline extract v1\n"  +  JCS(list of column names)  +  "\n"
    then, for every block of 65,536 consecutive records (the last may be shorter):
        u32le number of records in the block
        file  u32le[]     row  u64le[]
        then per column, in FIELDS order:  lengths u32le[] (0xFFFFFFFF = null)  +  the UTF-8 bytes of all
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from byline.errors import Refused
from byline.formats import canonical
from byline.formats.manifest import FIELDS

BLOCK = 65_536
NULL = 0xFFFFFFFF
EXTRACT_TAG = b"byline extract v1\n"
COLUMN_TAG = b"byline column v1\n"


def ordered(columns: Sequence[str]) -> tuple[str, ...]:
    """The columns in FIELDS order; Refused("unknown-field") for one that is none of them."""
    unknown = sorted(set(columns) - set(FIELDS))
    if unknown:
        raise Refused("unknown-field", f"{unknown[0]!r} is none of {', '.join(FIELDS)}", at="columns")
    return tuple(name for name in FIELDS if name in columns)


def EXTRACT_SCHEMA(columns: Sequence[str]) -> pa.Schema:  # noqa: N802 - a schema, named like one
    """`file` int32, `row` int64, then the mapped columns as nullable strings, in FIELDS order."""
    fields = [pa.field("file", pa.int32(), nullable=False), pa.field("row", pa.int64(), nullable=False)]
    return pa.schema(fields + [pa.field(name, pa.string()) for name in ordered(columns)])


class Blocks:
    """Cuts batches into blocks of exactly BLOCK records, so that a digest does not depend on batch sizes."""

    def __init__(self) -> None:
        """Start empty."""
        self._waiting: list[pa.RecordBatch] = []
        self._rows = 0

    def add(self, batch: pa.RecordBatch) -> Iterator[pa.Table]:
        """Take a batch; give every block that is full."""
        self._waiting.append(batch)
        self._rows += batch.num_rows
        while self._rows >= BLOCK:
            table = pa.Table.from_batches(self._waiting)
            yield table.slice(0, BLOCK)
            rest = table.slice(BLOCK)
            self._waiting, self._rows = rest.to_batches(), rest.num_rows

    def rest(self) -> pa.Table | None:
        """The last, shorter block; None where nothing waits. May be asked again."""
        return pa.Table.from_batches(self._waiting) if self._rows else None


class ExtractDigest:
    """The digest of canonical records; feed it batches with `file`, `row` and the columns, in order."""

    def __init__(self, columns: Sequence[str]) -> None:
        """`columns` are the mapped FIELDS, in any order."""
        self.columns = ordered(columns)
        self.rows = 0
        self._blocks = Blocks()
        self._hash = hashlib.sha256(EXTRACT_TAG + canonical.dumps(list(self.columns)) + b"\n")

    def update(self, batch: pa.RecordBatch) -> None:
        """Take the next records."""
        self.rows += batch.num_rows
        for block in self._blocks.add(batch.select(["file", "row", *self.columns])):
            self._hash.update(self._block(block))

    def hexdigest(self) -> str:
        """64 hex digits over all so far."""
        done, rest = self._hash.copy(), self._blocks.rest()
        if rest is not None:
            done.update(self._block(rest))
        return done.hexdigest()

    def _block(self, block: pa.Table) -> bytes:
        parts = [np.uint32(block.num_rows).tobytes()]
        parts.append(block["file"].to_numpy().astype("<u4").tobytes())
        parts.append(block["row"].to_numpy().astype("<u8").tobytes())
        parts.extend(part for name in self.columns for part in string_bytes(block[name]))
        return b"".join(parts)


class ColumnDigest:
    """The digest of one column of one file: a row feed carries it, a filter makes it again from the file it has.

    SHA-256 over `byline column v1\\n`, then per block: u32le records, row u64le[], lengths u32le[], UTF-8 bytes.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._blocks = Blocks()
        self._hash = hashlib.sha256(COLUMN_TAG)

    def update(self, rows: pa.Array, values: pa.Array) -> None:
        """Take the next records: their row numbers (int64) and values (strings, nullable)."""
        batch = pa.RecordBatch.from_arrays([rows, plain_strings(values)], ["row", "v"])
        for block in self._blocks.add(batch):
            self._hash.update(self._block(block))

    def hexdigest(self) -> str:
        """64 hex digits over all so far."""
        done, rest = self._hash.copy(), self._blocks.rest()
        if rest is not None:
            done.update(self._block(rest))
        return done.hexdigest()

    def _block(self, block: pa.Table) -> bytes:
        head = [np.uint32(block.num_rows).tobytes(), block["row"].to_numpy().astype("<u8").tobytes()]
        return b"".join([*head, *string_bytes(block["v"])])


def plain_strings(values: pa.Array) -> pa.Array:
    """Any string-like array (dictionary, large, view) as plain strings."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    return values if pa.types.is_string(values.type) else values.cast(pa.string())


def string_bytes(column: pa.ChunkedArray) -> list[bytes]:
    """Lengths as u32le (NULL for null), then the UTF-8 bytes of all values."""
    chunks = [plain_strings(chunk) for chunk in column.chunks]
    lengths = [_lengths(chunk).tobytes() for chunk in chunks]
    return [*lengths, *(_data(chunk) for chunk in chunks)]


def _lengths(values: pa.Array) -> npt.NDArray[np.uint32]:
    lengths = pc.fill_null(pc.binary_length(values), -1).to_numpy(zero_copy_only=False)
    packed: npt.NDArray[np.uint32] = lengths.astype(np.int64).astype("<u4")  # -1 becomes NULL
    return packed


def _data(values: pa.Array) -> bytes:
    """The value bytes; what null slots may hold in the buffer is not data."""
    if values.null_count:
        values = pc.fill_null(values, "")
    if not len(values):
        return b""
    _, offsets, data = values.buffers()
    ends = np.frombuffer(offsets, dtype=np.int32)[values.offset : values.offset + len(values) + 1]
    return bytes(memoryview(data)[ends[0] : ends[-1]]) if data is not None else b""
