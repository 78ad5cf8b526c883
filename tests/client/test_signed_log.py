"""Each tile and entry of a log that is not what the signed root stands for is refused, whoever changed what beside it."""

from __future__ import annotations

import pytest

from byline.client.copy import Folder
from byline.client.log import Log
from byline.client.signed_log import SignedLog, leaves_of, root_of_tile
from byline.errors import Untrusted
from byline.formats import merkle
from byline.formats.checkpoint import Checkpoint
from byline.formats.tiles import Tile, new_bundles, tiles_of, write_bundle

SIZE = 70_000
LEAVES = [b"entry %d" % at for at in range(SIZE)]


def levels() -> list[list[bytes]]:
    """The hashes of each level of tiles."""
    found = [[merkle.leaf_hash(leaf) for leaf in LEAVES]]
    while len(found[-1]) >= 256:
        below = found[-1]
        found.append([merkle.root(below[at : at + 256]) for at in range(0, len(below) // 256 * 256, 256)])
    return found


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> tuple[Folder, Checkpoint]:
    """A log of 70,000 entries as static files."""
    folder, hashes = Folder(tmp_path_factory.mktemp("log")), levels()
    for tile in tiles_of(SIZE):
        first = tile.index * 256
        write(folder, tile, b"".join(hashes[tile.level or 0][first : first + tile.width]))
    for tile in new_bundles(0, SIZE):
        write(folder, tile, write_bundle(LEAVES[tile.index * 256 : tile.index * 256 + tile.width]))
    return folder, Checkpoint("byline.example.org", SIZE, merkle.root(hashes[0]))


def write(folder: Folder, tile: Tile, data: bytes) -> None:
    """Put a tile where it lies, unflushed: there are hundreds."""
    path = folder.path / f"log/tile/{tile.path}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


class Lying:
    """The log with some files changed."""

    def __init__(self, folder: Folder, lies: dict[Tile, bytes]) -> None:
        self._folder, self._lies = folder, {f"/log/tile/{tile.path}": data for tile, data in lies.items()}

    def fetch(self, path: str, *, max_bytes: int) -> bytes:
        """A lie, else what is there."""
        return self._lies.get(path) or self._folder.fetch(path, max_bytes=max_bytes)


def test_every_tile_and_entry_is_read(served: tuple[Folder, Checkpoint]) -> None:
    folder, shown = served
    signed = SignedLog(Log(folder), shown)
    read = [leaf for bundle in signed.bundles() for leaf in leaves_of(*bundle)]
    assert read == LEAVES
    assert len(signed.tiles(list(tiles_of(SIZE)))) == 274 + 2 + 1
    assert [signed.leaf(at) for at in (0, 65_535, 65_536, SIZE - 1)] == [
        LEAVES[at] for at in (0, 65_535, 65_536, SIZE - 1)
    ]


def test_entries_with_the_tile_that_fits_them_are_refused_by_the_tile_above(
    served: tuple[Folder, Checkpoint],
) -> None:
    folder, shown = served
    leaves = [b"another", *LEAVES[1:256]]
    lies = {
        Tile(None, 0): write_bundle(leaves),
        Tile(0, 0): b"".join(merkle.leaf_hash(leaf) for leaf in leaves),
    }
    with pytest.raises(Untrusted) as caught:
        next(SignedLog(Log(Lying(folder, lies)), shown).bundles())
    assert caught.value.code == "log-tiles-wrong"


@pytest.mark.parametrize(
    "tile", [Tile(0, 0), Tile(0, 272), Tile(0, 273, 112), Tile(1, 0), Tile(1, 1, 17), Tile(2, 0, 1)]
)
def test_a_changed_tile_is_refused(served: tuple[Folder, Checkpoint], tile: Tile) -> None:
    folder, shown = served
    data = bytearray(folder.fetch(f"/log/tile/{tile.path}", max_bytes=1 << 20))
    data[-1] ^= 1
    with pytest.raises(Untrusted) as caught:
        SignedLog(Log(Lying(folder, {tile: bytes(data)})), shown).tiles(list(tiles_of(SIZE)))
    assert caught.value.code == "log-tiles-wrong"


def test_a_changed_entry_is_refused(served: tuple[Folder, Checkpoint]) -> None:
    folder, shown = served
    lies = {Tile(None, 273, 112): write_bundle([*LEAVES[273 * 256 : SIZE - 1], b"another"])}
    with pytest.raises(Untrusted) as caught:
        SignedLog(Log(Lying(folder, lies)), shown).leaf(SIZE - 1)
    assert caught.value.code == "wrong-entries"


def test_a_tile_cut_short_is_refused(served: tuple[Folder, Checkpoint]) -> None:
    folder, shown = served
    with pytest.raises(Untrusted) as caught:
        SignedLog(Log(Lying(folder, {Tile(1, 0): bytes(8_160)})), shown).tiles([Tile(0, 0)])
    assert caught.value.code == "log-truncated"


def test_the_root_of_a_full_tile_is_the_trees() -> None:
    hashes = [merkle.leaf_hash(leaf) for leaf in LEAVES[:256]]
    assert root_of_tile(b"".join(hashes)) == merkle.root(hashes)
