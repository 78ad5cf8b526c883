"""The registry's log as a client reads it: checkpoint, tiles, entries, receipts. What is read is believed by `verified`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from byline.errors import NotFound
from byline.formats.checkpoint import MAX_CHECKPOINT
from byline.formats.receipt import MAX_RECEIPT
from byline.formats.tiles import FULL, MAX_BUNDLE, Tile, new_bundles, read_bundle

ROOT = "/log/"
_AT_ONCE = 8


class Source(Protocol):
    """Where a registry's files come from: HTTP (`Transport`) or a mirror's folder."""

    def fetch(self, path: str, *, max_bytes: int) -> bytes:
        """The bytes of a file; NotFound, Untrusted("answer-too-large")."""
        ...


class Log:
    """One registry's log over HTTP, or a mirror of it."""

    def __init__(self, source: Source) -> None:
        """`source` reaches the registry, or a copy of its files."""
        self._source = source

    def checkpoint(self) -> bytes:
        """The signed note, as served."""
        return self._source.fetch(f"{ROOT}checkpoint", max_bytes=MAX_CHECKPOINT)

    def receipt(self, digest: str) -> bytes:
        """The receipt of an entry; Unavailable("not-in-log-yet") for about a second after it was made."""
        return self._source.fetch(f"/v1/receipts/{digest}", max_bytes=MAX_RECEIPT)

    def tiles(self, tiles: Sequence[Tile]) -> list[bytes]:
        """The bytes of tiles or bundles, in order, some at a time."""
        if len(tiles) < 2:
            return [self.tile(one) for one in tiles]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(self.tile, tiles))

    def tile(self, tile: Tile) -> bytes:
        """One tile; where a partial one is collected, the full one."""
        most = MAX_BUNDLE if tile.level is None else FULL
        try:
            return self._source.fetch(f"{ROOT}tile/{tile.path}", max_bytes=most)
        except NotFound:
            if tile == tile.full:
                raise
        data = self._source.fetch(f"{ROOT}tile/{tile.full.path}", max_bytes=most)
        return data if tile.level is not None else _first(data, tile)

    def entries(self, start: int, size: int) -> Iterator[tuple[int, bytes]]:
        """Entries from `start` to the end of a log of `size`, by index."""
        bundles = list(new_bundles(start, size))
        for at in range(0, len(bundles), _AT_ONCE):
            some = bundles[at : at + _AT_ONCE]
            for bundle, data in zip(some, self.tiles(some), strict=True):
                first = bundle.index * 256
                leaves = read_bundle(data, bundle)
                yield from ((first + nth, leaf) for nth, leaf in enumerate(leaves) if first + nth >= start)


def _first(data: bytes, bundle: Tile) -> bytes:
    """The beginning of a full bundle that is this partial one."""
    at = 0
    for _ in range(bundle.width):
        at += 2 + int.from_bytes(data[at : at + 2], "big")
    return data[:at]
