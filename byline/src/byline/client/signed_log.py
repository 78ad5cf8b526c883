"""A log's tiles and entries, believed: each is held against the hash above it, up to the root that is signed.

Nothing is given before it is checked, so a caller may keep what comes. Memory: a few tiles a level.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import islice

from byline.client.log import Log
from byline.errors import Untrusted
from byline.formats import merkle
from byline.formats.checkpoint import Checkpoint
from byline.formats.merkle import HASH, Read
from byline.formats.tiles import HEIGHT, WIDTH, Tile, cut, new_bundles, node_reader, read_bundle, tile_at

AT_ONCE = 32
_KEPT = 64
_sha256 = hashlib.sha256


class SignedLog:
    """The log that a verified checkpoint is of."""

    def __init__(self, log: Log, shown: Checkpoint) -> None:
        """The partial tiles are read here: their hashes give the root.

        Untrusted("log-tiles-wrong", "log-truncated").
        """
        self.shown, self._log = shown, log
        self._edge = self._read_edge()
        self._kept: OrderedDict[Tile, bytes] = OrderedDict()

    @property
    def nodes(self) -> Read:
        """Checked hashes of full subtrees, for proofs."""
        return node_reader(self.shown.size, self.tiles)

    def tiles(self, wanted: Sequence[Tile]) -> list[bytes]:
        """Tiles of hashes, as wide as they are in this log, in the order asked.

        Untrusted("log-tiles-wrong") where one is not what the tile above it says.
        """
        unknown = [
            tile for tile in dict.fromkeys(wanted) if tile not in self._edge and tile not in self._kept
        ]
        found = self._checked(unknown) if unknown else {}
        given = [self._edge.get(tile) or self._kept.get(tile) or found[tile] for tile in wanted]
        self._keep(found)
        return given

    def bundles(self, start: int = 0) -> Iterator[tuple[Tile, bytes, bytes]]:
        """Entry bundles from the one with entry `start` on, as they came, each with its checked level-0 tile.

        `leaves_of` says whether the one is what the other is of.
        """
        wanted = new_bundles(start, self.shown.size)
        while some := list(islice(wanted, AT_ONCE)):
            hashes = self.tiles([Tile(0, one.index, one.width) for one in some])
            yield from zip(some, self._log.tiles(some), hashes, strict=True)

    def leaf(self, index: int) -> bytes:
        """One entry."""
        return self.leaves(tile_at(0, index, self.shown.size).index)[index % WIDTH]

    def leaves(self, number: int) -> list[bytes]:
        """The entries of one bundle; Untrusted("wrong-entries", "log-truncated")."""
        hashes = tile_at(0, number * WIDTH, self.shown.size)
        bundle = Tile(None, hashes.index, hashes.width)
        return leaves_of(bundle, self._log.tile(bundle), self.tiles([hashes])[0])

    def _read_edge(self) -> dict[Tile, bytes]:
        size, edge, level = self.shown.size, [], 0
        while size >> (HEIGHT * level):
            if (size >> (HEIGHT * level)) % WIDTH:
                edge.append(tile_at(level, (size >> (HEIGHT * level)) - 1, size))
            level += 1
        found = {tile: cut(data, tile) for tile, data in zip(edge, self._log.tiles(edge), strict=True)}
        read = node_reader(size, lambda tiles: [found[tile] for tile in tiles])
        if merkle.root_of(size, read) != self.shown.root:
            raise Untrusted(
                "log-tiles-wrong", "the log's tiles do not give the root that its checkpoint signs"
            )
        return found

    def _checked(self, tiles: Sequence[Tile]) -> dict[Tile, bytes]:
        """Full tiles: the root of each is one hash of the tile above."""
        above = [tile_at((tile.level or 0) + 1, tile.index, self.shown.size) for tile in tiles]
        parents = dict(zip(above, self.tiles(above), strict=True))
        found = {}
        for tile, parent, data in zip(tiles, above, self._log.tiles(tiles), strict=True):
            told = HASH * (tile.index % WIDTH)
            if root_of_tile(cut(data, tile)) != parents[parent][told : told + HASH]:
                raise Untrusted(
                    "log-tiles-wrong", f"the tile {tile.path} is not the one that the log signs", at=tile.path
                )
            found[tile] = data
        return found

    def _keep(self, found: dict[Tile, bytes]) -> None:
        """Those above others: one of level 1 is asked for by 256."""
        self._kept.update({tile: data for tile, data in found.items() if tile.level})
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)


def root_of_tile(data: bytes) -> bytes:
    """The root over the hashes of a full tile: the same as `merkle.root`, level by level without a list of hashes."""
    while len(data) > HASH:
        data = b"".join(
            [_sha256(b"\x01" + data[at : at + 2 * HASH]).digest() for at in range(0, len(data), 2 * HASH)]
        )
    return data


def leaves_of(bundle: Tile, data: bytes, hashes: bytes) -> list[bytes]:
    """The entries of a bundle; Untrusted("wrong-entries") unless they are the ones these hashes are of."""
    leaves = read_bundle(data, bundle)
    if b"".join([_sha256(b"\x00" + leaf).digest() for leaf in leaves]) != hashes:
        raise Untrusted(
            "wrong-entries",
            f"the entries of {bundle.path} are not the ones that the log signs",
            at=bundle.path,
        )
    return leaves
