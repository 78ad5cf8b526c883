"""Sets of fingerprints as columns: what changed between two, a change applied, changes joined.

A set is (`k` ascending, `c` category bits 1 to 31). A change is the same with `c` 0 to 31: what stands at each `k` that was
touched, after it; 0 = nothing. So a change from head 5 to head 9 turns the set of 5, 6, 7 or 8 into that of 9.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from byline.errors import Refused

Keys = npt.NDArray[np.int64]
Bits = npt.NDArray[np.uint8]
_PAIR = np.dtype([("k", ">u8"), ("c", "u1")])
_AT_ONCE = 1 << 18
_WORTH_A_THREAD = 1 << 15


class KeySet(NamedTuple):
    """Columns of one length; `k` ascends strictly."""

    k: Keys
    c: Bits


EMPTY = KeySet(np.zeros(0, np.int64), np.zeros(0, np.uint8))


def joined(k: Keys, c: Bits) -> KeySet:
    """A set of keys in any order, each perhaps several times: their bits are joined, and those without any left out."""
    if not len(k):
        return EMPTY
    order = np.argsort(k, kind="stable")
    k, c = k[order], c[order]
    first = np.flatnonzero(np.concatenate([[True], k[1:] != k[:-1]]))
    bits = np.bitwise_or.reduceat(c, first)
    return KeySet(k[first][bits > 0], bits[bits > 0])


def changed(before: KeySet, after: KeySet) -> KeySet:
    """The change that turns one set into the other."""
    gone = before.k[~np.isin(before.k, after.k, assume_unique=True)]
    same = bits_at(before, after.k) == after.c
    k = np.concatenate([gone, after.k[~same]])
    c = np.concatenate([np.zeros(len(gone), np.uint8), after.c[~same]])
    order = np.argsort(k)
    return KeySet(k[order], c[order])


def lost(before: KeySet, change: KeySet) -> KeySet:
    """Which bits a change takes away, by key; only keys that lose some."""
    bits = bits_at(before, change.k) & ~change.c
    return KeySet(change.k[bits > 0], bits[bits > 0])


def latest(changes: Sequence[KeySet]) -> KeySet:
    """Changes one after another as one: for each key the last word."""
    if not changes:
        return EMPTY
    k = np.concatenate([one.k for one in reversed(changes)])
    c = np.concatenate([one.c for one in reversed(changes)])
    kept, first = np.unique(k, return_index=True)
    return KeySet(kept, c[first])


def bits_at(keys: KeySet, wanted: Keys) -> Bits:
    """The bits of each wanted key; 0 where it is not there."""
    if not len(keys.k):
        return np.zeros(len(wanted), np.uint8)
    at = np.minimum(np.searchsorted(keys.k, wanted), len(keys.k) - 1)
    return np.where(keys.k[at] == wanted, keys.c[at], 0).astype(np.uint8)


def applied(base: Iterable[KeySet], change: KeySet) -> Iterator[KeySet]:
    """A set after a change, piece by piece as it comes: never more in memory than a piece and the change."""
    rest = change
    for piece in base:
        if not len(piece.k):
            continue
        cut = int(np.searchsorted(rest.k, piece.k[-1], side="right"))
        yield _one(piece, KeySet(rest.k[:cut], rest.c[:cut]))
        rest = KeySet(rest.k[cut:], rest.c[cut:])
    yield KeySet(rest.k[rest.c > 0], rest.c[rest.c > 0])


def whole(pieces: Iterable[KeySet]) -> KeySet:
    """All pieces of a set as one."""
    found = [*pieces, EMPTY]
    return KeySet(np.concatenate([one.k for one in found]), np.concatenate([one.c for one in found]))


def cut(keys: KeySet, size: int = _AT_ONCE) -> Iterator[KeySet]:
    """A set in pieces."""
    for at in range(0, len(keys.k), size):
        yield KeySet(keys.k[at : at + size], keys.c[at : at + size])


class SetDigest:
    """SHA-256 over every (k as u64 big-endian, c as u8), ascending: what a whole set is, however it came."""

    def __init__(self) -> None:
        """Of nothing yet."""
        self._sha256, self._last, self.n = hashlib.sha256(), -1, 0
        self._beside: ThreadPoolExecutor | None = None
        self._hashing: Future[None] | None = None

    def update(self, piece: KeySet) -> None:
        """Go on; Refused("bad-key-feed") unless the keys ascend strictly."""
        if not len(piece.k):
            return
        if piece.k[0] <= self._last or bool((piece.k[1:] <= piece.k[:-1]).any()):
            raise Refused("bad-key-feed", "this is no key feed: k does not ascend")
        for part in cut(piece):
            self._hash(part)
        self._last, self.n = int(piece.k[-1]), self.n + len(piece.k)

    def hexdigest(self) -> str:
        """The digest so far."""
        self._wait()
        return self._sha256.hexdigest()

    def _hash(self, part: KeySet) -> None:
        """Beside us, while the next ones are read: packing and hashing is most of the work, and waits for no Python."""
        self._wait()
        if len(part.k) < _WORTH_A_THREAD:
            self._take(part)
            return
        self._beside = self._beside or ThreadPoolExecutor(1)
        self._hashing = self._beside.submit(self._take, part)

    def _take(self, part: KeySet) -> None:
        pairs = np.empty(len(part.k), dtype=_PAIR)
        pairs["k"], pairs["c"] = part.k, part.c
        self._sha256.update(pairs.data)

    def _wait(self) -> None:
        if self._hashing is not None:
            self._hashing.result()
            self._hashing = None


def _one(piece: KeySet, change: KeySet) -> KeySet:
    if not len(change.k):
        return piece
    at = np.minimum(np.searchsorted(piece.k, change.k), len(piece.k) - 1)
    stays = np.ones(len(piece.k), dtype=bool)
    stays[at[piece.k[at] == change.k]] = False
    k, c, comes = piece.k[stays], piece.c[stays], change.c > 0
    to = np.searchsorted(k, change.k[comes])
    return KeySet(np.insert(k, to, change.k[comes]), np.insert(c, to, change.c[comes]))
