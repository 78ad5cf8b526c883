"""Plain, gzip or zstd, told by the first bytes; what unfolds too far is not unfolded."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa

from byline.errors import Refused
from byline.formats.numbered import Limits

BLOCK = 1 << 20
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


def compression(head: bytes) -> str | None:
    """Tell `gzip`, `zstd` or None, by magic bytes (RFC 1952, RFC 8878)."""
    if head.startswith(GZIP):
        return "gzip"
    return "zstd" if head.startswith(ZSTD) else None


def unpacked(source: BinaryIO, limits: Limits) -> Iterator[bytes]:
    """Blocks of at most a few MiB, decompressed.

    Refused: "broken-compression" (also where it is cut short), "unfolds-too-far" for bombs.
    """
    head = source.read(BLOCK)
    kind = compression(head)
    if kind is None:
        yield from _rest(head, source)
        return
    taken = [0]
    blocks = _gunzip(head, source, taken) if kind == "gzip" else _unzstd(head, source, taken)
    given = 0
    for block in blocks:
        given += len(block)
        if given > min(limits.free + taken[0] * limits.ratio, limits.unfolded):
            raise Refused(
                "unfolds-too-far",
                f"{taken[0]:,} compressed bytes unfold to more than {given:,}; the file is not read on",
            )
        yield block


def _rest(head: bytes, source: BinaryIO) -> Iterator[bytes]:
    while head:
        yield head
        head = source.read(BLOCK)


def _gunzip(head: bytes, source: BinaryIO, taken: list[int]) -> Iterator[bytes]:
    unzip = zlib.decompressobj(wbits=31)
    data = head
    try:
        while data:
            taken[0] += len(data)
            while data:
                if unzip.eof and not data.strip(b"\0"):  # the padding of tapes
                    break
                if unzip.eof:  # gzip files may be strung together (RFC 1952 2.2)
                    unzip = zlib.decompressobj(wbits=31)
                block = unzip.decompress(data, BLOCK)
                data = unzip.unconsumed_tail or unzip.unused_data
                if block:
                    yield block
            data = source.read(BLOCK)
    except zlib.error as error:
        raise Refused("broken-compression", f"the gzip data is damaged: {error}") from error
    if not unzip.eof and taken[0]:
        raise Refused("broken-compression", "the gzip data ends in the middle; the file is cut short")


class _Head:
    """A source whose first block was read already, and which counts what was taken."""

    def __init__(self, head: bytes, source: BinaryIO, taken: list[int]) -> None:
        self._head, self._source, self._taken = head, source, taken
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        """Read at most `size` bytes."""
        if self._head:
            given = self._head if size < 0 else self._head[:size]
            self._head = self._head[len(given) :]
        else:
            given = self._source.read(size)
        self._taken[0] += len(given)
        return given

    def readable(self) -> bool:
        """It is."""
        return True

    def writable(self) -> bool:
        """It is not."""
        return False

    def seekable(self) -> bool:
        """It is not."""
        return False

    def close(self) -> None:
        """The source stays open: whoever opened it closes it."""
        self.closed = True


def _unzstd(head: bytes, source: BinaryIO, taken: list[int]) -> Iterator[bytes]:
    try:
        with pa.CompressedInputStream(pa.PythonFile(_Head(head, source, taken), mode="r"), "zstd") as stream:
            while block := stream.read(BLOCK):
                yield block
    except (OSError, pa.ArrowException) as error:
        raise Refused("broken-compression", f"the zstd data is damaged: {str(error)[:200]}") from error
