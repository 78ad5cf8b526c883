"""The log's golden file: what its script writes, and what the code makes of the same entries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from byline.errors import BylineError
from byline.formats import checkpoint as checkpoints
from byline.formats import merkle, note, receipt, tiles
from byline.formats.checkpoint import Checkpoint
from byline.formats.keys import PrivateKey
from byline.formats.receipt import Receipt
from tests.vectors import make_log

ORIGIN = make_log.ORIGIN


@pytest.fixture(scope="module")
def vectors(root: Path) -> Any:
    return json.loads((root / "tests/vectors/log.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def key(vectors: Any) -> PrivateKey:
    return PrivateKey(bytes.fromhex(vectors["seed"]))


def nodes(wanted: Sequence[merkle.Node]) -> list[bytes]:
    """Full subtrees, from the script's tree."""
    return [make_log.mth(index << level, (index + 1) << level) for level, index in wanted]


def test_the_golden_file_is_what_its_script_writes(root: Path) -> None:
    assert (root / "tests/vectors/log.json").read_text(encoding="utf-8") == make_log.written()


def test_roots_and_proofs(vectors: Any) -> None:
    for size, found in vectors["roots"].items():
        assert merkle.root_of(int(size), nodes).hex() == found
    for told in vectors["inclusion"]:
        made = merkle.inclusion_proof(told["index"], told["size"], nodes)
        assert [one.hex() for one in made] == told["proof"]
    for told in vectors["consistency"]:
        made = merkle.consistency_proof(told["old"], told["new"], nodes)
        assert [one.hex() for one in made] == told["proof"]


def test_tiles_and_bundles_from_their_paths(vectors: Any) -> None:
    for told in vectors["tiles"]:
        tile = tiles.parse_path(told["path"])
        level = 8 * (tile.level or 0)
        data = b"".join(nodes([(level, tile.index * 256 + at) for at in range(tile.width)]))
        assert (tile.path, hashlib.sha256(data).hexdigest()) == (told["path"], told["sha256"])
    for told in vectors["bundles"]:
        tile = tiles.parse_path(told["path"])
        found = [make_log.entry(tile.index * 256 + at) for at in range(tile.width)]
        data = tiles.write_bundle(found)
        assert (tile.path, hashlib.sha256(data).hexdigest()) == (told["path"], told["sha256"])
        assert tiles.read_bundle(data, tile) == found


def test_checkpoints_and_receipts_are_the_same_bytes(vectors: Any, key: PrivateKey) -> None:
    assert note.vkey(ORIGIN, key.public) == vectors["vkey"]
    for size, text in vectors["checkpoints"].items():
        told = Checkpoint(ORIGIN, int(size), merkle.root_of(int(size), nodes))
        assert checkpoints.write(told, key) == text.encode()
        assert checkpoints.read(text.encode(), note.parse_vkey(vectors["vkey"])) == told
    for told in vectors["proofs"]:
        index, size = told["index"], told["size"]
        signed = checkpoints.write(Checkpoint(ORIGIN, size, merkle.root_of(size, nodes)), key)
        made = Receipt(make_log.entry(index), index, merkle.inclusion_proof(index, size, nodes), signed)
        assert receipt.write(made) == told["file"].encode()
        assert receipt.read(told["file"].encode()) == made


def test_every_flipped_bit_of_a_checkpoint_is_refused(vectors: Any) -> None:
    known = note.parse_vkey(vectors["vkey"])
    for changed in flips(vectors["checkpoints"]["7"].encode()):
        with pytest.raises(BylineError):
            checkpoints.read(changed, known)


def test_every_flipped_bit_of_a_receipt_is_refused(vectors: Any) -> None:
    """Refused as it is taken apart, or by the root that is signed, or by the signature."""
    known = note.parse_vkey(vectors["vkey"])
    whole = next(told["file"] for told in vectors["proofs"] if told["size"] == 7).encode()
    for changed in flips(whole):
        with pytest.raises(BylineError):
            proved(receipt.read(changed), known)


def proved(found: Receipt, known: note.NoteKey) -> None:
    """What `receipt.verify` does before it reads the entry, which in the vectors is none of Byline's."""
    signed = checkpoints.read(found.checkpoint, known)
    merkle.verify_inclusion(
        merkle.leaf_hash(found.entry), found.proof, index=found.index, size=signed.size, head=signed.root
    )


def flips(data: bytes) -> list[bytes]:
    """Every text that differs in one bit."""
    return [
        data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
        for at in range(len(data))
        for bit in range(8)
    ]


def test_proofs_are_the_naive_ones_for_every_size_up_to_600() -> None:
    for size in range(1, 601):
        few = size <= 40 or size.bit_count() == 1 or (size - 1).bit_count() == 1
        steps = (
            range(size)
            if few
            else sorted({0, 1, size // 3, size // 2, size - 2, size - 1, make_log.half(size)})
        )
        for at in steps:
            assert merkle.inclusion_proof(at, size, nodes) == tuple(make_log.path(at, 0, size))
            assert merkle.consistency_proof(at + 1, size, nodes) == tuple(make_log.subproof(at + 1, 0, size))
