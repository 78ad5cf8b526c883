"""The registry's log as a client reads it: checkpoint, tiles, receipts. What is read is believed by `verified` and `SignedLog`."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from byline.errors import NotFound
from byline.formats.checkpoint import MAX_CHECKPOINT
from byline.formats.receipt import MAX_RECEIPT
from byline.formats.tiles import FULL, MAX_BUNDLE, Tile

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


def _first(data: bytes, bundle: Tile) -> bytes:
    """The beginning of a full bundle that is this partial one."""
    at = 0
    for _ in range(bundle.width):
        at += 2 + int.from_bytes(data[at : at + 2], "big")
    return data[:at]
