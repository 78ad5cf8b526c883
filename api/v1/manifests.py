"""Publishing: a signed manifest, then the extract it awaits; and taking a manifest back."""

from __future__ import annotations

import base64
import re
import secrets
from typing import Any, BinaryIO, cast

import flask
import marshmallow as ma
from sqlalchemy.orm import Session
from werkzeug.exceptions import ClientDisconnected

from api.once import once
from api.schemas import Strict, When
from api.section import Section, runtime
from api.v1.envelopes import ENVELOPE_DOC, sent_envelope
from byline.errors import Refused
from registry.database import transaction
from registry.publishing import submit, uploads
from registry.publishing.retract import retract

section = Section("manifests", "Publishing")

_RANGE = re.compile(r"bytes ([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15})")
_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")
UPLOAD_DOC: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    },
    "parameters": [
        {
            "in": "header", "name": "Content-Range", "required": False,
            "description": "`bytes FIRST-LAST/TOTAL`, to go on where it stopped; else the body is the part.",
            "schema": {"type": "string", "pattern": "^bytes [0-9]{1,15}-[0-9]{1,15}/[0-9]{1,15}$"},
        },
        {
            "in": "header", "name": "Content-Digest", "required": False,
            "description": "`sha-256=:BASE64:` of the whole part (RFC 9530).",
            "schema": {"type": "string", "pattern": "^sha-256=:[A-Za-z0-9+/]{43}=:$"},
        },
    ],
}  # fmt: skip


class Awaited(Strict):
    """A part that is still to come, and how much of it is here."""

    part = ma.fields.Integer(required=True)
    received = ma.fields.Integer(required=True)


class Progress(Strict):
    """Which step, and how far."""

    step = ma.fields.String()
    done = ma.fields.Integer(allow_none=True)
    total = ma.fields.Integer(allow_none=True)


class Submission(Strict):
    """A manifest on its way."""

    id = ma.fields.String(required=True)
    state = ma.fields.String(required=True)
    dataset = ma.fields.String(required=True)
    version = ma.fields.String(required=True)
    digest = ma.fields.String(required=True)
    awaits = ma.fields.List(ma.fields.Nested(Awaited), required=True)
    progress = ma.fields.Nested(Progress)
    errors = ma.fields.List(ma.fields.Raw(), required=True)
    expires_at = When(allow_none=True)
    receipt = ma.fields.String(allow_none=True)


class PartQuery(Strict):
    """How many parts the extract has."""

    parts = ma.fields.Integer(load_default=1, validate=ma.validate.Range(1, 10_000))


class PartReceived(Strict):
    """What is safe now."""

    part = ma.fields.Integer(required=True)
    received = ma.fields.Integer(required=True)
    size = ma.fields.Integer(allow_none=True)
    state = ma.fields.String(required=True)


class WithheldKey(Strict):
    """The key that a withheld manifest names by its SHA-256."""

    key = ma.fields.String(required=True, validate=ma.validate.Regexp(r"\A[0-9a-f]{64}\Z"))


class KeyReceived(Strict):
    """The submission that has its key now."""

    id = ma.fields.String(required=True)
    state = ma.fields.String(required=True)


class Retracted(Strict):
    """A manifest that was taken back."""

    dataset = ma.fields.String(required=True)
    version = ma.fields.String(required=True)
    digest = ma.fields.String(required=True)
    state = ma.fields.String(required=True)


@section.post("/manifests", gives=Submission, status=202, refuses=(403, 404, 409, 413, 415), doc=ENVELOPE_DOC)
def submit_manifest(_: dict[str, Any]) -> Any:
    """Submit a signed manifest; the answer says what it awaits."""
    here, envelope = runtime(), sent_envelope()

    def act(session: Session) -> dict[str, Any]:
        made = submit.submit_manifest(
            session, store=here.store, envelope=envelope, settings=here.settings, now=here.clock(),
            new_id=lambda: secrets.token_hex(16),
        )  # fmt: skip
        return submit.submission_view(session, made.id)

    return once(
        act, Submission, status=202, headers=lambda found: {"Location": f"/v1/submissions/{found['id']}"}
    )


@section.get("/submissions/<id:submission>", gives=Submission, refuses=(404,))
def submission(_: dict[str, Any], *, submission: str) -> dict[str, Any]:
    """Where a manifest stands: state, what is missing, progress, the first 100 errors."""
    with runtime().sessions() as session:
        return submit.submission_view(session, submission)


@section.put(
    "/submissions/<id:submission>/extract/<part:part>",
    query=PartQuery, gives=PartReceived, refuses=(400, 404, 409, 411, 413), doc=UPLOAD_DOC,
)  # fmt: skip
def receive_part(query: dict[str, Any], *, submission: str, part: int) -> dict[str, Any]:
    """Send a part of the awaited extract, whole or from where it stopped."""
    here = runtime()
    length = _length()
    offset, total = _span(length)
    if total > here.settings.max_extract_part:
        raise Refused(
            "part-too-large", f"A part has at most {here.settings.max_extract_part:,} bytes; send more parts."
        )
    flask.request.max_content_length = length
    sent = uploads.Range(
        part=part, parts=query["parts"], offset=offset, end=offset + length, total=total, sha256=_digest()
    )
    return uploads.receive_part(
        here.sessions, store=here.store, submission_id=submission, sent=sent,
        stream=cast("BinaryIO", _Arriving()), settings=here.settings, now=here.clock(),
    )  # fmt: skip


@section.put(
    "/submissions/<id:submission>/key", body=WithheldKey, gives=KeyReceived, refuses=(404, 409, 413, 415)
)
def receive_key(_: dict[str, Any], body: dict[str, Any], *, submission: str) -> dict[str, Any]:
    """Send the key of withheld rows, before their extract; nobody is told it again."""
    here = runtime()
    with transaction(here.sessions) as session:
        return uploads.receive_key(
            session, submission_id=submission, key=bytes.fromhex(body["key"]), now=here.clock()
        )


@section.post("/retractions", gives=Retracted, refuses=(403, 404, 409, 413, 415), doc=ENVELOPE_DOC)
def retract_manifest(_: dict[str, Any]) -> Any:
    """Take a manifest back at once (`urn:byline:retraction:v1`); what it caused stays protected."""
    here, envelope = runtime(), sent_envelope()
    return once(
        lambda session: retract(session, envelope=envelope, settings=here.settings, now=here.clock()),
        Retracted,
    )


class _Arriving:
    """The body as it arrives; a caller who hangs up ends it, so that what came before is kept."""

    def read(self, size: int) -> bytes:
        """At most `size` bytes, none at the end."""
        try:
            return flask.request.stream.read(size)
        except ClientDisconnected:
            return b""


def _length() -> int:
    length = flask.request.content_length
    if length is None:
        raise Refused("length-needed", "Send Content-Length.", at="Content-Length")
    return length


def _span(length: int) -> tuple[int, int]:
    """Where a body of `length` bytes begins in its part, and how long the part is."""
    said = flask.request.headers.get("Content-Range")
    if said is None:
        return 0, length
    found = _RANGE.fullmatch(said)
    first, last, total = (int(number) for number in found.groups()) if found else (1, 0, 0)
    if not first <= last < total or last - first + 1 != length:
        raise Refused(
            "bad-header",
            "Content-Range is `bytes FIRST-LAST/TOTAL`, as long as the body.",
            at="Content-Range",
        )
    return first, total


def _digest() -> str | None:
    """The part's SHA-256 in hex, out of Content-Digest (RFC 9530)."""
    said = flask.request.headers.get("Content-Digest")
    if said is None:
        return None
    found = _DIGEST.fullmatch(said)
    if found is None:
        raise Refused("bad-header", "Content-Digest is `sha-256=:BASE64:`.", at="Content-Digest")
    return base64.b64decode(found[1]).hex()
