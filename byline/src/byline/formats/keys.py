"""Ed25519 keys (RFC 8032): made, read in every usual spelling, named by one id; weak ones refused.

The key id is SHA-256 over the SubjectPublicKeyInfo (RFC 8410), in hex: what `openssl pkey -pubout -outform
DER | sha256sum` prints.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from byline.errors import Refused, Untrusted
from byline.formats import canonical

_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
# The y of all points whose order divides 8 (C2SP CCTV, ed25519): with one of these as its key, one
# signature fits many messages.
_LOW_ORDER_Y = frozenset(
    int.from_bytes(bytes.fromhex(y), "little")
    for y in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    )
)
_SPKI_PREFIX = bytes.fromhex("302a300506032b6570032100")
_MAX_TEXT = 16_384
_B58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


@dataclass(frozen=True)
class PublicKey:
    """An Ed25519 public key: 32 bytes, a canonical encoding of a point that is not of low order."""

    raw: bytes

    def __post_init__(self) -> None:
        """Refuse what is not such a point (`weak-key`, `bad-key`)."""
        if len(self.raw) != 32:
            raise Refused("bad-key", f"an Ed25519 public key has 32 bytes, not {len(self.raw)}")
        y = int.from_bytes(self.raw, "little") & ((1 << 255) - 1)
        if y >= _P:
            raise Refused("weak-key", "this is not the canonical encoding of an Ed25519 key; make a new one")
        if y in _LOW_ORDER_Y:
            raise Refused(
                "weak-key",
                "this Ed25519 key is of low order: one signature would fit many messages; make a new one",
            )
        if not _on_curve(y):
            raise Refused("bad-key", "these 32 bytes are no Ed25519 key (no such point)")

    @property
    def spki(self) -> bytes:
        """SubjectPublicKeyInfo in DER, 44 bytes (RFC 8410)."""
        return _SPKI_PREFIX + self.raw

    @property
    def key_id(self) -> str:
        """SHA-256 of `spki`, 64 hex digits."""
        return hashlib.sha256(self.spki).hexdigest()

    def to_pem(self) -> str:
        """PEM, as OpenSSL writes it."""
        body = base64.b64encode(self.spki).decode("ascii")
        return f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return, or raise Untrusted("bad-signature")."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except (InvalidSignature, ValueError) as error:
            raise Untrusted("bad-signature", f"the signature is not by key {self.key_id}") from error

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """Read PEM, an `ssh-ed25519` line, a JWK, a `did:key`, 64 hex digits, or base64 (raw or SPKI)."""
        text = text.strip()
        if len(text) > _MAX_TEXT:
            raise Refused("bad-key", "this is too long for a public key")
        if "PRIVATE" in text[:64]:
            raise Refused(
                "bad-key", "this is a private key; give the public one (KEY.pem.pub), and keep this secret"
            )
        for form, read in (
            ("-----BEGIN", _from_pem),
            ("ssh-", _from_ssh),
            ("{", _from_jwk),
            ("did:key:z", _from_did),
        ):
            if text.startswith(form):
                return cls(read(text))
        return cls(_from_bare(text))


@dataclass(frozen=True, repr=False)
class PrivateKey:
    """An Ed25519 private key; never printed."""

    seed: bytes

    @classmethod
    def generate(cls) -> PrivateKey:
        """Make a key from the operating system's randomness."""
        return cls(Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def from_pem(cls, data: bytes, password: bytes | None = None) -> PrivateKey:
        """Read PKCS #8 PEM or an OpenSSH private key, Ed25519 only."""
        if len(data) > _MAX_TEXT:
            raise Refused("bad-key", "this is too long for a private key")
        load = (
            serialization.load_ssh_private_key
            if b"OPENSSH" in data[:64]
            else serialization.load_pem_private_key
        )
        try:
            key = load(data, password=password)
        except TypeError as error:
            raise Refused("bad-key", "the private key and the password do not go together") from error
        except (ValueError, UnsupportedAlgorithm) as error:
            raise Refused(
                "bad-key", "this is not a private key in PEM (make one with `byline keygen`)"
            ) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise Refused("bad-key", "only Ed25519 keys sign here (make one with `byline keygen`)")
        return cls(key.private_bytes_raw())

    def to_pem(self) -> bytes:
        """PKCS #8 PEM, unencrypted."""
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def sign(self, message: bytes) -> bytes:
        """64 bytes (RFC 8032, PureEdDSA: the same message gives the same signature)."""
        return self._key.sign(message)

    @property
    def public(self) -> PublicKey:
        """The public half."""
        return PublicKey(self._key.public_key().public_bytes_raw())

    @property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


def _on_curve(y: int) -> bool:
    # x^2 = (y^2 - 1) / (d y^2 + 1) must be a square (RFC 8032, 5.1.3); Euler's criterion.
    x2 = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    return pow(x2, (_P - 1) // 2, _P) in (0, 1)


def _from_pem(text: str) -> bytes:
    try:
        key = serialization.load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Refused("bad-key", "this PEM holds no public key") from error
    if not isinstance(key, Ed25519PublicKey):
        raise Refused("bad-key", "only Ed25519 keys are taken (make one with `byline keygen`)")
    return key.public_bytes_raw()


def _from_ssh(text: str) -> bytes:
    try:
        key = serialization.load_ssh_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Refused("bad-key", "this line holds no SSH public key") from error
    if not isinstance(key, Ed25519PublicKey):
        raise Refused("bad-key", "only ssh-ed25519 keys are taken")
    return key.public_bytes_raw()


def _from_jwk(text: str) -> bytes:
    jwk = canonical.loads(text.encode())
    if not isinstance(jwk, dict) or jwk.get("kty") != "OKP" or jwk.get("crv") != "Ed25519" or "d" in jwk:
        raise Refused(
            "bad-key", 'a JWK must be a public one with "kty": "OKP" and "crv": "Ed25519" (RFC 8037)'
        )
    return _base64(str(jwk.get("x", "")))


def _from_did(text: str) -> bytes:
    number = 0
    for letter in text.removeprefix("did:key:z")[:64]:
        if letter not in _B58:
            raise Refused("bad-key", "this did:key is not base58btc")
        number = number * 58 + _B58.index(letter)
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    if not data.startswith(b"\xed\x01"):
        raise Refused("bad-key", "this did:key is not an Ed25519 key (z6Mk…)")
    return data[2:]


def _from_bare(text: str) -> bytes:
    if re.fullmatch(r"[0-9a-fA-F]{64}", text):
        return bytes.fromhex(text)
    data = _base64(text)
    return data[len(_SPKI_PREFIX) :] if len(data) == 44 and data.startswith(_SPKI_PREFIX) else data


def _base64(text: str) -> bytes:
    plain = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused(
            "bad-key", "no public key in a known form: PEM, ssh-ed25519, JWK, did:key, hex or base64"
        ) from error
