"""The whole set of fingerprints of one head, as two plain files that are mapped and not read into memory.

`sets/<set_sha256>.k` holds every `k` as a little-endian 64-bit number, ascending; `….c` the category bits, a byte each. They
are made of the feed's Parquet files, and again where they are missing.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from byline.formats.keyset import EMPTY, Bits, Keys, KeySet, bits_at, cut

_AT_ONCE = 1 << 18
_SLICE = 1 << 19


class KeptSet:
    """A set in the state's folder, mapped: what was looked at is given back to the system by `release`."""

    def __init__(self, stem: Path) -> None:
        """FileNotFoundError; ValueError where the two files are not of one length."""
        self._maps: list[mmap.mmap] = []
        k = self._mapped(stem.with_suffix(".k"))
        c = self._mapped(stem.with_suffix(".c"))
        if len(k) != 8 * len(c):
            raise ValueError(f"{stem}: not of one length")
        self.k: Keys = k.view("<i8")
        self.c: Bits = c
        self._first = self.k[::_SLICE].copy()  # of each slice

    def pieces(self) -> Iterator[KeySet]:
        """The set in pieces; each is given back when the next is taken."""
        for piece in cut(KeySet(self.k, self.c), _AT_ONCE):
            yield piece
            self.release()

    def bits_at(self, wanted: Keys) -> Bits:
        """The bits of each wanted key, 0 where it is not there. Slice by slice: no more of the set is mapped in at once."""
        if len(self._first) < 2:
            return bits_at(KeySet(self.k, self.c), wanted)
        found = np.zeros(len(wanted), np.uint8)
        order = np.argsort(wanted)
        ends = np.searchsorted(wanted[order], self._first[1:])
        for at, rows in enumerate(np.split(order, ends)):
            if len(rows):
                span = slice(at * _SLICE, (at + 1) * _SLICE)
                found[rows] = bits_at(KeySet(self.k[span], self.c[span]), wanted[rows])
                self.release()
        return found

    def release(self) -> None:
        """Keep no page of it in this process; the system's own cache still may."""
        if hasattr(mmap, "MADV_DONTNEED"):
            for one in self._maps:
                one.madvise(mmap.MADV_DONTNEED)

    def _mapped(self, path: Path) -> npt.NDArray[np.uint8]:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size == 0:  # nothing can be mapped then
                return np.zeros(0, np.uint8)
            whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._maps.append(whole)
        return np.frombuffer(whole, dtype=np.uint8)


def write_set(stem: Path, pieces: Iterable[KeySet]) -> None:
    """Write a set: whole, or not at all. Nothing is flushed to the disk: a torn set is found when it is opened."""
    stem.parent.mkdir(exist_ok=True)
    k_draft, c_draft = (stem.with_name(f".{stem.name}.{os.getpid()}.{end}.tmp") for end in "kc")
    try:
        with k_draft.open("wb") as k_file, c_draft.open("wb") as c_file:
            for piece in pieces:
                _write(k_file, piece.k.astype("<i8", copy=False))
                _write(c_file, piece.c)
        c_draft.replace(stem.with_suffix(".c"))
        k_draft.replace(stem.with_suffix(".k"))
    finally:
        k_draft.unlink(missing_ok=True)
        c_draft.unlink(missing_ok=True)


def gone(before: KeptSet, after: KeptSet) -> KeySet:
    """Which bits of which keys are in the one set and not in the other."""
    found = [EMPTY]
    for piece in before.pieces():
        bits = piece.c & ~after.bits_at(piece.k)
        found.append(KeySet(piece.k[bits > 0], bits[bits > 0]))
        after.release()
    return KeySet(np.concatenate([one.k for one in found]), np.concatenate([one.c for one in found]))


def _write(file: BinaryIO, column: Keys | Bits) -> None:
    file.write(np.ascontiguousarray(column).data)
