"""Signed statements by their digest: what the log's entries stand for."""

from __future__ import annotations

from typing import Any

import flask

from api.section import Section, runtime
from api.v1.envelopes import DSSE_JSON, ENVELOPE
from registry.publishing import queries

section = Section("statements", "What the log's entries stand for")


@section.get("/statements/<digest:digest>", gives=ENVELOPE, content_type=DSSE_JSON, refuses=(404,))
def statement(_: dict[str, Any], *, digest: str) -> flask.Response:
    """A signed statement as it came: a manifest, a publisher's registration, a key, a retraction."""
    here = runtime()
    with here.sessions() as session:
        data = queries.statement_envelope(session, store=here.store, digest=digest)
    response = flask.Response(data, content_type=DSSE_JSON)
    response.set_etag(digest)
    return response
