"""Receipts: proofs that an entry stands in the log."""

from __future__ import annotations

from typing import Any

import flask
import marshmallow as ma

from api.schemas import Strict
from api.section import TEXT, Section, runtime
from byline.formats.entries import COMMITMENT_KINDS, STATEMENT_KINDS
from registry.tlog.receipts import receipt_for

section = Section("receipts", "Proofs that something stands in the log")


class ReceiptQuery(Strict):
    """Which entry, where two have one digest: an opt-out and its withdrawal."""

    kind = ma.fields.String(
        load_default=None, validate=ma.validate.OneOf(sorted({*STATEMENT_KINDS, *COMMITMENT_KINDS, "feed"}))
    )


@section.get(
    "/receipts/<digest:digest>", query=ReceiptQuery, gives=TEXT, content_type="text/plain", refuses=(404, 503)
)
def receipt(query: dict[str, Any], *, digest: str) -> flask.Response:
    """A C2SP tlog-proof of the statement, commitment or feed head with this SHA-256, its entry as the extra line.

    Of an opt-out that was withdrawn `?kind=opt-out-withdrawn` proves the withdrawal.

    503 with `Retry-After` until the next checkpoint covers it, which takes about a second.
    """
    here = runtime()
    with here.sessions() as session:
        data = receipt_for(session, here.store, ref=digest, kind=query["kind"])
    response = flask.Response(data, content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Disposition"] = f'attachment; filename="{digest[:16]}.tlog-proof"'
    return response
