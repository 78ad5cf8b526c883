"""Tile paths, bundles, checkpoints and receipts: one spelling each, everything else refused."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline.errors import BylineError, Refused, Untrusted
from byline.formats import checkpoint as checkpoints
from byline.formats import entries, merkle, note, receipt, tiles
from byline.formats.checkpoint import Checkpoint
from byline.formats.keys import PrivateKey
from byline.formats.note import NoteKey
from byline.formats.receipt import Receipt
from byline.formats.tiles import Tile

ORIGIN = "registry.example/log/2026"
KEY = PrivateKey(hashlib.sha256(b"tlog research seed: log").digest())
NOTE_KEY = NoteKey(ORIGIN, KEY.public)
AT = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
PUBLISHED = b"""registry.example/log/2026
257
XB/f6DU1gCLyOS3keNvgU/wTDP4dOggoeakM9r8Uv34=

\xe2\x80\x94 registry.example/log/2026 631wO/Oxrces6DOv0SIsi9ZftLzgFVCJYiHVxuGH5C6kZMwanVXHTcyUylWSlzDQFGgsrLZUKoqACAilEW9Bxo26uQ0=
\xe2\x80\x94 witness.example/w1 L3M9xgAAAABpVbkA42ZLa4RsmqIiRB5Md3svoBo139Zoww6K+wV65mej1T3QBRCR06Rf25FJL7ilhG5lDOBP/dEhUY/kaY8ScZN0BQ==
"""  # noqa: E501 - as published


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "0/000"), (Tile(0, 999), "0/999"), (Tile(1, 1000), "1/x001/000"), (Tile(63, 1_234_067), "63/x001/x234/067"),
        (Tile(None, 273, 112), "entries/273.p/112"), (Tile(0, 5, 1), "0/005.p/1"), (Tile(2, 0, 255), "2/000.p/255"),
    ],
)  # fmt: skip
def test_a_tile_has_one_path(tile: Tile, path: str) -> None:
    assert (tile.path, tiles.parse_path(path)) == (path, tile)


@pytest.mark.parametrize(
    "path",
    [
        "", "0", "0/", "0/0", "0/00", "0/0000", "00/000", "64/000", "-1/000", "0/x000/000", "0/1000", "0/x001/x000/00", "0/000.p/0",
        "0/000.p/256", "0/000.p/01", "0/000.p/", "0/000.p", "0/000\n", "0/٠٠٠", "entries/000/", "Entries/000", "0/001/000", "../0/000",
        "0/000.P/1", "0/x001/x000", "data/000",
    ],
)  # fmt: skip
def test_any_other_spelling_is_no_tile(path: str) -> None:
    with pytest.raises(Refused) as caught:
        tiles.parse_path(path)
    assert caught.value.code == "no-such-tile"


@given(st.one_of(st.none(), st.integers(0, 63)), st.integers(0, 10**12), st.integers(1, 256))
def test_paths_are_read_as_they_are_written(level: int | None, index: int, width: int) -> None:
    tile = Tile(level, index, width)
    assert tiles.parse_path(tile.path) == tile


def test_a_bundle_has_the_bytes_of_the_specification() -> None:
    data = bytes.fromhex("0003 6f6e65 0003 74776f 0005 7468726565".replace(" ", ""))
    assert tiles.write_bundle([b"one", b"two", b"three"]) == data
    assert tiles.read_bundle(data, Tile(None, 0, 3)) == [b"one", b"two", b"three"]


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=9), st.data())
def test_a_bundle_that_was_cut_or_lengthened_is_refused(found: list[bytes], data: st.DataObject) -> None:
    whole = tiles.write_bundle(found)
    tile = Tile(None, 0, len(found))
    assert tiles.read_bundle(whole, tile) == found
    cut = data.draw(st.integers(0, len(whole) - 1))
    for changed in (whole[:cut], whole + b"\0", whole + b"\0\0"):
        with pytest.raises(Untrusted) as caught:
            tiles.read_bundle(changed, tile)
        assert caught.value.code == "log-truncated"


def test_an_entry_longer_than_its_length_can_say_is_refused() -> None:
    assert tiles.write_bundle([b"x" * 65_535])[:2] == b"\xff\xff"
    with pytest.raises(Refused):
        tiles.write_bundle([b"x" * 65_536])


@pytest.mark.parametrize("length", [0, 31, 33, 8_192])
def test_a_tile_of_another_width_is_refused(length: int) -> None:
    with pytest.raises(Untrusted):
        tiles.hashes_of(bytes(length), Tile(0, 0, 1))


def test_a_full_tile_may_come_for_a_partial_one() -> None:
    leaves = [hashlib.sha256(bytes([at])).digest() for at in range(256)]
    read = tiles.node_reader(5, lambda wanted: [b"".join(leaves) for _ in wanted])
    assert merkle.root_of(5, read) == merkle.root(leaves[:5])


def test_a_hash_beyond_the_log_is_in_no_tile() -> None:
    with pytest.raises(Untrusted) as caught:
        tiles.tile_at(0, 5, 5)
    assert caught.value.code == "log-truncated"


def test_a_checkpoint_is_the_published_bytes() -> None:
    root = merkle.root([merkle.leaf_hash(b"entry %d" % at) for at in range(257)])
    made = checkpoints.write(Checkpoint(ORIGIN, 257, root), KEY)
    assert PUBLISHED.startswith(made)
    assert checkpoints.read(PUBLISHED, NOTE_KEY) == Checkpoint(ORIGIN, 257, root)


@given(st.data())
def test_a_flipped_bit_of_a_checkpoint_is_refused(data: st.DataObject) -> None:
    made = checkpoints.write(Checkpoint(ORIGIN, 7, b"r" * 32), KEY)
    at = data.draw(st.integers(0, len(made) * 8 - 1))
    changed = bytearray(made)
    changed[at // 8] ^= 1 << at % 8
    with pytest.raises(BylineError):
        checkpoints.read(bytes(changed), NOTE_KEY)


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n05\n{{}}\n", f"{ORIGIN}\n+5\n{{}}\n", f"{ORIGIN}\n 5\n{{}}\n", f"{ORIGIN}\n1_000\n{{}}\n", f"{ORIGIN}\n\n{{}}\n",
        "other.example\n5\n{}\n", f"{ORIGIN}\n5\n{{}}=\n", f"{ORIGIN}\n5\nAAAA\n", f"{ORIGIN}\n5\n", f"{ORIGIN}\n0\n{{}}\n",
        f"{ORIGIN}\n9999999999999999999\n{{}}\n",
    ],
)  # fmt: skip
def test_a_signed_text_that_is_no_checkpoint_is_refused(text: str) -> None:
    signed = note.sign(text.format(base64.b64encode(b"r" * 32).decode()), ORIGIN, KEY)
    with pytest.raises(Untrusted) as caught:
        checkpoints.read(signed, NOTE_KEY)
    assert caught.value.code == "bad-checkpoint"


def test_extension_lines_are_read_over() -> None:
    text = f"{ORIGIN}\n5\n{base64.b64encode(b'r' * 32).decode()}\nmore\n"
    assert checkpoints.read(note.sign(text, ORIGIN, KEY), NOTE_KEY).size == 5


def made_receipt(payload: bytes = b"{}") -> bytes:
    """A receipt of the third of five entries."""
    entry = entries.statement_entry(
        "manifest", digest=hashlib.sha256(payload).hexdigest(), envelope_sha256="0" * 64, key_id="1" * 64,
        subject="dataset:pub/set", at=AT,
    )  # fmt: skip
    leaves = [merkle.leaf_hash(one) for one in (b"a", b"b", entry, b"c", b"d")]

    def read(nodes: list[merkle.Node]) -> list[bytes]:
        return [merkle.root(leaves[index << level : (index + 1) << level]) for level, index in nodes]

    proof = merkle.inclusion_proof(2, 5, read)  # type: ignore[arg-type]
    signed = checkpoints.write(Checkpoint(ORIGIN, 5, merkle.root(leaves)), KEY)
    return receipt.write(Receipt(entry, 2, proof, signed))


def test_a_receipt_proves_its_statement_with_file_and_key_alone() -> None:
    proved = receipt.verify(receipt.read(made_receipt()), vkey=note.vkey(ORIGIN, KEY.public))
    receipt.verify_statement(proved, b"{}")
    assert (proved.index, proved.entry["subject"]) == (2, "dataset:pub/set")
    with pytest.raises(Untrusted) as caught:
        receipt.verify_statement(proved, b"{ }")
    assert caught.value.code == "other-statement"


@given(st.data())
def test_a_flipped_bit_of_a_receipt_is_refused(data: st.DataObject) -> None:
    made = made_receipt()
    at = data.draw(st.integers(0, len(made) * 8 - 1))
    changed = bytearray(made)
    changed[at // 8] ^= 1 << at % 8
    with pytest.raises(BylineError):
        receipt.verify(receipt.read(bytes(changed)), vkey=NOTE_KEY)


@given(st.binary(max_size=300))
def test_what_is_no_receipt_is_refused(data: bytes) -> None:
    with pytest.raises(Refused) as caught:
        receipt.read(data)
    assert caught.value.code == "bad-receipt"


def test_a_receipt_of_a_wish_is_opened_by_its_salt() -> None:
    entry = entries.commitment_entry(
        "opt-out", commitment=hashlib.sha256(b"salt" + b"wish").hexdigest(), at=AT
    )
    signed = checkpoints.write(Checkpoint(ORIGIN, 1, merkle.leaf_hash(entry)), KEY)
    proved = receipt.verify(Receipt(entry, 0, (), signed), vkey=NOTE_KEY)
    receipt.verify_commitment(proved, salt=b"salt", request=b"wish")
    with pytest.raises(Untrusted) as caught:
        receipt.verify_commitment(proved, salt=b"salt", request=b"another")
    assert caught.value.code == "other-request"
