"""Who may sign: a publisher says who it is with its own key, and its keys add and revoke keys."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from byline.errors import Conflict, Untrusted
from byline.formats import entries, statements
from byline.formats import envelope as dsse
from byline.formats.statements import KeyChange, PublisherClaim
from registry.config import Settings
from registry.models import Act, Publisher, PublisherKey
from registry.models import Statement as StatementRow
from registry.publishing import signed
from registry.publishing.signed import Sent
from registry.tlog import append


def register_publisher(
    session: Session, *, envelope: bytes, settings: Settings, now: dt.datetime
) -> Publisher:
    """Take a self-signed publisher statement: a new publisher, a new name for one, or nothing new at all.

    Conflict: `slug-taken` by another key, `key-in-use` by another publisher, `stale-previous`.
    """
    sent = signed.open_sent(envelope, max_payload=settings.max_payload)
    claim = statements.read_publisher(sent.statement)
    signed.meant_for_us(claim, origin=settings.origin, now=now)
    dsse.verify(sent.envelope, claim.public_key)
    standing = _standing(session, claim)
    if standing is not None and (
        session.get(StatementRow, sent.digest) is not None or _says_nothing_new(claim, standing)
    ):
        return standing
    subject = f"publisher:{claim.slug}"
    signed.must_follow(session, subject=subject, previous=claim.previous)
    publisher = standing or _new_publisher(session, claim, settings=settings, now=now)
    publisher.name = claim.name
    record(
        session,
        sent,
        kind="publisher",
        subject=subject,
        previous=claim.previous,
        key_id=claim.public_key.key_id,
        now=now,
    )
    return publisher


def change_key(session: Session, *, envelope: bytes, settings: Settings, now: dt.datetime) -> Publisher:
    """Take a key statement: a standing key with the role `manifest` adds a key, or revokes one (itself too)."""
    sent = signed.open_sent(envelope, max_payload=settings.max_payload)
    change = statements.read_key(sent.statement)
    signed.meant_for_us(change, origin=settings.origin, now=now)
    known = session.get(StatementRow, sent.digest)
    if known is not None:
        return session.scalars(select(Publisher).where(Publisher.slug == change.publisher)).one()
    signer = signed.signer_of(session, sent, slug=change.publisher, role="manifest")
    subject = f"keys:{change.publisher}"
    signed.must_follow(session, subject=subject, previous=change.previous)
    # The change is looked at first: a refused one must leave no act behind, even where the caller goes on.
    key = (
        _added(session, change, signer.publisher, now)
        if change.action == "add"
        else _named(session, change, signer.publisher)
    )
    act = record(
        session,
        sent,
        kind="key",
        subject=subject,
        previous=change.previous,
        key_id=signer.key.key_id,
        now=now,
    )
    if change.action == "revoke":
        session.flush()
        key.revoked_at, key.revoked_act = now, act.id
    return signer.publisher


def record(
    session: Session,
    sent: Sent,
    *,
    kind: str,
    subject: str,
    previous: str | None,
    key_id: str,
    now: dt.datetime,
) -> Act:
    """Keep the statement, make it its subject's last, and put its leaf in the sequence: one transaction, the caller's."""
    signed.keep(session, sent, subject=subject, previous=previous, key_id=key_id, now=now)
    signed.advance(session, subject=subject, digest=sent.digest)
    leaf = entries.statement_entry(
        kind, digest=sent.digest, envelope_sha256=sent.envelope.sha256, key_id=key_id, subject=subject, at=now
    )
    return append.append(session, kind=kind, subject=subject, ref=sent.digest, leaf=leaf, now=now)


def _standing(session: Session, claim: PublisherClaim) -> Publisher | None:
    """The publisher that bears this slug with this key; Conflict where only one of the two fits."""
    by_slug = session.scalar(select(Publisher).where(Publisher.slug == claim.slug))
    key = session.get(PublisherKey, claim.public_key.key_id)
    if by_slug is None and key is None:
        return None
    if by_slug is None:
        raise Conflict(
            "key-in-use",
            "this key belongs to another publisher here; make one of its own for each",
            at="predicate.public_key",
        )
    if key is None or key.publisher_id != by_slug.id:
        raise Conflict(
            "slug-taken", f"the slug {claim.slug!r} belongs to another key here", at="predicate.slug"
        )
    if key.revoked_at is not None:
        raise Conflict(
            "revoked-key",
            "this key was revoked; sign with another key of this publisher",
            at="predicate.public_key",
        )
    if by_slug.suspended:
        raise Untrusted(
            "publisher-suspended", f"publisher {claim.slug!r} is suspended by the operator", at="predicate"
        )
    return by_slug


def _says_nothing_new(claim: PublisherClaim, standing: Publisher) -> bool:
    """`byline publisher register` run again: another nonce, the same words."""
    return claim.previous is None and claim.name == standing.name


def _new_publisher(
    session: Session, claim: PublisherClaim, *, settings: Settings, now: dt.datetime
) -> Publisher:
    publisher = Publisher(
        slug=claim.slug, name=claim.name, approved=settings.publisher_policy == "open", registered_at=now
    )
    session.add(publisher)
    session.flush()
    session.add(
        PublisherKey(
            key_id=claim.public_key.key_id,
            publisher_id=publisher.id,
            public_key=claim.public_key.raw,
            added_at=now,
        )
    )
    return publisher


def _added(session: Session, change: KeyChange, publisher: Publisher, now: dt.datetime) -> PublisherKey:
    if change.public_key is None or session.get(PublisherKey, change.key_id) is not None:
        raise Conflict(
            "key-in-use", "this key is registered already, or was revoked; make a new one", at="subject"
        )
    key = PublisherKey(
        key_id=change.key_id,
        publisher_id=publisher.id,
        public_key=change.public_key.raw,
        roles=",".join(sorted(change.roles)),
        added_at=now,
    )
    session.add(key)
    return key


def _named(session: Session, change: KeyChange, publisher: Publisher) -> PublisherKey:
    key = session.get(PublisherKey, change.key_id)
    if key is None or key.publisher_id != publisher.id or key.revoked_at is not None:
        raise Conflict("no-such-key", f"{publisher.slug!r} has no standing key of this id", at="subject")
    return key
