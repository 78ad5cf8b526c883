"""Trees against a naive one that shares nothing with them: every size up to 600, larger ones at random."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline.errors import Untrusted
from byline.formats import merkle
from byline.formats.tiles import FULL, Tile, bundle_at, new_bundles, new_tiles, node_reader, tiles_of

LEAVES = [hashlib.sha256(b"\x00entry %d" % at).digest() for at in range(1_200)]
LARGEST = 600


@cache
def mth(start: int, end: int) -> bytes:
    """MTH(D[start:end]) as RFC 6962 section 2.1 writes it."""
    if end == start:
        return hashlib.sha256(b"").digest()
    if end - start == 1:
        return LEAVES[start]
    half = 1
    while half * 2 < end - start:
        half *= 2
    return hashlib.sha256(b"\x01" + mth(start, start + half) + mth(start + half, end)).digest()


def nodes(wanted: Sequence[merkle.Node]) -> list[bytes]:
    """Full subtrees of the naive tree."""
    return [mth(index << level, (index + 1) << level) for level, index in wanted]


def tile_bytes(tiles: Sequence[Tile]) -> list[bytes]:
    """Tiles of the naive tree."""
    made = []
    for tile in tiles:
        span = 256 ** (tile.level or 0)
        starts = [(tile.index * 256 + at) * span for at in range(tile.width)]
        made.append(b"".join(mth(start, start + span) for start in starts))
    return made


def test_roots_are_the_naive_trees_for_every_size_up_to_600() -> None:
    for size in range(LARGEST + 1):
        assert merkle.root(LEAVES[:size]) == merkle.root_of(size, nodes) == mth(0, size)


def test_every_leaf_of_every_31st_size_is_proved() -> None:
    for size in [*range(1, 40), *range(40, LARGEST, 31), 255, 256, 257]:
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, nodes)
            merkle.verify_inclusion(LEAVES[index], proof, index=index, size=size, head=mth(0, size))


def test_every_size_up_to_600_goes_on_from_some_before() -> None:
    for new in range(1, LARGEST + 1):
        for old in {1, new // 3, new // 2, new - 1, new, 1 << new.bit_length() - 1} - {0}:
            proof = merkle.consistency_proof(old, new, nodes)
            merkle.verify_consistency(proof, old=old, new=new, heads=(mth(0, old), mth(0, new)))


@given(st.integers(1, 1_200), st.data())
def test_nodes_read_from_tiles_are_the_trees(size: int, data: st.DataObject) -> None:
    read = node_reader(size, tile_bytes)
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    assert merkle.root_of(size, read) == mth(0, size)
    assert merkle.inclusion_proof(index, size, read) == merkle.inclusion_proof(index, size, nodes)
    assert merkle.consistency_proof(old, size, read) == merkle.consistency_proof(old, size, nodes)


@given(st.integers(2, 300), st.data())
def test_a_flipped_bit_anywhere_is_refused(size: int, data: st.DataObject) -> None:
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size - 1))
    inclusion = merkle.inclusion_proof(index, size, nodes)
    parts = [LEAVES[index], *inclusion, mth(0, size)]
    leaf, *proof, head = flipped(parts, data)
    with pytest.raises(Untrusted, match="signed root"):
        merkle.verify_inclusion(leaf, proof, index=index, size=size, head=head)
    consistency = merkle.consistency_proof(old, size, nodes)
    before, *proof, after = flipped([mth(0, old), *consistency, mth(0, size)], data)
    with pytest.raises(Untrusted) as caught:
        merkle.verify_consistency(proof, old=old, new=size, heads=(before, after))
    assert caught.value.code == "log-forked"


def flipped(parts: list[bytes], data: st.DataObject) -> list[bytes]:
    """One bit of one of these hashes the other way."""
    at, bit = data.draw(st.integers(0, len(parts) - 1)), data.draw(st.integers(0, 255))
    changed = bytearray(parts[at])
    changed[bit // 8] ^= 1 << bit % 8
    return [*parts[:at], bytes(changed), *parts[at + 1 :]]


@given(st.integers(2, 300), st.data())
def test_another_index_or_size_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size - 1).filter(lambda one: one != index))
    proof = merkle.inclusion_proof(index, size, nodes)
    with pytest.raises(Untrusted):
        merkle.verify_inclusion(LEAVES[index], proof, index=other, size=size, head=mth(0, size))
    with pytest.raises(Untrusted):
        merkle.verify_inclusion(LEAVES[index], [*proof, LEAVES[0]], index=index, size=size, head=mth(0, size))
    with pytest.raises(Untrusted):
        merkle.verify_inclusion(LEAVES[index], proof[:-1], index=index, size=size, head=mth(0, size))


@pytest.mark.parametrize(("index", "size"), [(-1, 5), (5, 5), (0, 0)])
def test_no_leaf_stands_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(Untrusted):
        merkle.verify_inclusion(LEAVES[0], [], index=index, size=size, head=LEAVES[0])
    with pytest.raises(ValueError, match="no leaf"):
        merkle.inclusion_proof(index, size, nodes)


@pytest.mark.parametrize(("old", "new"), [(0, 5), (6, 5), (-1, 5)])
def test_of_nothing_nothing_is_proved(old: int, new: int) -> None:
    with pytest.raises(Untrusted):
        merkle.verify_consistency([], old=old, new=new, heads=(LEAVES[0], LEAVES[0]))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_hash_has_32_bytes(length: int) -> None:
    with pytest.raises(Untrusted, match="32 bytes"):
        merkle.verify_inclusion(b"x" * length, [], index=0, size=1, head=b"x" * length)


@pytest.mark.parametrize(
    ("leaf", "found"),
    [
        (b"", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
        (b"L123456", "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"),
    ],
)
def test_leaf_hashes_are_the_published_ones(leaf: bytes, found: str) -> None:
    assert merkle.leaf_hash(leaf).hex() == found


def test_node_hashes_are_the_published_ones() -> None:
    found = "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"
    assert merkle.node_hash(b"N123", b"N456").hex() == found


def test_the_classic_tree_of_eight_has_its_published_roots(shared: Path) -> None:
    vectors = json.loads((shared / "vectors/rfc6962_merkle/leaves_and_roots.json").read_text())
    leaves = [merkle.leaf_hash(bytes.fromhex(one)) for one in vectors["leaf_inputs_hex"]]
    assert [merkle.root(leaves[:size]).hex() for size in range(9)] == vectors["root_by_tree_size"]


@given(st.integers(0, 70_000), st.integers(0, 3_000))
def test_what_a_longer_log_adds_to_a_shorter_is_the_longer(old: int, more: int) -> None:
    def widths(tiles: Sequence[Tile]) -> dict[tuple[int | None, int], int]:
        return {(tile.level, tile.index): tile.width for tile in tiles}

    size = old + more
    added = widths(list(new_tiles(old, size)))
    assert widths(list(tiles_of(old))) | added == widths(list(tiles_of(size)))
    assert sum(bundle.width for bundle in new_bundles(old, size)) >= more


def test_a_log_of_70_000_has_the_tiles_the_specification_says() -> None:
    tiles = list(tiles_of(70_000))
    assert [tile.path for tile in tiles if tile.level and tile.level > 0] == [
        "1/000",
        "1/001.p/17",
        "2/000.p/1",
    ]
    assert tiles[273].path == "0/273.p/112"
    assert len(tiles) == 274 + 3
    assert [tile.path for tile in tiles_of(256)] == ["0/000", "1/000.p/1"]
    assert bundle_at(69_999, 70_000).path == "entries/273.p/112"
    assert FULL == 8_192
