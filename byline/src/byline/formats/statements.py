"""In-toto Statements v1: the predicate types, their common members, and the short ones read whole.

Source: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md. A statement's digest is
SHA-256 of its
payload bytes as they came; nothing is re-serialised to verify.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from byline.errors import Refused
from byline.formats import canonical
from byline.formats.envelope import PAYLOAD_TYPE, Envelope
from byline.formats.fields import HEX64, Fields
from byline.formats.keys import PublicKey

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
MANIFEST = "urn:byline:manifest:v1"
PUBLISHER = "urn:byline:publisher:v1"
KEY = "urn:byline:key:v1"
OUTCOME = "urn:byline:outcome:v1"
OPT_OUT = "urn:byline:opt-out:v1"
RETRACTION = "urn:byline:retraction:v1"
FILTER_REPORT = "urn:byline:filter-report:v1"
PREDICATE_TYPES = (MANIFEST, PUBLISHER, KEY, OUTCOME, OPT_OUT, RETRACTION, FILTER_REPORT)
MAX_PAYLOAD = 1 << 20
MAX_SUBJECTS = 10_000

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?", re.ASCII)
DATASET_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?", re.ASCII)
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,63}", re.ASCII)
ROLES = ("manifest", "outcome")
_ONE_LINE = re.compile(r"[^\t\r\n]+")  # it stands in tables and in mails
_NONCE = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Subject:
    """What a statement is about: a name and the SHA-256 in hex."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Statement:
    """A statement read strictly, whose predicate is not yet understood."""

    predicate_type: str
    subject: tuple[Subject, ...]
    predicate: Mapping[str, Any]
    digest: str


@dataclass(frozen=True)
class Claimed:
    """What every predicate says.

    For which registry, when, once, and after which statement about the same subject.
    """

    origin: str
    made_at: dt.datetime
    nonce: str
    previous: str | None


@dataclass(frozen=True)
class PublisherClaim(Claimed):
    """`I am SLUG, and this is my key` (self-signed)."""

    slug: str
    name: str
    public_key: PublicKey


@dataclass(frozen=True)
class KeyChange(Claimed):
    """A key added to or taken from a publisher, signed by a standing key."""

    publisher: str
    action: str
    key_id: str
    public_key: PublicKey | None
    roles: tuple[str, ...]


@dataclass(frozen=True)
class Retraction(Claimed):
    """A manifest withdrawn at once."""

    publisher: str
    name: str
    version: str
    manifest: str
    reason: str | None


def build(predicate_type: str, subject: Sequence[Subject], predicate: Mapping[str, Any]) -> bytes:
    """Write a statement as canonical JSON; what comes out is what `parse` takes."""
    payload = canonical.dumps(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": one.name, "digest": {"sha256": one.sha256}} for one in subject],
            "predicateType": predicate_type,
            "predicate": dict(predicate),
        }
    )
    parse(payload)
    return payload


def parse(payload: bytes) -> Statement:
    """Read a statement strictly: ≤ 1 MiB, 1 to 10,000 subjects, a known predicate type, no unknown member.

    Fractional numbers may stand inside `predicate.croissant`, which is the publisher's own document, and
    nowhere else.
    """
    found = canonical.loads(payload, max_bytes=MAX_PAYLOAD, floats=True)
    fields = Fields(found, "statement")
    fields.choice("_type", (STATEMENT_TYPE,))
    predicate_type = fields.take("predicateType")
    if predicate_type not in PREDICATE_TYPES:
        raise Refused(
            "unknown-predicate-type",
            f"predicateType must be one of {', '.join(PREDICATE_TYPES)}",
            at="predicateType",
        )
    predicate = fields.take("predicate")
    if not isinstance(predicate, dict):
        raise fields.wrong("predicate", "an object")
    subject = tuple(_subject(one) for one in fields.objects("subject", most=MAX_SUBJECTS))
    if not subject:
        raise fields.wrong("subject", "an array of at least one")
    fields.done()
    own = {name: value for name, value in predicate.items() if name != "croissant"}
    for place in canonical.floats_in(own, "predicate"):
        raise Refused("float-not-allowed", f"a fractional number may not stand at {place}", at=place)
    return Statement(predicate_type, subject, predicate, hashlib.sha256(payload).hexdigest())


def open_statement(envelope: Envelope) -> Statement:
    """Read the statement in an envelope (whose signature somebody else checks)."""
    if envelope.payload_type != PAYLOAD_TYPE:
        raise Refused("wrong-payload-type", f"payloadType must be {PAYLOAD_TYPE}", at="payloadType")
    return parse(envelope.payload)


def claimed(fields: Fields) -> Claimed:
    """The common members of a predicate."""
    return Claimed(
        origin=fields.text("origin", longest=200),
        made_at=canonical.read_timestamp(fields.text("made_at", longest=20), at=fields.place("made_at")),
        nonce=fields.text("nonce", longest=32, pattern=_NONCE),
        previous=fields.digest_or_none("previous"),
    )


def common(*, origin: str, now: dt.datetime, nonce: bytes, previous: str | None = None) -> dict[str, Any]:
    """The common members, to build a predicate from.

    `nonce` is 16 random bytes, `previous` a digest in hex.
    """
    return {
        "origin": origin,
        "made_at": canonical.timestamp(now),
        "nonce": nonce.hex(),
        "previous": f"sha256:{previous}" if previous else None,
    }


def read_publisher(statement: Statement) -> PublisherClaim:
    """The publisher predicate; subject is the slug with the key id."""
    fields = _open(statement, PUBLISHER)
    claim = PublisherClaim(
        **vars(claimed(fields)),
        slug=fields.text("slug", longest=64, pattern=SLUG),
        name=fields.text("name", longest=200, pattern=_ONE_LINE),
        public_key=PublicKey.parse(fields.text("public_key", longest=1000)),
    )
    fields.done()
    _same_subject(statement, Subject(claim.slug, claim.public_key.key_id))
    return claim


def read_key(statement: Statement) -> KeyChange:
    """The key predicate; subject is the publisher's slug with the id of the key added or revoked."""
    fields = _open(statement, KEY)
    common_ = vars(claimed(fields))
    publisher = fields.text("publisher", longest=64, pattern=SLUG)
    action = fields.choice("action", ("add", "revoke"))
    text = fields.text_or_none("public_key", longest=1000)
    roles = fields.items("roles", most=len(ROLES), missing=[])
    fields.done()
    if len(statement.subject) != 1:
        raise Refused("wrong-subject", "the statement must have one subject: the key", at="subject")
    key_id, public_key = statement.subject[0].sha256, PublicKey.parse(text) if text else None
    if action == "add" and (
        public_key is None
        or not roles
        or any(role not in ROLES for role in roles)
        or len(set(roles)) < len(roles)
    ):
        raise Refused(
            "bad-member", f"to add a key, give public_key and roles out of {', '.join(ROLES)}", at="predicate"
        )
    if action == "revoke" and (public_key is not None or roles):
        raise Refused("bad-member", "to revoke a key, name it in the subject alone", at="predicate")
    _same_subject(statement, Subject(publisher, public_key.key_id if public_key else key_id))
    return KeyChange(
        **common_,
        publisher=publisher,
        action=action,
        key_id=key_id,
        public_key=public_key,
        roles=tuple(roles),
    )


def read_retraction(statement: Statement) -> Retraction:
    """The retraction predicate; subject is `publisher/name@version` with the manifest statement's digest."""
    fields = _open(statement, RETRACTION)
    common_ = vars(claimed(fields))
    dataset = fields.inner("dataset")
    publisher = dataset.text("publisher", longest=64, pattern=SLUG)
    name = dataset.text("name", longest=100, pattern=DATASET_NAME)
    version = dataset.text("version", longest=64, pattern=VERSION)
    dataset.done()
    reason = fields.text_or_none("reason", longest=1000)
    fields.done()
    manifest = statement.subject[0].sha256
    _same_subject(statement, Subject(f"{publisher}/{name}@{version}", manifest))
    return Retraction(
        **common_, publisher=publisher, name=name, version=version, manifest=manifest, reason=reason
    )


def _subject(fields: Fields) -> Subject:
    name = fields.text("name", longest=1024)
    digest = fields.inner("digest")
    sha256 = digest.text("sha256", longest=64, pattern=HEX64)
    digest.done()
    fields.done()
    return Subject(name, sha256)


def _open(statement: Statement, predicate_type: str) -> Fields:
    if statement.predicate_type != predicate_type:
        raise Refused(
            "wrong-predicate-type", f"a statement of type {predicate_type} is needed here", at="predicateType"
        )
    return Fields(statement.predicate, "predicate")


def _same_subject(statement: Statement, wanted: Subject) -> None:
    if statement.subject != (wanted,):
        raise Refused(
            "wrong-subject",
            f"the one subject must be {wanted.name} with sha256 {wanted.sha256}",
            at="subject",
        )
