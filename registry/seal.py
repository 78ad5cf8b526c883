"""Sealed texts (mail addresses): readable only with a key that is not in the database.

AES-256-GCM with a random nonce; the digest is HMAC-SHA-256. Each use has its own key, HKDF-SHA-256 of the one
in the file.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from byline.errors import Refused, Untrusted

_VERSION = b"\x01"


class Seal:
    """Seals with a 32-byte key; `token_bytes` gives nonces."""

    def __init__(self, key: bytes, *, token_bytes: Callable[[int], bytes] = os.urandom) -> None:
        if len(key) != 32:
            raise Refused("bad-seal-key", "the seal key has 64 hex digits", at="BYLINE_SEAL_KEY")
        self._key, self._token_bytes = key, token_bytes
        self._cipher = AESGCM(self.derive("seal"))
        self._mac_key = self.derive("digest")

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose (a session key, the feed's padding); the same ones each time."""
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"byline {purpose} v1".encode()).derive(
            self._key
        )

    def seal(self, text: str) -> bytes:
        """A version byte, 12 bytes of nonce, ciphertext and tag; two sealings of one text differ."""
        nonce = self._token_bytes(12)
        return _VERSION + nonce + self._cipher.encrypt(nonce, text.encode(), _VERSION)

    def open(self, sealed: bytes) -> str:
        """The text; Untrusted("seal-broken") where it was changed or sealed with another key."""
        try:
            return self._cipher.decrypt(sealed[1:13], sealed[13:], sealed[:1]).decode()
        except (InvalidTag, ValueError) as error:
            raise Untrusted("seal-broken", "this was sealed with another key, or changed since") from error

    def digest(self, text: str) -> str:
        """64 hex digits that say whether two texts are one, to who has the key only."""
        return hmac.new(self._mac_key, text.encode(), hashlib.sha256).hexdigest()


def read_seal(path: Path) -> Seal:
    """The seal of a key file; Refused("bad-seal-key")."""
    try:
        return Seal(bytes.fromhex(path.read_text(encoding="ascii").strip()))
    except (OSError, ValueError) as error:
        raise Refused(
            "bad-seal-key", f"{path} is not a readable key of 64 hex digits", at="BYLINE_SEAL_KEY"
        ) from error
