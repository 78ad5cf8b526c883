from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline.errors import BylineError, Refused, Untrusted
from byline.formats import note
from byline.formats.keys import PrivateKey

KEY = PrivateKey(hashlib.sha256(b"log").digest())
OTHER = PrivateKey(hashlib.sha256(b"witness").digest())
NAME = "log.example/2026"
TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs")) | st.just("\n"), max_size=80).map(
    lambda text: text + "\n"
)


def both(text: str) -> bytes:
    """A note under two names."""
    return note.sign(text, NAME, KEY) + note.sign(text, "w.example", OTHER).split(b"\n\n")[-1]


@given(TEXT)
def test_a_signed_text_verifies(text: str) -> None:
    assert note.verify(note.sign(text, NAME, KEY), note.vkey(NAME, KEY.public)) == text


@given(st.binary(max_size=80))
def test_any_bytes_are_a_note_or_refused(data: bytes) -> None:
    try:
        note.parse(data)
    except BylineError as error:
        assert error.code == "bad-note"  # noqa: PT017


@given(st.integers(0, 400), st.integers(1, 255))
def test_any_flipped_bit_is_noticed(at: int, flip: int) -> None:
    data = bytearray(note.sign("origin\n7\n", NAME, KEY))
    data[at % len(data)] ^= flip
    with pytest.raises(BylineError):
        note.verify(bytes(data), note.vkey(NAME, KEY.public))


def test_a_key_survives_its_text() -> None:
    read = note.parse_vkey(note.vkey(NAME, KEY.public))
    assert (read.name, read.public) == (NAME, KEY.public)


def test_the_specifications_own_vectors_hold(shared: Path) -> None:
    told = json.loads((shared / "vectors/signed_note/vectors.json").read_bytes())
    for text in told["vkeys_ok"]:
        key = note.parse_vkey(text)
        assert note.vkey(key.name, key.public) == text
    for text in told["vkeys_bad"]:
        with pytest.raises(Refused):
            note.parse_vkey(text)
    for one in told["signed"]:
        assert one["note"].startswith(note.verify(one["note"].encode(), one["vkey"]))


def test_each_signer_verifies_alone() -> None:
    for name, key in ((NAME, KEY), ("w.example", OTHER)):
        assert note.verify(both("a\n\nb\n"), note.vkey(name, key.public)) == "a\n\nb\n"


def test_an_unknown_signer_is_not_enough() -> None:
    with pytest.raises(Untrusted, match="not signed by"):
        note.verify(note.sign("a\n", NAME, KEY), note.vkey(NAME, OTHER.public))


def test_one_failing_line_of_a_known_key_spoils_the_note() -> None:
    bad = note.sign("other\n", NAME, KEY).split(b"\n\n")[-1]
    with pytest.raises(Untrusted):
        note.verify(note.sign("a\n", NAME, KEY) + bad, note.vkey(NAME, KEY.public))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a\n",
        b"a\n\n",
        b"a\n\n\xe2\x80\x94 n AAAAAAAA",
        b"a\n\n- n AAAAAAAA\n",
        b"a\n\n\xe2\x80\x94 n AAAA\n",
        b"a\n\n\xe2\x80\x94 n+m AAAAAAAA\n",
        b"a\r\n\n\xe2\x80\x94 n AAAAAAAA\n",
        b"a\n\n\xe2\x80\x94 n AAAAAAB=\n",
        b"\xff\n\n\xe2\x80\x94 n AAAAAAAA\n",
        b"a\n\n\xe2\x80\x94  AAAAAAAA\n",
    ],
)
def test_what_is_no_note_is_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        note.parse(data)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\n"])
def test_a_key_name_without_spaces_or_plus(name: str) -> None:
    with pytest.raises(Refused):
        note.vkey(name, KEY.public)


@pytest.mark.parametrize("text", ["no newline", "bell\x07\n", "tab\t\n"])
def test_a_text_that_is_no_notes_text_is_not_signed(text: str) -> None:
    with pytest.raises(Refused):
        note.sign(text, NAME, KEY)


def test_a_note_of_too_many_bytes_is_refused_unread() -> None:
    with pytest.raises(Refused) as refused:
        note.parse(b"\xff" * (note.MAX_NOTE + 1))
    assert refused.value.code == "too-large"
