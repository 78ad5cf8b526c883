"""C2SP tlog-tiles: where the hashes and the entries of a log lie, and what the files hold.

A tile has up to 256 hashes of one level (8,192 bytes); levels are counted in tiles, so level `l` holds roots of full
subtrees of 256**l leaves. An entry bundle holds up to 256 entries, each after its length. Source: https://c2sp.org/tlog-tiles.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from byline.errors import Refused, Untrusted
from byline.formats import merkle
from byline.formats.merkle import HASH, Node, Read

HEIGHT = 8
WIDTH = 1 << HEIGHT
FULL = WIDTH * HASH
MAX_ENTRY = (1 << 16) - 1
MAX_BUNDLE = WIDTH * (MAX_ENTRY + 2)
ENTRIES = "entries"
_PATH = re.compile(
    r"(?P<level>[0-9]|[1-5][0-9]|6[0-3]|entries)/(?P<number>(?:x[0-9]{3}/)*[0-9]{3})"
    r"(?:\.p/(?P<width>25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9][0-9]?))?",
    re.ASCII,
)


@dataclass(frozen=True, order=True)
class Tile:
    """One tile: `level` None for an entry bundle; `width` below 256 for a partial one."""

    level: int | None
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Below `tile/`: `0/x001/234.p/17`."""
        number = f"{self.index % 1000:03d}"
        rest = self.index // 1000
        while rest:
            number, rest = f"x{rest % 1000:03d}/{number}", rest // 1000
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"{ENTRIES if self.level is None else self.level}/{number}{partial}"

    @property
    def full(self) -> Tile:
        """The same when it is full."""
        return Tile(self.level, self.index)


def parse_path(path: str) -> Tile:
    """Read a path below `tile/`; Refused("no-such-tile") unless it is the one spelling of a tile."""
    found = _PATH.fullmatch(path)
    if not found:
        raise Refused("no-such-tile", "this is no path of a tile")
    index = int(found["number"].replace("x", "").replace("/", ""))
    level = None if found["level"] == ENTRIES else int(found["level"])
    tile = Tile(level, index, int(found["width"] or WIDTH))
    if tile.path != path:  # x000/000 is 000
        raise Refused("no-such-tile", "this is no path of a tile")
    return tile


def tiles_of(size: int) -> Iterator[Tile]:
    """Every hash tile of a log of `size` entries, level by level."""
    return new_tiles(0, size)


def new_tiles(old: int, size: int) -> Iterator[Tile]:
    """The hash tiles that a log of `size` entries has and one of `old` has not (or has narrower)."""
    level = 0
    while size >> (HEIGHT * level):
        yield from _level(level, old >> (HEIGHT * level), size >> (HEIGHT * level))
        level += 1


def new_bundles(old: int, size: int) -> Iterator[Tile]:
    """The same of entry bundles."""
    return _level(None, old, size)


def tile_at(level: int, index: int, size: int) -> Tile:
    """The tile that holds hash `index` of a tile level, as wide as it is in a log of `size` entries.

    Untrusted("log-truncated") where that hash is not of such a log.
    """
    count = size >> (HEIGHT * level)
    if index >= count:
        raise Untrusted("log-truncated", f"a log of {size} entries has no such hash")
    number = index // WIDTH
    return Tile(level, number, min(WIDTH, count - number * WIDTH))


def bundle_at(index: int, size: int) -> Tile:
    """The bundle that holds entry `index`, as wide as it is in a log of `size` entries."""
    at = tile_at(0, index, size)
    return Tile(None, at.index, at.width)


def hashes_of(data: bytes, tile: Tile) -> list[bytes]:
    """The hashes a tile's file holds; Untrusted("log-truncated") unless there are as many as its width."""
    _check_length(data, tile)
    return [data[at : at + HASH] for at in range(0, len(data), HASH)]


def cut(data: bytes, tile: Tile) -> bytes:
    """A tile's bytes as wide as it is: a partial one may come as the full one. Untrusted("log-truncated")."""
    found = data[: tile.width * HASH] if len(data) == FULL else data
    _check_length(found, tile)
    return found


def write_bundle(entries: Sequence[bytes]) -> bytes:
    """Entries, each after its length as uint16 big-endian."""
    if any(len(entry) > MAX_ENTRY for entry in entries):
        raise Refused("entry-too-long", f"a log entry has at most {MAX_ENTRY:,} bytes")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def read_bundle(data: bytes, tile: Tile) -> list[bytes]:
    """The entries of a bundle's file; Untrusted("log-truncated") unless there are exactly as many as its width."""
    entries: list[bytes] = []
    at = 0
    while at < len(data) and len(entries) < tile.width:
        length = int.from_bytes(data[at : at + 2], "big")
        entries.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    if at != len(data) or len(entries) != tile.width:
        raise Untrusted(
            "log-truncated",
            f"the entry bundle {tile.path} does not hold {tile.width} entries",
            at=tile.path,
        )
    return entries


Fetch = Callable[[Sequence[Tile]], Sequence[bytes]]
"""Gives the bytes of tiles, in the order asked. A partial one may come as the full one, and is cut."""


def node_reader(size: int, fetch: Fetch) -> Read:
    """Read nodes of a log of `size` entries (RFC 6962 levels) from its tiles, each fetched once a call.

    What is read is not believed yet: compare the root of `merkle.root_of` with a signed one first.
    """

    def read(nodes: Sequence[Node]) -> list[bytes]:
        where = [_place(level, index, size) for level, index in nodes]
        wanted = sorted({tile for tile, _, _ in where})
        found = {
            tile: hashes_of(cut(data, tile), tile) for tile, data in zip(wanted, fetch(wanted), strict=True)
        }
        return [merkle.root(found[tile][start:end]) for tile, start, end in where]

    return read


def _place(level: int, index: int, size: int) -> tuple[Tile, int, int]:
    """The tile and the stretch of its hashes whose root a node is."""
    tall, low = divmod(level, HEIGHT)
    first = index << low
    tile = tile_at(tall, first + (1 << low) - 1, size)
    start = first - tile.index * WIDTH
    return tile, start, start + (1 << low)


def _check_length(data: bytes, tile: Tile) -> None:
    if len(data) != tile.width * HASH:
        raise Untrusted(
            "log-truncated",
            f"the tile {tile.path} has {len(data):,} bytes instead of {tile.width * HASH:,}",
            at=tile.path,
        )


def _level(level: int | None, old: int, size: int) -> Iterator[Tile]:
    for number in range(old // WIDTH, (size + WIDTH - 1) // WIDTH):
        width = min(WIDTH, size - number * WIDTH)
        if number * WIDTH + width > old:
            yield Tile(level, number, width)
