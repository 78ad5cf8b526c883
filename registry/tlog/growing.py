"""The next files of the tree, from its right edge and the new entries: pure but for reading what stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from byline.errors import Untrusted
from byline.formats import merkle
from byline.formats.checkpoint import Checkpoint
from byline.formats.merkle import HASH, leaf_hash
from byline.formats.tiles import (
    HEIGHT,
    WIDTH,
    Fetch,
    Tile,
    hashes_of,
    new_bundles,
    new_tiles,
    node_reader,
    write_bundle,
)


@dataclass(frozen=True)
class Grown:
    """What has to be written so that the log has this checkpoint."""

    files: tuple[tuple[Tile, bytes], ...]
    size: int
    root: bytes


def grow(old: Checkpoint, leaves: Sequence[bytes], *, fetch: Fetch) -> Grown:
    """Bundles and tiles of the log once `leaves` stand after those of `old`.

    `fetch` reads stored tiles and bundles. Untrusted("log-damaged") where the stored right edge does not give the root
    that was signed last: nothing is put upon a broken tree.
    """
    check_edge(old, fetch)
    size = old.size + len(leaves)
    bundles = tuple(_bundles(old.size, leaves, fetch))
    levels = _levels(old.size, leaves, fetch)
    tiles = tuple((tile, b"".join(_row(levels[tile.level or 0], tile))) for tile in new_tiles(old.size, size))
    root = merkle.root_of(size, node_reader(size, _over(dict(tiles), fetch)))
    return Grown((*bundles, *tiles), size, root)


def check_edge(tree: Checkpoint, fetch: Fetch) -> None:
    """Untrusted("log-damaged") unless the stored tiles give the root of this checkpoint."""
    if merkle.root_of(tree.size, node_reader(tree.size, fetch)) != tree.root:
        raise Untrusted(
            "log-damaged", f"the stored tiles do not give the root that was signed for {tree.size} entries"
        )


@dataclass
class _Level:
    """The hashes of one tile level from the start of its first changed tile."""

    start: int
    hashes: list[bytes]


def _row(level: _Level, tile: Tile) -> list[bytes]:
    at = tile.index * WIDTH - level.start
    return level.hashes[at : at + tile.width]


def _levels(old: int, leaves: Sequence[bytes], fetch: Fetch) -> list[_Level]:
    """Level by level: what the last tile held, then the new hashes; 256 of a level make one of the next."""
    levels: list[_Level] = []
    count, new = old, [leaf_hash(leaf) for leaf in leaves]
    while True:
        number = len(levels)
        start, held = count // WIDTH * WIDTH, count % WIDTH
        before: list[bytes] = []
        if held:
            tile = Tile(number, count // WIDTH, held)
            before = hashes_of(fetch([tile])[0][: held * HASH], tile)
        level = _Level(start, before + new)
        levels.append(level)
        full = len(level.hashes) // WIDTH
        count >>= HEIGHT
        new = [merkle.root(level.hashes[at * WIDTH : (at + 1) * WIDTH]) for at in range(full)]
        if not new and not count:
            return levels


def _bundles(old: int, leaves: Sequence[bytes], fetch: Fetch) -> Iterator[tuple[Tile, bytes]]:
    for bundle in new_bundles(old, old + len(leaves)):
        first = bundle.index * WIDTH
        held = max(0, old - first)
        before = _first(fetch([Tile(None, bundle.index, held)])[0], held) if held else b""
        some = leaves[first + held - old : first + bundle.width - old]
        yield bundle, before + write_bundle(some)


def _first(data: bytes, count: int) -> bytes:
    """The first entries of a bundle: where another integrator was quicker, the partial one comes as the full one."""
    at = 0
    for _ in range(count):
        at += 2 + int.from_bytes(data[at : at + 2], "big")
    if at > len(data):
        raise Untrusted("log-damaged", f"a stored entry bundle holds less than {count} entries")
    return data[:at]


def _over(made: dict[Tile, bytes], fetch: Fetch) -> Fetch:
    """What was made now, else what is stored."""

    def read(tiles: Sequence[Tile]) -> list[bytes]:
        stored = [tile for tile in tiles if tile not in made]
        found = made | dict(zip(stored, fetch(stored), strict=True))
        return [found[tile] for tile in tiles]

    return read
