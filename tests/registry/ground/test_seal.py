from __future__ import annotations

from pathlib import Path

import pytest

from byline.errors import Refused, Untrusted
from registry.seal import Seal, read_seal

KEY = bytes(range(32))


@pytest.mark.parametrize("text", ["", "name@example.org", "ß" * 1000])
def test_what_was_sealed_opens(text: str) -> None:
    assert Seal(KEY).open(Seal(KEY).seal(text)) == text


def test_two_sealings_of_one_text_differ() -> None:
    assert Seal(KEY).seal("a") != Seal(KEY).seal("a")


@pytest.mark.parametrize("at", [0, 1, 13, -1])
def test_a_changed_byte_does_not_open(at: int) -> None:
    sealed = bytearray(Seal(KEY).seal("name@example.org"))
    sealed[at] ^= 1
    with pytest.raises(Untrusted) as caught:
        Seal(KEY).open(bytes(sealed))
    assert caught.value.code == "seal-broken"


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" + b"x" * 12, b"nonsense" * 9])
def test_what_was_never_sealed_does_not_open(sealed: bytes) -> None:
    with pytest.raises(Untrusted):
        Seal(KEY).open(sealed)


def test_another_key_does_not_open() -> None:
    with pytest.raises(Untrusted):
        Seal(bytes(32)).open(Seal(KEY).seal("a"))


def test_a_digest_is_stable_and_needs_the_key() -> None:
    assert Seal(KEY).digest("a") == Seal(KEY).digest("a") != Seal(bytes(32)).digest("a")
    assert len(Seal(KEY).digest("a")) == 64


def test_each_purpose_has_its_own_key() -> None:
    assert len({Seal(KEY).derive(purpose) for purpose in ("session", "feed padding", "seal", "digest")}) == 4


@pytest.mark.parametrize("text", ["", "00", "g" * 64, "00" * 33])
def test_a_key_file_that_will_not_do_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    with pytest.raises(Refused) as caught:
        read_seal(path)
    assert caught.value.code == "bad-seal-key"
