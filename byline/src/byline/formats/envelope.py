"""DSSE 1.0.2: what is signed is the payload's bytes and its type, never a re-serialised JSON.

Source: https://github.com/secure-systems-lab/dsse/blob/master/protocol.md and envelope.md.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from byline.errors import Refused, Untrusted
from byline.formats import canonical
from byline.formats.keys import PrivateKey, PublicKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_PAYLOAD = 1 << 20
MAX_ENVELOPE = 4 * (MAX_PAYLOAD + 2) // 3 + 16_384
MAX_SIGNATURES = 16
_STANDARD = re.compile(r"[A-Za-z0-9+/]*={0,2}", re.ASCII)
_URL_SAFE = re.compile(r"[A-Za-z0-9_-]*={0,2}", re.ASCII)


@dataclass(frozen=True)
class Signature:
    """One signature; `key_id` is a hint by whoever wrote the envelope, nothing more."""

    key_id: str
    sig: bytes


@dataclass(frozen=True)
class Envelope:
    """What came in, unverified: use `verify` before believing `payload`."""

    payload: bytes
    payload_type: str
    signatures: tuple[Signature, ...]
    sha256: str
    """SHA-256 of the envelope's bytes as they came, hex."""

    @property
    def digest(self) -> str:
        """SHA-256 of the payload: the statement's digest, hex."""
        return hashlib.sha256(self.payload).hexdigest()


def pae(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """Pre-authentication encoding: the bytes that are signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def sign(payload: bytes, key: PrivateKey, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """Sign, and write the envelope as JSON. The same payload and key give the same bytes."""
    signature = base64.b64encode(key.sign(pae(payload, payload_type))).decode("ascii")
    return canonical.dumps(
        {
            "payload": base64.b64encode(payload).decode("ascii"),
            "payloadType": payload_type,
            "signatures": [{"keyid": key.public.key_id, "sig": signature}],
        }
    )


def open_envelope(data: bytes) -> Envelope:
    """Read an envelope strictly.

    ≤ 1 MiB of payload, 1 to 16 signatures; further members are ignored, as DSSE asks.
    """
    if len(data) > MAX_ENVELOPE:
        raise Refused("too-large", f"an envelope of {len(data):,} bytes; at most {MAX_ENVELOPE:,} are read")
    found = canonical.loads(data, max_bytes=MAX_ENVELOPE, floats=True)
    if not isinstance(found, dict):
        raise Refused("bad-envelope", "a DSSE envelope is a JSON object")
    payload_type, listed = found.get("payloadType"), found.get("signatures")
    if not isinstance(payload_type, str) or not 0 < len(payload_type) <= 200:
        raise Refused("bad-envelope", "payloadType must be a string", at="payloadType")
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_SIGNATURES:
        raise Refused("bad-envelope", f"1 to {MAX_SIGNATURES} signatures are needed", at="signatures")
    payload = _decode(found.get("payload"), at="payload")
    if len(payload) > MAX_PAYLOAD:
        raise Refused(
            "too-large",
            f"a payload of {len(payload):,} bytes; at most {MAX_PAYLOAD:,} are read",
            at="payload",
        )
    signatures = tuple(_signature(one, at=f"signatures[{index}]") for index, one in enumerate(listed))
    return Envelope(payload, payload_type, signatures, hashlib.sha256(data).hexdigest())


def verify(envelope: Envelope, key: PublicKey) -> bytes:
    """The payload, if one of the signatures is by `key`.

    Else Untrusted("bad-signature"). The key id hint is not asked.
    """
    signer(envelope, [key])
    return envelope.payload


def signer(envelope: Envelope, keys: Iterable[PublicKey]) -> PublicKey:
    """The first of `keys` that signed this envelope; Untrusted("bad-signature") where none did."""
    message = pae(envelope.payload, envelope.payload_type)
    for key in keys:
        for signature in envelope.signatures:
            try:
                key.verify(signature.sig, message)
            except Untrusted:
                continue
            return key
    raise Untrusted(
        "bad-signature", "no signature in this envelope is by a key that may sign it", at="signatures"
    )


def _signature(found: object, *, at: str) -> Signature:
    if not isinstance(found, dict):
        raise Refused("bad-envelope", "a signature is an object", at=at)
    key_id = found.get("keyid") or ""
    if not isinstance(key_id, str) or len(key_id) > 200:
        raise Refused("bad-envelope", "keyid must be a short string", at=f"{at}.keyid")
    sig = _decode(found.get("sig"), at=f"{at}.sig")
    if len(sig) > 8192:
        raise Refused("bad-envelope", "this is too long for a signature", at=f"{at}.sig")
    return Signature(key_id, sig)


def _decode(text: object, *, at: str) -> bytes:
    # Both alphabets are valid DSSE; a mixture, missing padding or stray bits are not: one value, one text
    # in each.
    if isinstance(text, str):
        url_safe = not _STANDARD.fullmatch(text)
        if not url_safe or _URL_SAFE.fullmatch(text):
            alphabet = b"-_" if url_safe else b"+/"
            try:
                data = base64.b64decode(text, altchars=alphabet, validate=True)
            except (binascii.Error, ValueError):
                data = None
            if data is not None and base64.b64encode(data, altchars=alphabet).decode("ascii") == text:
                return data
    raise Refused("bad-envelope", "this is not base64", at=at)
