"""The first 60 bits of SHA-256 of every text of a column: by polars-hash where it is installed, else by hashlib.

Both give the same numbers; `pip install 'byline[fast]'` takes the first, which hashes a column and not a text at a time.
It is brought in by the first long column: a few texts are not worth what it takes to import.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Numbers = npt.NDArray[np.uint64]
Hashing = Callable[[pa.Array], Numbers]

AT_ONCE = 8_192
"""Texts hashed together: a fifth faster than many, as what is made stays in the processor's cache."""
LONG = 4_096
_TEXTS = (pa.string(), pa.large_string())
_LOW_HALVES, _ONES = np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(0x0101010101010101)


def first_60_bits(prefix: str, texts: pa.Array) -> npt.NDArray[np.int64]:
    """Of SHA-256 of `prefix` and each text, as int64; no null among them."""
    texts = texts if texts.type in _TEXTS else texts.cast(pa.large_string())
    hashing = (fast() if len(texts) >= LONG else None) or one_by_one
    found = np.empty(len(texts), dtype=np.int64)
    for start in range(0, len(texts), AT_ONCE):
        some = pc.binary_join_element_wise(
            pa.scalar(prefix, texts.type), texts.slice(start, AT_ONCE), pa.scalar("", texts.type)
        )
        found[start : start + len(some)] = hashing(some) >> np.uint64(4)
    return found


def one_by_one(texts: pa.Array) -> Numbers:
    """The first 64 bits of each digest, by hashlib."""
    digests = b"".join([sha256(text).digest() for text in texts.cast(pa.binary()).to_pylist()])
    return np.frombuffer(digests, dtype=">u8")[::4].astype(np.uint64)


@lru_cache(maxsize=1)
def fast() -> Hashing | None:
    """The same by polars-hash; None where it, or polars, is missing, too old, or gives another answer."""
    try:
        polars_hash: Any = import_module("polars_hash")  # first: polars alone would be memory for nothing
        polars: Any = import_module("polars")
        digest = polars_hash.col("texts").chash.sha2_256()

        def hashing(texts: pa.Array) -> Numbers:
            column = polars.from_arrow(texts).to_frame("texts").select(digest).to_series()
            return _leading(column.to_arrow())

        tried = pa.array(["", "abc", "ä"], pa.string())
        return hashing if np.array_equal(hashing(tried), one_by_one(tried)) else None
    except Exception:  # noqa: BLE001 - whatever it is: hashlib takes longer, and is right
        return None


def _leading(hexes: pa.Array) -> Numbers:
    """The number that the first 16 hex digits of each digest are: eight digits at a time."""
    texts = hexes if hexes.type == pa.large_string() else hexes.cast(pa.large_string())
    data = np.frombuffer(texts.buffers()[2], dtype=np.uint8)[: 64 * len(texts)]
    digits = np.ascontiguousarray(data.reshape(-1, 64)[:, :16]).view(">u8").astype(np.uint64)
    halves = (digits & _LOW_HALVES) + ((digits >> np.uint64(6)) & _ONES) * np.uint64(9)
    for shift, mask in ((4, 0x00FF00FF00FF00FF), (8, 0x0000FFFF0000FFFF), (16, 0x00000000FFFFFFFF)):
        halves = (halves | (halves >> np.uint64(shift))) & np.uint64(mask)
    return (halves[:, 0] << np.uint64(32)) | halves[:, 1]
