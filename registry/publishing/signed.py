"""From bytes somebody sent to a statement that a publisher's standing key signed, for this registry, now."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from byline.errors import Conflict, Refused, Untrusted
from byline.formats import envelope as dsse
from byline.formats import statements
from byline.formats.envelope import Envelope
from byline.formats.keys import PublicKey
from byline.formats.statements import Claimed, Statement
from registry.models import Publisher, PublisherKey, SubjectHead
from registry.models import Statement as StatementRow

CLOCK_SKEW = dt.timedelta(hours=24)


@dataclass(frozen=True)
class Sent:
    """An envelope and the statement in it. The signature is not yet checked."""

    raw: bytes
    envelope: Envelope
    statement: Statement

    @property
    def digest(self) -> str:
        """SHA-256 of the payload, hex: the statement's name."""
        return self.statement.digest


@dataclass(frozen=True)
class Signer:
    """Whose key signed."""

    publisher: Publisher
    key: PublisherKey


def open_sent(raw: bytes, *, max_payload: int) -> Sent:
    """Read an envelope and its statement strictly; nothing is believed yet."""
    envelope = dsse.open_envelope(raw)
    if envelope.payload_type != dsse.PAYLOAD_TYPE:
        raise Refused("wrong-payload-type", f"payloadType must be {dsse.PAYLOAD_TYPE}", at="payloadType")
    if len(envelope.payload) > max_payload:
        raise Refused(
            "too-large",
            f"a payload of {len(envelope.payload):,} bytes; this registry reads {max_payload:,}",
            at="payload",
        )
    return Sent(raw, envelope, statements.parse(envelope.payload))


def meant_for_us(claimed: Claimed, *, origin: str, now: dt.datetime) -> None:
    """Refuse a statement made for another registry, or dated in the future."""
    if claimed.origin != origin:
        raise Refused(
            "replayed-from-another-registry",
            f"this statement was made for {claimed.origin!r}; here is {origin!r}: make and sign it anew for this registry",
            at="predicate.origin",
        )
    if claimed.made_at > now + CLOCK_SKEW:
        raise Refused(
            "made-in-the-future",
            "made_at is more than 24 h ahead of this registry's clock",
            at="predicate.made_at",
        )


def signer_of(session: Session, sent: Sent, *, slug: str, role: str) -> Signer:
    """The publisher and the standing key with `role` that signed; Untrusted otherwise, and it says which rule failed."""
    publisher = session.scalar(select(Publisher).where(Publisher.slug == slug))
    if publisher is None:
        raise Untrusted(
            "unknown-publisher",
            f"no publisher {slug!r} is registered here (byline publisher register)",
            at="predicate",
        )
    key = _signing_key(session, sent, publisher, role=role)
    if key.revoked_at is not None:
        raise Untrusted(
            "revoked-key",
            f"key {key.key_id} was revoked; what it signs since then does not count",
            at="signatures",
        )
    if role not in key.roles.split(","):
        raise Untrusted(
            "key-lacks-role",
            f"key {key.key_id} may not sign this: its roles are {key.roles}",
            at="signatures",
        )
    if publisher.suspended:
        raise Untrusted(
            "publisher-suspended", f"publisher {slug!r} is suspended by the operator", at="predicate"
        )
    return Signer(publisher, key)


def _signing_key(session: Session, sent: Sent, publisher: Publisher, *, role: str) -> PublisherKey:
    """Of several that signed one that may; a key that may not is named only where no other signed."""
    rows = session.scalars(select(PublisherKey).where(PublisherKey.publisher_id == publisher.id)).all()
    rows = sorted(rows, key=lambda row: (row.revoked_at is not None, role not in row.roles.split(",")))
    by_raw = {row.public_key: row for row in rows}
    hints = {signature.key_id for signature in sent.envelope.signatures}
    try:
        return by_raw[dsse.signer(sent.envelope, [PublicKey(raw) for raw in by_raw]).raw]
    except Untrusted:
        # The hint decides nothing; it only tells a stranger's key from a changed payload in the message.
        if hints & {row.key_id for row in rows}:
            raise
        raise Untrusted(
            "unknown-key", f"the signing key is not one of {publisher.slug!r}'s keys", at="signatures"
        ) from None


def must_follow(session: Session, *, subject: str, previous: str | None) -> None:
    """Conflict("stale-previous") unless `previous` is the present last statement about `subject`."""
    head = session.get(SubjectHead, subject)
    present = head.digest if head else None
    if previous != present:
        raise Conflict(
            "stale-previous",
            f"previous must name the last statement about {subject}, which is {present or 'none (null)'}",
            at="predicate.previous",
            details={"subject": subject, "present": present},
        )


def advance(session: Session, *, subject: str, digest: str) -> None:
    """Make `digest` the last statement about `subject`."""
    head = session.get(SubjectHead, subject)
    if head is None:
        session.add(SubjectHead(subject=subject, digest=digest))
    else:
        head.digest = digest


def keep(
    session: Session, sent: Sent, *, subject: str, previous: str | None, key_id: str, now: dt.datetime
) -> None:
    """Keep a statement as it came. A manifest's bytes lie in the object store already."""
    manifest = sent.statement.predicate_type == statements.MANIFEST
    session.add(
        StatementRow(
            digest=sent.digest,
            predicate_type=sent.statement.predicate_type,
            subject=subject,
            previous=previous,
            key_id=key_id,
            envelope=None if manifest else sent.raw,
            received_at=now,
        )
    )
