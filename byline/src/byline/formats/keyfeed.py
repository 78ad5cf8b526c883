"""Fingerprints that anybody may test an item against: Parquet of `k` INT64, ascending, and category bits `c` UINT8.

`k` is the first 60 bits of SHA-256(`b1|kind|value`), so it is a non-negative BIGINT in every engine. It is written as
DELTA_BINARY_PACKED, uncompressed, without dictionary: within some per cent of the entropy, and every reader has it. A
delta has the same columns, and `c` 0 where nothing stands at `k` any more; a file of removals says why, in a third one
(docs/formats/keyfeed.md).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from byline.errors import Refused
from byline.formats.categories import EVERYTHING
from byline.formats.keyset import Bits, Keys, KeySet, SetDigest, whole

__all__ = ["Bits", "Keys"]

SCHEMA = pa.schema([pa.field("k", pa.int64(), nullable=False), pa.field("c", pa.uint8(), nullable=False)])
REMOVALS = SCHEMA.append(pa.field("reason", pa.uint8(), nullable=False))
REASONS = {"withdrawn": 1, "unmatched": 2, "voided": 3}
"""Why bits left a key: taken back by who asked; nothing that counts attributes it any more; a source was voided."""
ROW_GROUP = 1 << 20
_AT_ONCE = 1 << 17
_BUFFER = 1 << 18
LIMIT = 1 << 60


class Removals(NamedTuple):
    """Which bits left which key, and why; by `k`, then `reason`."""

    k: Keys
    c: Bits
    reason: npt.NDArray[np.uint8]


def write(k: Keys, c: Bits) -> bytes:
    """A whole file; `k` ascends strictly, `c` are category bits 1 to 31. Same keys, same bytes."""
    check(k, c)
    return _write([k, c], SCHEMA)


def write_delta(change: KeySet) -> bytes:
    """A change as a file."""
    check(change.k, change.c, least=0)
    return _write(list(change), SCHEMA)


def write_removals(removals: Removals) -> bytes:
    """Removals as a file."""
    _check_removals(removals)
    return _write(list(removals), REMOVALS)


def read(data: bytes | str) -> tuple[Keys, Bits]:
    """Keys and bits of a file's bytes, or of the file at a path; else Refused("bad-key-feed")."""
    return whole(pieces(data))


def pieces(data: bytes | str) -> Iterator[KeySet]:
    """The same, at most 131,072 keys at a time; Refused("bad-key-feed") while it is read."""
    last = -1
    for k, c in _columns(data, SCHEMA):
        check(k, c)
        if len(k) and k[0] <= last:
            raise _bad("k does not ascend inside 60 bits")
        last = int(k[-1]) if len(k) else last
        yield KeySet(k, c)


def read_delta(data: bytes) -> KeySet:
    """A change; Refused("bad-key-feed")."""
    found = whole(KeySet(k, c) for k, c in _columns(data, SCHEMA))
    check(found.k, found.c, least=0)
    return found


def read_removals(data: bytes) -> Removals:
    """Removals; Refused("bad-key-feed"). A reason nobody defined yet is kept as its number."""
    found = list(_columns(data, REMOVALS))
    none = (np.zeros(0, np.int64), np.zeros(0, np.uint8), np.zeros(0, np.uint8))
    removals = Removals(*(np.concatenate(column) for column in zip(none, *found, strict=True)))
    _check_removals(removals)
    return removals


def count(data: bytes) -> int:
    """How many rows a file has."""
    return int(pq.ParquetFile(pa.BufferReader(data)).metadata.num_rows)


def check(k: Keys, c: Bits, *, least: int = 1) -> None:
    """Refused("bad-key-feed") unless `k` ascends strictly inside 60 bits and every `c` says something (0: or nothing)."""
    if len(k) != len(c):
        raise _bad("k and c differ in length")
    if len(k) and (k[0] < 0 or k[-1] >= LIMIT or bool((np.diff(k) <= 0).any())):
        raise _bad("k does not ascend inside 60 bits")
    if len(c) and (int(c.min()) < least or int(c.max()) > EVERYTHING):
        raise _bad("c holds bits nobody defined")


def set_sha256(k: Keys, c: Bits) -> str:
    """SHA-256 over every (k as u64 big-endian, c as u8), ascending: what a whole set is, however it came."""
    digest = SetDigest()
    digest.update(KeySet(k, c))
    return digest.hexdigest()


def _write(columns: list[npt.NDArray[np.int64] | npt.NDArray[np.uint8]], schema: pa.Schema) -> bytes:
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    out = io.BytesIO()
    pq.write_table(
        pa.Table.from_arrays(arrays, schema=schema),
        out,
        row_group_size=ROW_GROUP,
        compression="none",
        use_dictionary=[name for name in schema.names if name != "k"],
        column_encoding={"k": "DELTA_BINARY_PACKED"},
        write_statistics=True,
        store_schema=False,
    )
    return out.getvalue()


def _columns(data: bytes | str, schema: pa.Schema) -> Iterator[list[Any]]:
    """The columns, some rows at a time."""
    try:
        source = pa.BufferReader(data) if isinstance(data, bytes) else data
        file = pq.ParquetFile(source, buffer_size=_BUFFER, pre_buffer=False)  # not a whole column at once
        if [(one.name, one.type) for one in file.schema_arrow] != [(one.name, one.type) for one in schema]:
            raise _bad("it has other columns than k INT64, c UINT8")
        for at in range(file.num_row_groups):
            if file.metadata.row_group(at).num_rows > ROW_GROUP:
                raise _bad("a row group is larger than 1,048,576 keys")
        for batch in file.iter_batches(_AT_ONCE, use_threads=False):
            if any(column.null_count for column in batch.columns):
                raise _bad("it has nulls")
            yield [column.to_numpy() for column in batch.columns]
    except (pa.ArrowException, OSError) as error:
        raise _bad("it cannot be read") from error


def _check_removals(removals: Removals) -> None:
    k, c, reason = removals
    if len(k) and (k[0] < 0 or k[-1] >= LIMIT or int(c.min()) < 1 or int(c.max()) > EVERYTHING):
        raise _bad("removals hold keys or bits nobody defined")
    steps = np.diff(k)
    wrong = (steps < 0) | ((steps == 0) & (reason[1:] <= reason[:-1]))
    if len(k) and (bool(wrong.any()) or int(reason.min()) < 1):
        raise _bad("removals do not ascend by key and reason")


def _bad(why: str) -> Refused:
    return Refused("bad-key-feed", f"this is no key feed: {why}")
