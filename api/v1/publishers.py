"""Publishers and their keys. The signature is the credential: there is no API token."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from sqlalchemy.orm import Session

from api.once import once
from api.schemas import Strict, When
from api.section import Section, runtime
from api.v1.envelopes import ENVELOPE_DOC, sent_envelope
from api.v1.figures import Figures
from registry.optouts.record import publisher_record
from registry.publishing import publishers, queries

section = Section("publishers", "Who signs")


class Key(Strict):
    """A key that signs, or signed, for a publisher."""

    key_id = ma.fields.String(required=True)
    public_key = ma.fields.String(metadata={"description": "PEM (SPKI)"})
    roles = ma.fields.List(ma.fields.String())
    added_at = When()
    revoked_at = When(allow_none=True)


class Publisher(Strict):
    """Self-declared until a domain says otherwise; the next key statement's `previous` names `head`."""

    slug = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    status = ma.fields.String(required=True)
    domain = ma.fields.String(allow_none=True)
    approved = ma.fields.Boolean()
    suspended = ma.fields.Boolean()
    registered_at = When()
    head = ma.fields.String(allow_none=True)
    keys = ma.fields.List(ma.fields.Nested(Key))
    datasets = ma.fields.List(ma.fields.String())


class PublisherRecord(Figures):
    """How one publisher does."""

    publisher = ma.fields.String(required=True)


@section.post("/publishers", gives=Publisher, refuses=(403, 409, 413, 415), doc=ENVELOPE_DOC)
def register(_: dict[str, Any]) -> Any:
    """Register a publisher: a self-signed `urn:byline:publisher:v1` statement."""
    here, envelope = runtime(), sent_envelope()

    def act(session: Session) -> dict[str, Any]:
        made = publishers.register_publisher(
            session, envelope=envelope, settings=here.settings, now=here.clock()
        )
        return queries.publisher(session, made.slug)

    return once(act, Publisher, headers=lambda found: {"Location": f"/v1/publishers/{found['slug']}"})


@section.post("/keys", gives=Publisher, refuses=(403, 404, 409, 413, 415), doc=ENVELOPE_DOC)
def change_key(_: dict[str, Any]) -> Any:
    """Add or revoke a key: a `urn:byline:key:v1` statement by a standing key."""
    here, envelope = runtime(), sent_envelope()

    def act(session: Session) -> dict[str, Any]:
        changed = publishers.change_key(session, envelope=envelope, settings=here.settings, now=here.clock())
        return queries.publisher(session, changed.slug)

    return once(act, Publisher)


@section.get("/publishers/<slug:slug>", gives=Publisher, refuses=(404,))
def publisher(_: dict[str, Any], *, slug: str) -> dict[str, Any]:
    """One publisher, its keys and datasets."""
    with runtime().sessions() as session:
        return queries.publisher(session, slug)


@section.get("/publishers/<slug:slug>/record", gives=PublisherRecord, refuses=(404,))
def record(_: dict[str, Any], *, slug: str) -> dict[str, Any]:
    """How this publisher answers those who opt out: made, delivered, answered, how fast, silent since, exempted and why."""
    here = runtime()
    with here.sessions() as session:
        return publisher_record(session, slug=slug, now=here.clock())
