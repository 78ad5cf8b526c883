"""Requests that a publisher signs (RFC 9421), to read what is for it alone."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms
from http_message_signatures.exceptions import HTTPMessageSignaturesException, InvalidSignature
from sqlalchemy import select
from sqlalchemy.orm import Session

from byline.errors import Untrusted
from byline.formats.requests import COVERED, TAG, TAKES
from registry.models import Publisher, PublisherKey


@dataclass(frozen=True)
class Received:
    """A request as it came: the URL it was sent to, headers as pairs, the body."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class SignedBy:
    """Whose request it is. `proof`: SHA-256 of the signature, which only who holds the key could make."""

    publisher_id: int
    slug: str
    key_id: str
    proof: str


class _Keys(HTTPSignatureKeyResolver):
    def __init__(self, session: Session) -> None:
        self._session = session

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        """The key, or nothing to verify with."""
        key = self._session.get(PublisherKey, key_id)
        if key is None:
            raise HTTPMessageSignaturesException("unknown key")
        return Ed25519PublicKey.from_public_bytes(key.public_key)

    def resolve_private_key(self, key_id: str) -> Any:
        """Nobody signs here."""
        raise HTTPMessageSignaturesException(key_id)


def signer(session: Session, received: Received, *, now: dt.datetime) -> SignedBy:
    """Who signed a request: method, URL and body, within five minutes, with the role `outcome`.

    Untrusted: `request-not-signed`, `bad-signature`, `revoked-key`, `key-lacks-role`, `publisher-suspended`.
    """
    names = {name.lower(): value for name, value in received.headers.items()}
    if "signature" not in names or "signature-input" not in names:
        raise Untrusted(
            "request-not-signed", "sign this request with a key of yours (RFC 9421)", at="Signature"
        )
    key_id = _verified(session, received, now)
    key = session.get_one(PublisherKey, key_id)
    publisher = session.scalars(select(Publisher).where(Publisher.id == key.publisher_id)).one()
    if key.revoked_at is not None:
        raise Untrusted("revoked-key", f"key {key_id} was revoked", at="Signature")
    if "outcome" not in key.roles.split(","):
        raise Untrusted("key-lacks-role", f"key {key_id} may not read notices: its roles are {key.roles}")
    if publisher.suspended:
        raise Untrusted("publisher-suspended", f"publisher {publisher.slug!r} is suspended by the operator")
    proof = hashlib.sha256(f"{names['signature-input']}\n{names['signature']}".encode()).hexdigest()
    return SignedBy(publisher.id, publisher.slug, key_id, proof)


class _Verifier(HTTPMessageVerifier):
    """The library's, with the registry's clock."""

    def __init__(self, keys: _Keys, now: dt.datetime) -> None:
        super().__init__(signature_algorithm=algorithms.ED25519, key_resolver=keys)
        self._now = now

    def validate_created_and_expires(self, sig_input: Any, max_age: dt.timedelta | None = None) -> None:
        """Dated within `max_age` of now; what expires is not asked for."""
        created = sig_input.params.get("created")
        if type(created) is not int or max_age is None:
            raise InvalidSignature("created is missing")
        if abs(self._now.timestamp() - created) > max_age.total_seconds():
            raise InvalidSignature("too old, or of the future")


def _verified(session: Session, received: Received, now: dt.datetime) -> str:
    """The key id of the one signature, which holds."""
    needed = (*COVERED, "content-digest") if received.body else COVERED
    try:
        [found] = _Verifier(_Keys(session), now).verify(
            received,
            max_age=TAKES,
            expect_tag=TAG,
            require_components=needed,
            body=received.body or None,
        )
        return str(found.parameters["keyid"])
    except (HTTPMessageSignaturesException, ValueError, KeyError, TypeError) as error:
        raise Untrusted(
            "bad-signature",
            "the request's signature does not hold; is the clock right, is the key registered here?",
            at="Signature",
        ) from error
