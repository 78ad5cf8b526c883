from __future__ import annotations

import base64
import gzip
import hashlib
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from byline.errors import BylineError, Refused, Untrusted
from byline.formats.keys import PrivateKey, PublicKey

KEY = PrivateKey(hashlib.sha256(b"test").digest())
LOW_ORDER = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "ec" + "ff" * 30 + "7f",
    "ec" + "ff" * 31,
    "ed" + "ff" * 30 + "7f",
    "ed" + "ff" * 31,
    "ee" + "ff" * 30 + "7f",
    "ee" + "ff" * 31,
]


def forms(key: PublicKey) -> dict[str, str]:
    """The same key as the world writes it."""
    loaded = Ed25519PublicKey.from_public_bytes(key.raw)
    ssh = loaded.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    url_safe = base64.urlsafe_b64encode(key.raw).decode().rstrip("=")
    return {
        "pem": key.to_pem(),
        "ssh": f"{ssh} somebody@example.org",
        "jwk": json.dumps({"kty": "OKP", "crv": "Ed25519", "x": url_safe}),
        "did": "did:key:z" + base58(b"\xed\x01" + key.raw),
        "hex": key.raw.hex(),
        "base64": base64.b64encode(key.raw).decode(),
        "base64 spki": base64.b64encode(key.spki).decode(),
    }


def base58(data: bytes) -> str:
    """Base58btc without leading zeros."""
    number, out = int.from_bytes(data, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        out = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[rest] + out
    return out


@given(st.binary(min_size=32, max_size=32))
def test_every_spelling_of_a_key_is_the_same_key(seed: bytes) -> None:
    key = PrivateKey(seed).public
    assert {name: PublicKey.parse(text) for name, text in forms(key).items()} == dict.fromkeys(
        forms(key), key
    )


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=100))
def test_a_signature_holds_for_its_message_alone(seed: bytes, message: bytes) -> None:
    key = PrivateKey(seed)
    key.public.verify(key.sign(message), message)
    with pytest.raises(Untrusted):
        key.public.verify(key.sign(message), message + b"x")


@given(st.text(max_size=80))
def test_any_text_is_a_key_or_refused(text: str) -> None:
    try:
        PublicKey.parse(text)
    except BylineError as error:
        assert error.code in {"bad-key", "weak-key", "not-json", "not-utf8", "duplicate-key", "nul-character"}  # noqa: PT017


def test_the_key_id_is_the_digest_of_the_public_key_info() -> None:
    loaded = Ed25519PublicKey.from_public_bytes(KEY.public.raw)
    der = loaded.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert KEY.public.key_id == hashlib.sha256(der).hexdigest()


def test_a_private_key_survives_its_pem() -> None:
    assert PrivateKey.from_pem(KEY.to_pem()).seed == KEY.seed


def test_a_generated_key_is_another_each_time() -> None:
    assert PrivateKey.generate().seed != PrivateKey.generate().seed


def test_a_private_key_is_never_printed() -> None:
    assert KEY.seed.hex() not in repr(KEY)
    assert repr(KEY.seed) not in repr(KEY)


def test_an_openssh_private_key_signs_too() -> None:
    pem = serialization.load_pem_private_key(KEY.to_pem(), password=None).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    assert PrivateKey.from_pem(pem).public == KEY.public


@pytest.mark.parametrize("raw", LOW_ORDER)
def test_a_key_of_low_order_is_refused(raw: str) -> None:
    with pytest.raises(Refused) as refused:
        PublicKey(bytes.fromhex(raw))
    assert refused.value.code == "weak-key"


def test_a_y_that_is_no_point_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        PublicKey((2).to_bytes(32, "little"))
    assert refused.value.code == "bad-key"


def test_the_community_vectors_weak_keys_are_all_refused(shared: Path) -> None:
    told = json.loads(gzip.decompress((shared / "vectors/cctv_ed25519/ed25519vectors.json.gz").read_bytes()))
    weak = {one["key"] for one in told if {"low_order_A", "non_canonical_A"} & set(one["flags"] or [])}
    assert len(weak) >= 14
    for key in weak:
        with pytest.raises(Refused, match="make a new one"):
            PublicKey(bytes.fromhex(key))


def test_no_community_vector_with_a_bad_r_verifies_under_a_sound_key(shared: Path) -> None:
    told = json.loads(gzip.decompress((shared / "vectors/cctv_ed25519/ed25519vectors.json.gz").read_bytes()))
    for one in told:
        flags = set(one["flags"] or [])
        if {"low_order_A", "non_canonical_A"} & flags or not {"non_canonical_R", "low_order_residue"} & flags:
            continue
        with pytest.raises(Untrusted):
            PublicKey(bytes.fromhex(one["key"])).verify(bytes.fromhex(one["sig"]), one["msg"].encode())


def test_a_private_key_given_as_public_is_not_taken_for_one() -> None:
    with pytest.raises(Refused, match="keep this secret"):
        PublicKey.parse(KEY.to_pem().decode())


def test_other_kinds_of_keys_are_refused() -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    pem = other.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with pytest.raises(Refused, match="only Ed25519"):
        PublicKey.parse(pem.decode())
    private = other.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(Refused, match="only Ed25519"):
        PrivateKey.from_pem(private)


def test_a_private_jwk_is_refused() -> None:
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": "", "d": "secret"}
    with pytest.raises(Refused, match="public one"):
        PublicKey.parse(json.dumps(jwk))


@pytest.mark.parametrize(
    "data",
    [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", b"x" * 20_000],
)
def test_what_is_no_private_key_is_refused(data: bytes) -> None:
    with pytest.raises(Refused) as refused:
        PrivateKey.from_pem(data)
    assert refused.value.code == "bad-key"
