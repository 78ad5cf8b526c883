"""Sign a request as byline.formats.requests says."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver, algorithms

from byline.formats.keys import PrivateKey
from byline.formats.requests import COVERED, TAG


@dataclass
class _Message:
    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)


class _Key(HTTPSignatureKeyResolver):
    def __init__(self, key: PrivateKey) -> None:
        self._pem = key.to_pem()

    def resolve_private_key(self, key_id: str) -> bytes:  # noqa: ARG002 - there is one
        """The key, as PEM."""
        return self._pem

    def resolve_public_key(self, key_id: str) -> None:
        """Nothing is verified here."""


def signed_headers(
    method: str, url: str, body: bytes, *, key: PrivateKey, now: dt.datetime
) -> dict[str, str]:
    """The headers that sign one request: Signature-Input, Signature, and Content-Digest where there is a body."""
    message = _Message(method, url)
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=_Key(key))
    signer.sign(
        message,
        key_id=key.public.key_id,
        created=now,
        label="sig1",
        tag=TAG,
        covered_component_ids=COVERED,
        body=body or None,
    )
    return message.headers
