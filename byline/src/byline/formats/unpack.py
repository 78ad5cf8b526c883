"""Plain, gzip, bzip2, xz or zstd, told by the first bytes; what unfolds too far is not unfolded."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import pyarrow as pa

from byline.errors import Refused
from byline.formats.numbered import Limits

BLOCK = 1 << 20
_MAGIC = {"gzip": b"\x1f\x8b", "bzip2": b"BZh", "xz": b"\xfd7zXZ\0", "zstd": b"\x28\xb5\x2f\xfd"}
_ARCHIVES = {
    "zip": b"PK\x03\x04",
    "7z": b"7z\xbc\xaf\x27\x1c",
    "RAR": b"Rar!\x1a\x07",
    "SQLite": b"SQLite format 3\0",
}
HEAD = max(len(magic) for magic in _MAGIC.values())
_XZ_MEMORY = 256 << 20
"""What an xz file may ask for: `xz -9` asks for 65 MiB."""


def compression(head: bytes) -> str | None:
    """Tell `gzip`, `bzip2`, `xz`, `zstd` or None, by magic bytes (RFC 1952, RFC 8878); `HEAD` bytes suffice."""
    return next((name for name, magic in _MAGIC.items() if head.startswith(magic)), None)


def unpacked(source: BinaryIO, limits: Limits) -> Iterator[bytes]:
    """Blocks of at most a few MiB, decompressed.

    Refused: "broken-compression" (also where it is cut short), "unfolds-too-far" for bombs, "is-an-archive",
    "is-a-pointer", "is-parquet", "not-utf8".
    """
    head = source.read(BLOCK)
    _refuse_what_is_no_text(head)
    kind = compression(head)
    if kind is None:
        yield from _rest(head, source)
        return
    taken = [0]
    blocks = _UNPACK[kind](head, source, taken)
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


def _streams(kind: str, fresh: Callable[[], Any]) -> Callable[[bytes, BinaryIO, list[int]], Iterator[bytes]]:
    """Read bzip2 or xz: streams may be strung together, as the parallel packers write them."""

    def unpack(head: bytes, source: BinaryIO, taken: list[int]) -> Iterator[bytes]:
        stream, data = fresh(), head
        try:
            while data:
                taken[0] += len(data)
                while data or not (stream.eof or stream.needs_input):
                    if stream.eof and not data.strip(b"\0"):  # xz pads to four bytes
                        break
                    if stream.eof:
                        stream = fresh()
                    block = stream.decompress(data, BLOCK)
                    data = stream.unused_data if stream.eof else b""
                    if block:
                        yield block
                data = source.read(BLOCK)
        except (OSError, EOFError, lzma.LZMAError) as error:
            raise Refused("broken-compression", f"the {kind} data is damaged: {error}") from error
        if not stream.eof:
            raise Refused("broken-compression", f"the {kind} data ends in the middle; the file is cut short")

    return unpack


def _refuse_what_is_no_text(head: bytes) -> None:
    if head.startswith(b"PAR1"):
        raise Refused("is-parquet", "the file is Parquet, whatever its name says; say --format parquet")
    if head.startswith(b"version https://git-lfs"):
        raise Refused(
            "is-a-pointer", "this is a pointer of Git LFS, not the file; fetch it first: git lfs pull"
        )
    if head.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        raise Refused("not-utf8", "the file is UTF-32; convert it first: iconv -f UTF-32 -t UTF-8 OLD > NEW")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Refused("not-utf8", "the file is UTF-16; convert it first: iconv -f UTF-16 -t UTF-8 OLD > NEW")
    found = next((name for name, magic in _ARCHIVES.items() if head.startswith(magic)), None)
    if found is not None:
        raise Refused(
            "is-an-archive",
            f"this is a {found} file, which holds other files or tables; unpack or export it, and name what comes out",
        )


_UNPACK = {
    "gzip": _gunzip,
    "zstd": _unzstd,
    "bzip2": _streams("bzip2", bz2.BZ2Decompressor),
    "xz": _streams("xz", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, _XZ_MEMORY)),
}
