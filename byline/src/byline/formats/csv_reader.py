"""CSV and TSV in blocks: Arrow reads what is proved to be well formed, `csv_scan` reads the rest record by record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from byline.errors import Refused
from byline.formats.assemble import Numbers, Stretch, assemble
from byline.formats.columns import missing_column, parse_expression
from byline.formats.csv_blocks import Table, read_block
from byline.formats.csv_scan import REASONS, Dialect, Record, scanner
from byline.formats.numbered import BadRow, Limits, NumberedBatch, Raw, ReadOptions

BLOCK = 2 << 20
_SMALLEST = 16 << 10
_BOM = b"\xef\xbb\xbf"
_CR = 0x0D


@dataclass(frozen=True)
class _Read:
    """Records of a stretch of the buffer that ends at `end`: places in the buffer, columns of the good ones."""

    starts: Numbers
    ends: Numbers
    columns: dict[str, pa.Array]
    errors: dict[int, str]
    end: int


def read_csv(blocks: Iterator[bytes], options: ReadOptions, limits: Limits) -> Iterator[NumberedBatch]:
    """Number the records of a CSV file; at least one batch comes, so that `raw` covers every byte.

    Refused: "bad-delimiter", "no-header", "bad-header", "too-many-columns", "duplicate-column", "missing-column".
    """
    return _Reader(blocks, options, limits).batches()


def read_header(blocks: Iterator[bytes], options: ReadOptions, limits: Limits) -> Sequence[str]:
    """The names of the columns, as the header or the options give them."""
    return _Reader(blocks, options, limits).header()


class _Reader:
    """A buffer over the blocks; everything before `_at` is done with."""

    def __init__(self, blocks: Iterator[bytes], options: ReadOptions, limits: Limits) -> None:
        if len(options.delimiter) != 1 or not options.delimiter.isascii() or options.delimiter in '"\r\n\0':
            raise Refused("bad-delimiter", "a delimiter is one ASCII character, no quote and no line break")
        self._blocks, self._options, self._limits = blocks, options, limits
        self._dialect = Dialect(options.delimiter.encode(), options.quoting, limits.row)
        self._scan = scanner(self._dialect)
        self._data, self._at, self._ended = b"", 0, False
        self._size, self._row, self._skipping = BLOCK, 0, False

    def header(self) -> Sequence[str]:
        """The names of the columns."""
        self._fill()
        return self._names(self._after_bom())[0]

    def batches(self) -> Iterator[NumberedBatch]:
        """Everything."""
        self._fill()
        names, body = self._names(self._after_bom())
        table = self._resolved(names)
        while True:
            lead = self._skip() if self._skipping else 0
            read = self._read(table, self._at + max(body, lead))
            yield self._numbered(read, table, lead)
            self._at, body = read.end, 0
            self._fill()
            if self._ended and self._at == len(self._data):
                return

    def _fill(self) -> None:
        have = len(self._data) - self._at
        if have >= BLOCK // 2 or self._ended:
            return
        parts = [self._data[self._at :]]
        while have < BLOCK + self._limits.row + 2 and not self._ended:
            block = next(self._blocks, b"")
            self._ended = not block
            parts.append(block)
            have += len(block)
        self._data, self._at = b"".join(parts), 0

    def _skip(self) -> int:
        """How many bytes still belong to a bad record whose line did not end in the buffer before."""
        feed = self._data.find(b"\n", self._at)
        self._skipping = feed < 0 and not self._ended
        return (len(self._data) if feed < 0 else feed + 1) - self._at

    def _after_bom(self) -> int:
        return len(_BOM) if self._data.startswith(_BOM) else 0

    def _names(self, at: int) -> tuple[Sequence[str], int]:
        """The names of the columns, and where the records begin."""
        if self._options.header is not None:
            return self._options.header, at
        header = self._scan(self._data, at)
        while header is None and at < len(self._data):
            at += 2 if self._data[at] == _CR else 1
            header = self._scan(self._data, at)
        if header is None or at == len(self._data):
            raise Refused("no-header", "the file has no header; give the names of its columns")
        if header.error:
            raise Refused("bad-header", f"the header cannot be read: {REASONS[header.error]}", at="header")
        return [field.decode() for field in header.fields], header.end

    def _resolved(self, names: Sequence[str]) -> Table:
        if len(names) > self._limits.columns:
            raise Refused(
                "too-many-columns", f"{len(names):,} columns; at most {self._limits.columns:,} are read"
            )
        expressions = {name: parse_expression(text, names) for name, text in self._options.columns.items()}
        places = {}
        for expression in expressions.values():
            for path in expression.paths:
                if path not in names:
                    raise missing_column(path, names)
                if list(names).count(path) > 1:
                    raise Refused(
                        "duplicate-column", f"the column {path!r} stands twice in the header", at=path
                    )
                places[path] = list(names).index(path)
        return Table(len(names), places, expressions)

    def _read(self, table: Table, start: int) -> _Read:
        while True:
            # Windows shrink around what Arrow may not read, and grow again behind it.
            stop = min(start + self._size, len(self._data))
            block = read_block(
                self._data[start:stop], table, self._dialect, last=self._ended and stop == len(self._data)
            )
            if block is not None:
                self._size = min(self._size * 2, BLOCK)
                return _Read(block.starts + start, block.ends + start, block.columns, {}, start + block.end)
            if self._size <= _SMALLEST:
                self._size *= 2
                return self._slow(table, start)
            self._size = max(self._size // 4, _SMALLEST)

    def _slow(self, table: Table, start: int) -> _Read:
        last = len(self._data) - (0 if self._ended else self._limits.row + 2)
        stop = min(start + _SMALLEST, last)
        records: list[Record] = []
        while start < stop:
            record = self._scan(self._data, start)
            if record is None:
                start += 2 if self._data[start] == _CR else 1
                continue
            if record.end < 0:
                self._skipping = not self._ended
                record = Record(record.start, len(self._data), (), record.error)
            start = record.end
            records.append(_counted(record, table))
        return _gathered(records, table, start)

    def _numbered(self, read: _Read, table: Table, lead: int) -> NumberedBatch:
        first, count = self._row, len(read.starts)
        self._row += count
        bad = tuple(BadRow(first + at, None, code, REASONS[code]) for at, code in read.errors.items())
        numbers = np.arange(first, first + count, dtype=np.int64)
        if read.errors:
            numbers = np.delete(numbers, list(read.errors))
        raw = Raw(self._data[self._at : read.end], read.starts - self._at, read.ends - self._at, lead)
        stretch = Stretch(first, self._row, numbers, read.columns, bad, raw)
        return assemble(stretch, table.expressions, self._limits)


def _counted(record: Record, table: Table) -> Record:
    if record.error or len(record.fields) == table.width:
        return record
    code = "short-row" if len(record.fields) < table.width else "long-row"
    return Record(record.start, record.end, (), code)


def _gathered(records: Sequence[Record], table: Table, end: int) -> _Read:
    good = [record for record in records if not record.error]
    columns = {
        path: pa.array([record.fields[place].decode() for record in good], pa.string())
        for path, place in table.places.items()
    }
    errors = {at: record.error for at, record in enumerate(records) if record.error}
    starts = np.array([record.start for record in records], dtype=np.int64)
    ends = np.array([record.end for record in records], dtype=np.int64)
    return _Read(starts, ends, columns, errors, end)
