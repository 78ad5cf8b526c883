"""Receipts: proofs that an entry stands in the log."""

from __future__ import annotations

from typing import Any

import flask

from api.section import TEXT, Section, runtime
from registry.tlog.receipts import receipt_for

section = Section("receipts", "Proofs that something stands in the log")


@section.get("/receipts/<digest:digest>", gives=TEXT, content_type="text/plain", refuses=(404, 503))
def receipt(_: dict[str, Any], *, digest: str) -> flask.Response:
    """A C2SP tlog-proof of the statement, commitment or feed head with this SHA-256, its entry as the extra line.

    503 with `Retry-After` until the next checkpoint covers it, which takes about a second.
    """
    here = runtime()
    with here.sessions() as session:
        data = receipt_for(session, here.store, ref=digest)
    response = flask.Response(data, content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Disposition"] = f'attachment; filename="{digest[:16]}.tlog-proof"'
    return response
