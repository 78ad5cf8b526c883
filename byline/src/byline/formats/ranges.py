"""Fingerprints by the first hex digits of `k`: asking for many at once does not tell which one was meant.

Source: k-anonymity of range queries as Pwned Passwords has them. Both sides reckon the digits by one rule (docs/formats/doors.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np

from byline.formats.keyset import Keys, KeySet

FEWEST = 200  # entries of an answer, real or padding
STEP = 64  # answers have a multiple of this many entries: their length says little
DIGITS = 15  # of a whole k: 60 bits
_SIXTEEN = 16


def digits_for(keys: int) -> int:
    """How long a prefix may be: the longest whose buckets hold 200 of `keys` fingerprints on average; at least 1."""
    digits = 1
    while keys // _SIXTEEN ** (digits + 1) >= FEWEST:
        digits += 1
    return digits


def hex_of(k: int) -> str:
    """`k` as 15 hex digits, as SHA-256 begins."""
    return f"{k:0{DIGITS}x}"


def bucket(keys: KeySet, prefix: str) -> KeySet:
    """The fingerprints that begin so."""
    width = 4 * (DIGITS - len(prefix))
    first = int(prefix, 16) << width
    start, stop = np.searchsorted(keys.k, [first, first + (1 << width)])
    return KeySet(keys.k[start:stop], keys.c[start:stop])


def padding(prefix: str, real: int) -> Keys:
    """Fingerprints that mean nothing (their `c` is 0): as many as make the answer a multiple of 64 above 200.

    The feed is public, so they need not look like others; only the length of an answer shall not tell which it is.
    """
    wanted = -(-max(real, FEWEST) // STEP) * STEP - real
    return np.fromiter(_made(prefix, wanted), dtype=np.int64, count=wanted)


def _made(prefix: str, count: int) -> Iterator[int]:
    for at in range(count):
        rest = hashlib.sha256(f"b1|padding|{prefix}|{at}".encode()).hexdigest()
        yield int((prefix + rest)[:DIGITS], 16)
