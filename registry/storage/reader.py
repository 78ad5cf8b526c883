"""A stored object as a file that can be sought in: what pyarrow.parquet.ParquetFile reads from."""

from __future__ import annotations

import io
from collections import OrderedDict
from typing import BinaryIO, cast

from registry.storage.store import ObjectStore

BLOCK = 256 * 1024
KEPT = 32


class ObjectReader(io.RawIOBase):
    """Reads blocks of 256 KiB as they are needed and keeps the last 32; a long read goes past them."""

    def __init__(self, store: ObjectStore, key: str) -> None:
        super().__init__()
        self._store, self._key = store, key
        self._size = store.size(key)
        self._at = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """The byte the next read begins with."""
        return self._at

    def size(self) -> int:
        """Bytes of the whole object."""
        return self._size

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte; before the beginning is a ValueError, past the end reads nothing."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("before the beginning")
        self._at = base + offset
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        """At most `size` bytes from here; all the rest for -1."""
        left = max(0, self._size - self._at)
        wanted = left if size is None or size < 0 else min(size, left)
        data = self._span(self._at, wanted) if wanted else b""
        self._at += len(data)
        return data

    def readall(self) -> bytes:
        """All the rest."""
        return self.read(-1)

    def readinto(self, buffer: object, /) -> int:
        """Fill a buffer; the bytes it got."""
        view = memoryview(cast("bytearray", buffer)).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def _span(self, start: int, length: int) -> bytes:
        if (
            length >= KEPT * BLOCK // 4
        ):  # a column chunk: reading it through the cache would only push the footer out
            return self._store.get_range(self._key, start, length)
        first, last = start // BLOCK, (start + length - 1) // BLOCK
        self._fetch([n for n in range(first, last + 1) if n not in self._blocks])
        joined = b"".join(self._blocks[n] for n in range(first, last + 1))
        while len(self._blocks) > KEPT:
            self._blocks.popitem(last=False)
        return joined[start - first * BLOCK : start - first * BLOCK + length]

    def _fetch(self, lacking: list[int]) -> None:
        """One request from the first to the last block that is lacking."""
        if not lacking:
            return
        begin = lacking[0] * BLOCK
        data = self._store.get_range(self._key, begin, (lacking[-1] - lacking[0] + 1) * BLOCK)
        for n in range(lacking[0], lacking[-1] + 1):
            self._blocks[n] = data[n * BLOCK - begin : (n + 1) * BLOCK - begin]


def open_object(store: ObjectStore, key: str) -> BinaryIO:
    """The object as a seekable binary file; NotFound("no-such-object").

    It must not be replaced while it is read.
    """
    return cast("BinaryIO", ObjectReader(store, key))
