"""The fast path of CSV: prove with numpy that a block is well formed, then let Arrow read it.

`read_block` gives None for whatever it cannot prove; it never gives anything else than `csv_scan` would.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

from byline.formats.assemble import Numbers
from byline.formats.columns import Expression
from byline.formats.csv_scan import Dialect

_LF, _CR, _QUOTE = 0x0A, 0x0D, 0x22
_BOM = b"\xef\xbb\xbf"

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Table:
    """The columns of the file: how many there are, where the needed ones stand, what is made of them."""

    width: int
    places: Mapping[str, int]
    expressions: Mapping[str, Expression]


@dataclass(frozen=True)
class Block:
    """Whole, good records up to `end`, blank lines left out."""

    starts: Numbers
    ends: Numbers
    columns: dict[str, pa.Array]
    end: int


def read_block(data: bytes, table: Table, dialect: Dialect, *, last: bool) -> Block | None:
    """Read the whole records of `data`, which begins where a record may; `last`: the file ends with it."""
    quotes = _quotes(data, dialect)
    feeds = _outside(np.flatnonzero(np.frombuffer(data, np.uint8) == _LF), quotes)
    end = len(data) if last else (int(feeds[-1]) + 1 if len(feeds) else 0)
    if not end:
        return None
    body = data if end == len(data) else data[:end]
    quotes = quotes[: np.searchsorted(quotes, end)]
    if not _plain_text(body) or not _well_quoted(body, quotes, dialect):
        return None
    starts, ends = _spans(body, feeds)
    if len(starts) and int((ends - starts).max()) > dialect.longest:
        return None  # two bytes of line break too careful: then the slow path decides
    columns = _arrow(body, table, (dialect, bool(len(quotes)))) if len(starts) else _nothing(table)
    if columns is None or any(len(column) != len(starts) for column in columns.values()):
        return None
    return Block(starts, ends, columns, end)


def _quotes(data: bytes, dialect: Dialect) -> Numbers:
    if not dialect.quoting or b'"' not in data:
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero(np.frombuffer(data, np.uint8) == _QUOTE)


def _outside(feeds: Numbers, quotes: Numbers) -> Numbers:
    """The line feeds before which stands an even number of quotes."""
    return feeds if not len(quotes) else feeds[np.searchsorted(quotes, feeds) % 2 == 0]


def _plain_text(body: bytes) -> bool:
    """UTF-8 without zero bytes, bare carriage returns, or a byte order mark at its beginning, which Arrow would eat."""
    if b"\0" in body or body.startswith(_BOM) or (b"\r" in body and _bare_carriage_return(body)):
        return False
    if body.isascii():
        return True
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _bare_carriage_return(body: bytes) -> bool:
    padded = np.frombuffer(body + b" ", np.uint8)
    return not bool((padded[np.flatnonzero(padded == _CR) + 1] == _LF).all())


def _well_quoted(body: bytes, quotes: Numbers, dialect: Dialect) -> bool:
    """Every quote opens a field, closes one, or is half of a doubled one.

    By parity every second quote opens. One that opens stands behind a separator, or right behind a quote: then the
    two are one escaped quote. One that closes stands before a separator, or right before a quote.
    """
    if len(quotes) % 2:
        return False
    if not len(quotes):
        return True
    padded = np.frombuffer(b"\n" + body + b"\n", np.uint8)
    before, after = padded[quotes[0::2]], padded[quotes[1::2] + 2]
    separator = dialect.delimiter[0]
    opened = (before == separator) | (before == _LF) | (before == _QUOTE)
    closed = (after == separator) | (after == _LF) | (after == _CR) | (after == _QUOTE)
    return bool(opened.all() and closed.all())


def _spans(body: bytes, feeds: Numbers) -> tuple[Numbers, Numbers]:
    """Where records begin and end (line break included); blank lines are none."""
    ends = feeds + 1
    if not len(ends) or int(ends[-1]) != len(body):
        ends = np.append(ends, len(body))
    starts = np.concatenate([np.zeros(1, dtype=np.int64), ends[:-1]])
    first = np.frombuffer(body + b"\n", np.uint8)[
        starts
    ]  # bare carriage returns are out: CR begins a blank line
    filled = (first != _LF) & (first != _CR)
    return starts[filled], ends[filled]


def _arrow(body: bytes, table: Table, how: tuple[Dialect, bool]) -> dict[str, pa.Array] | None:
    dialect, quoted = how
    wanted = sorted(set(table.places.values()))
    names = [str(place) for place in wanted]
    try:
        found = pa.csv.read_csv(
            pa.BufferReader(body),
            read_options=pa.csv.ReadOptions(
                use_threads=False,
                block_size=len(body) + 1,
                column_names=[str(place) for place in range(table.width)],
            ),
            parse_options=pa.csv.ParseOptions(
                delimiter=dialect.delimiter.decode(),
                quote_char='"' if quoted else False,
                double_quote=quoted,
                newlines_in_values=quoted,
            ),
            convert_options=pa.csv.ConvertOptions(
                check_utf8=False,  # _plain_text did
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=False,
                include_columns=names,
            ),
        )
    except pa.ArrowInvalid:  # another number of fields than the header has
        return None
    return {path: _one(found[str(place)]) for path, place in table.places.items()}


def _one(column: pa.ChunkedArray) -> pa.StringArray:
    return (
        column.chunk(0)
        if column.num_chunks == 1
        else pa.concat_arrays([*column.chunks, pa.array([], pa.string())])
    )


def _nothing(table: Table) -> dict[str, pa.Array]:
    return {path: pa.array([], pa.string()) for path in table.places}
