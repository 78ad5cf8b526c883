"""The whole set of fingerprints of one head, as two plain files that are mapped and not read into memory.

`sets/<set_sha256>.k` holds every `k` as a little-endian 64-bit number, ascending; `….c` the category bits, a byte each. They
are made of the feed's Parquet files, and again where they are missing.
"""

from __future__ import annotations

import mmap
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from byline.formats.keyset import EMPTY, Bits, Keys, KeySet, bits_at, cut

_AT_ONCE = 1 << 18
_SLICE = 1 << 19


class KeptSet:
    """A set in the state's folder, mapped: what was looked at is given back to the system by `release`."""

    def __init__(self, k_file: BinaryIO, c_file: BinaryIO) -> None:
        """Of two open files, which may be closed and unlinked then; ValueError where they are not of one length."""
        self._maps: list[mmap.mmap] = []
        k, c = self._mapped(k_file), self._mapped(c_file)
        if len(k) != 8 * len(c):
            raise ValueError("the two files of a set are not of one length")
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

    def _mapped(self, file: BinaryIO) -> npt.NDArray[np.uint8]:
        if os.fstat(file.fileno()).st_size == 0:  # nothing can be mapped then
            return np.zeros(0, np.uint8)
        whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._maps.append(whole)
        return np.frombuffer(whole, dtype=np.uint8)


def open_kept(stem: Path) -> KeptSet:
    """The set whose two files lie at `stem`; FileNotFoundError, ValueError."""
    with stem.with_suffix(".k").open("rb") as k_file, stem.with_suffix(".c").open("rb") as c_file:
        return KeptSet(k_file, c_file)


def write_set(stem: Path, pieces: Iterable[KeySet]) -> KeptSet:
    """Write a set: whole, or not at all. Nothing is flushed to the disk: a torn set is found when it is opened.

    What is given back is what was written, also where a sync in another process sweeps it at once.
    """
    stem.parent.mkdir(exist_ok=True)
    ours = f"{os.getpid()}.{threading.get_ident()}"
    k_draft, c_draft = (stem.with_name(f".{stem.name}.{ours}.{end}.tmp") for end in "kc")
    try:
        with k_draft.open("w+b") as k_file, c_draft.open("w+b") as c_file:
            for piece in pieces:
                _write(k_file, piece.k.astype("<i8", copy=False))
                _write(c_file, piece.c)
            k_file.flush()
            c_file.flush()
            made = KeptSet(k_file, c_file)
        with suppress(FileNotFoundError):  # swept: who needs it next makes it again
            c_draft.replace(stem.with_suffix(".c"))
            k_draft.replace(stem.with_suffix(".k"))
        return made
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
