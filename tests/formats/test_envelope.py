from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline.errors import BylineError, Refused, Untrusted
from byline.formats import envelope
from byline.formats.keys import PrivateKey

KEY = PrivateKey(hashlib.sha256(b"one").digest())
OTHER = PrivateKey(hashlib.sha256(b"other").digest())


def sealed(**changed: Any) -> bytes:
    """A good envelope with members changed."""
    return json.dumps({**json.loads(envelope.sign(b"{}", KEY)), **changed}).encode()


@given(st.binary(max_size=300), st.binary(min_size=32, max_size=32))
def test_what_is_signed_opens_and_verifies(payload: bytes, seed: bytes) -> None:
    key = PrivateKey(seed)
    opened = envelope.open_envelope(envelope.sign(payload, key))
    assert envelope.verify(opened, key.public) == payload
    assert opened.digest == hashlib.sha256(payload).hexdigest()


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_any_flipped_bit_is_noticed(at: int, flip: int) -> None:
    data = bytearray(envelope.sign(b'{"a":1}', KEY))
    data[at % len(data)] ^= flip
    try:
        opened = envelope.open_envelope(bytes(data))
        payload = envelope.verify(opened, KEY.public)
    except BylineError:
        return
    # The hint, and white space and unknown members around it, are not signed.
    assert payload == b'{"a":1}'


def test_the_protocols_own_vector_holds(shared: Path) -> None:
    told = json.loads((shared / "vectors/dsse/vector.json").read_bytes())
    assert envelope.pae(told["payload"].encode(), told["payloadType"]) == told["PAE"].encode()
    opened = envelope.open_envelope(json.dumps(told["envelope"]).encode())
    assert (opened.payload, opened.payload_type) == (b"hello world", told["payloadType"])


def test_lengths_are_counted_in_bytes() -> None:
    assert envelope.pae("é".encode(), "té") == "DSSEv1 3 té 2 é".encode()


def test_another_key_is_not_believed() -> None:
    with pytest.raises(Untrusted):
        envelope.verify(envelope.open_envelope(envelope.sign(b"{}", OTHER)), KEY.public)


def test_the_hint_is_not_asked() -> None:
    signatures = json.loads(envelope.sign(b"{}", KEY))["signatures"]
    opened = envelope.open_envelope(sealed(signatures=[{**signatures[0], "keyid": "somebody else"}]))
    assert envelope.verify(opened, KEY.public) == b"{}"


def test_one_good_signature_among_several_suffices() -> None:
    mine = json.loads(envelope.sign(b"{}", KEY))["signatures"]
    theirs = json.loads(envelope.sign(b"{}", OTHER))["signatures"]
    opened = envelope.open_envelope(sealed(signatures=theirs + mine))
    assert envelope.signer(opened, [KEY.public, OTHER.public]) == KEY.public


def test_the_type_is_signed() -> None:
    with pytest.raises(Untrusted):
        envelope.verify(envelope.open_envelope(sealed(payloadType="text/plain")), KEY.public)


def test_url_safe_base64_is_read_too() -> None:
    payload = b"\xfb\xff\xfe"
    signed = json.loads(envelope.sign(payload, KEY))
    signed["payload"] = base64.urlsafe_b64encode(payload).decode()
    assert envelope.verify(envelope.open_envelope(json.dumps(signed).encode()), KEY.public) == payload


def test_unknown_members_are_ignored_as_the_specification_asks() -> None:
    assert envelope.open_envelope(sealed(extra={"x": 1.5})).payload == b"{}"


@pytest.mark.parametrize(
    "changed",
    [
        {"payload": "e3"},
        {"payload": "e30=\n"},
        {"payload": "e31="},
        {"payload": None},
        {"payload": "+-=="},
        {"payloadType": ""},
        {"payloadType": 1},
        {"signatures": []},
        {"signatures": {}},
        {"signatures": [1]},
        {"signatures": [{"sig": "?"}]},
        {"signatures": [{"sig": "AA==", "keyid": 1}]},
        {"signatures": [{"sig": "AA=="}] * 17},
    ],
)
def test_what_is_no_envelope_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        envelope.open_envelope(sealed(**changed))
    assert refused.value.code == "bad-envelope"


def test_an_array_is_no_envelope() -> None:
    with pytest.raises(Refused):
        envelope.open_envelope(b"[]")


def test_a_payload_beyond_a_mebibyte_is_refused() -> None:
    assert envelope.open_envelope(envelope.sign(b" " * envelope.MAX_PAYLOAD, KEY))
    with pytest.raises(Refused) as refused:
        envelope.open_envelope(envelope.sign(b" " * (envelope.MAX_PAYLOAD + 1), KEY))
    assert refused.value.code == "too-large"


def test_too_many_bytes_are_refused_unread() -> None:
    with pytest.raises(Refused) as refused:
        envelope.open_envelope(b"\xff" * (envelope.MAX_ENVELOPE + 1))
    assert refused.value.code == "too-large"
