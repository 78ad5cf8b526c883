"""The log's files in the object store: tiles and bundles once and for ever, the checkpoint swapped.

The order of entries is durable before any of them is written, so whoever writes a file writes the same bytes: one that
is there already with other bytes means that the log has forked, and nothing is signed any more.
"""

from __future__ import annotations

from collections.abc import Sequence

from byline.errors import NotFound, Untrusted
from byline.formats.tiles import Tile
from registry.storage import ObjectStore

CHECKPOINT = "log/checkpoint"
TILES = "log/tile"


def key_of(tile: Tile) -> str:
    """Where a tile or bundle lies. A full one stands beside the folder of its partial ones, whose name ends in `.p`."""
    return f"{TILES}/{tile.path}"


def write_tile(store: ObjectStore, tile: Tile, data: bytes) -> None:
    """Write once; Untrusted("log-forked") where other bytes are there already."""
    if not store.put_new(key_of(tile), data) and store.get(key_of(tile)) != data:
        raise Untrusted(
            "log-forked", f"the stored tile {tile.path} holds other bytes than the log's entries give"
        )


def read_tiles(store: ObjectStore, tiles: Sequence[Tile]) -> list[bytes]:
    """Bytes of tiles; a partial one that was collected comes as the full one. Untrusted("log-damaged") where one is missing."""
    return [read_tile(store, tile) for tile in tiles]


def read_tile(store: ObjectStore, tile: Tile) -> bytes:
    """As read_tiles."""
    for one in (tile, tile.full):
        try:
            return store.get(key_of(one))
        except NotFound:
            continue
    raise Untrusted(
        "log-damaged", f"the store has lost the log's tile {tile.path}; see `byline-registry recover`"
    )


def read_checkpoint(store: ObjectStore) -> bytes | None:
    """The published checkpoint; None before the first."""
    try:
        return store.get(CHECKPOINT)
    except NotFound:
        return None


def swap_checkpoint(store: ObjectStore, data: bytes, *, expected: bytes | None) -> bool:
    """Publish, if what is published still is `expected`."""
    return store.replace_if(CHECKPOINT, data, expected=expected)


def collect_partial(store: ObjectStore, tile: Tile) -> int:
    """Delete the partial files of a tile that is full and below the published size; how many."""
    partial = list(store.list(f"{key_of(tile.full)}.p/"))
    for key in partial:
        store.delete(key)
    return len(partial)
