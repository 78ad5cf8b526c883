"""The exact question: is this in there."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.schemas import Strict, Text
from api.section import Section, runtime
from api.v1.shapes import Contributor, SelectorOut
from registry.contributors import lookup as lookups

ANSWERS = ("yes", "no", "cannot-tell")

section = Section("lookup", "Exact look-up by any URL or handle")


class LookupQuery(Strict):
    """A link, user name, user id or photo, in any of its forms."""

    # Percent-encoded, 4,096 characters of any script still fit the 64 KiB that servers take as an address.
    q = Text(4096, required=True)


class LookupRow(Strict):
    """A row that shows it; `file` and `row` are null where not everybody has the files."""

    file = ma.fields.String(allow_none=True)
    row = ma.fields.Integer(required=True, allow_none=True)
    url = ma.fields.String(allow_none=True)
    license = ma.fields.String(allow_none=True)
    title = ma.fields.String(allow_none=True)


class LookupItem(Strict):
    """What one dataset version says."""

    dataset = ma.fields.String(required=True)
    version = ma.fields.String(required=True)
    answer = ma.fields.String(required=True, validate=ma.validate.OneOf(ANSWERS))
    records = ma.fields.Integer()
    rows = ma.fields.List(ma.fields.Nested(LookupRow), required=True)


class Lookup(Strict):
    """`yes` if any dataset says so, else `cannot-tell` if any cannot; `need` says what would decide it."""

    answer = ma.fields.String(required=True, validate=ma.validate.OneOf(ANSWERS))
    need = ma.fields.String(required=True, allow_none=True, validate=ma.validate.OneOf(["photo-link"]))
    selectors = ma.fields.List(ma.fields.Nested(SelectorOut), required=True)
    contributors = ma.fields.List(ma.fields.Nested(Contributor), required=True)
    items = ma.fields.List(ma.fields.Nested(LookupItem), required=True)


@section.get("/lookup", query=LookupQuery, gives=Lookup, budget="lookup")
def lookup(query: dict[str, Any]) -> dict[str, Any]:
    """Exact, by any URL or handle form; per dataset `yes`, `no` or `cannot-tell`."""
    here = runtime()
    with here.sessions() as session:
        return lookups.lookup(
            session, store=here.store, items=here.items, q=query["q"], shown=here.settings.rows_shown
        )
