"""A record index opened for reading a little of it: its footer is parsed once and kept.

A footer names every row group and column; at a thousand groups parsing it takes longer than reading one person's rows.
What is kept is known by the object's size and its last bytes, which lie in the footer: an index that was written anew is
read anew.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from registry.storage.reader import open_object
from registry.storage.store import ObjectStore

MOST_BYTES = 64 << 20  # of footers, as they stand in their files
_TAIL = 16 << 10


@dataclass(frozen=True)
class _Footer:
    """`starts`: the position each row group begins at, and one past the last."""

    metadata: pq.FileMetaData
    starts: npt.NDArray[np.int64]


@dataclass(frozen=True)
class OpenIndex:
    """`starts`: the position each row group of `file` begins at, and one past the last."""

    file: pq.ParquetFile
    starts: npt.NDArray[np.int64]


class _Kept:
    """Footers by what they are of, the least used forgotten first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._footers: OrderedDict[tuple[str, bytes], _Footer] = OrderedDict()
        self._bytes = 0

    def get(self, name: tuple[str, bytes]) -> _Footer | None:
        with self._lock:
            if name in self._footers:
                self._footers.move_to_end(name)
            return self._footers.get(name)

    def put(self, name: tuple[str, bytes], footer: _Footer) -> None:
        with self._lock:
            if name in self._footers:
                return
            self._footers[name] = footer
            self._bytes += footer.metadata.serialized_size
            while self._bytes > MOST_BYTES and len(self._footers) > 1:
                _, gone = self._footers.popitem(last=False)
                self._bytes -= gone.metadata.serialized_size


_KEPT = _Kept()


@contextmanager
def open_index(store: ObjectStore, key: str) -> Iterator[OpenIndex]:
    """The record index at `key`; NotFound where there is none."""
    with open_object(store, key) as source:
        name = (key, _mark(source))
        kept = _KEPT.get(name)
        with pq.ParquetFile(source, metadata=kept.metadata if kept else None, pre_buffer=True) as file:
            if kept is None:
                kept = _Footer(file.metadata, _starts(file.metadata))
                _KEPT.put(name, kept)
            yield OpenIndex(file, kept.starts)


def _mark(source: BinaryIO) -> bytes:
    size = source.seek(0, 2)
    source.seek(max(0, size - _TAIL))
    mark = hashlib.sha256(b"%d " % size + source.read(_TAIL)).digest()
    source.seek(0)
    return mark


def _starts(metadata: pq.FileMetaData) -> npt.NDArray[np.int64]:
    sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
