"""Fingerprints that anybody may test an item against: Parquet of `k` INT64, ascending, and category bits `c`.

`k` is the first 60 bits of SHA-256(`b1|kind|value`), so it is a non-negative BIGINT in every engine. It is
written as DELTA_BINARY_PACKED, uncompressed, without dictionary: within some per cent of the entropy, and
every
reader has it. `c` is UINT8.
"""

from __future__ import annotations

import hashlib
import io

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from byline.errors import Refused
from byline.formats.categories import EVERYTHING

Keys = npt.NDArray[np.int64]
Bits = npt.NDArray[np.uint8]
SCHEMA = pa.schema([pa.field("k", pa.int64(), nullable=False), pa.field("c", pa.uint8(), nullable=False)])
ROW_GROUP = 1 << 20
LIMIT = 1 << 60
_PAIR = np.dtype([("k", ">u8"), ("c", "u1")])


def write(k: Keys, c: Bits) -> bytes:
    """A whole file; `k` ascends strictly, `c` are category bits 1 to 31. Same keys, same bytes."""
    check(k, c)
    table = pa.table({"k": pa.array(k, pa.int64()), "c": pa.array(c, pa.uint8())}, schema=SCHEMA)
    out = io.BytesIO()
    pq.write_table(
        table,
        out,
        row_group_size=ROW_GROUP,
        compression="none",
        use_dictionary=["c"],
        column_encoding={"k": "DELTA_BINARY_PACKED"},
        write_statistics=True,
        store_schema=False,
    )
    return out.getvalue()


def read(data: bytes | str) -> tuple[Keys, Bits]:
    """Keys and bits of a file's bytes, or of the file at a path; else Refused("bad-key-feed")."""
    try:
        source = pa.BufferReader(data) if isinstance(data, bytes) else data
        table = pq.read_table(source, use_threads=False)
        if [(field.name, field.type) for field in table.schema] != [
            (field.name, field.type) for field in SCHEMA
        ]:
            raise _bad("it has other columns than k INT64 and c UINT8")
        k = table["k"].to_numpy()
        c = table["c"].to_numpy()
    except (pa.ArrowException, OSError) as error:
        raise _bad("it cannot be read") from error
    if table["k"].null_count or table["c"].null_count:
        raise _bad("it has nulls")
    check(k, c)
    return k, c


def check(k: Keys, c: Bits) -> None:
    """Refused("bad-key-feed") unless `k` ascends strictly inside 60 bits and every `c` says something."""
    if len(k) != len(c):
        raise _bad("k and c differ in length")
    if len(k) and (k[0] < 0 or k[-1] >= LIMIT or bool((np.diff(k) <= 0).any())):
        raise _bad("k does not ascend inside 60 bits")
    if len(c) and (int(c.min()) < 1 or int(c.max()) > EVERYTHING):
        raise _bad("c holds bits nobody defined")


def set_sha256(k: Keys, c: Bits) -> str:
    """SHA-256 over every (k as u64 big-endian, c as u8), ascending: what a whole set is, however it came."""
    pairs = np.empty(len(k), dtype=_PAIR)
    pairs["k"], pairs["c"] = k, c
    return hashlib.sha256(pairs.tobytes()).hexdigest()


def _bad(why: str) -> Refused:
    return Refused("bad-key-feed", f"this is no key feed: {why}")
