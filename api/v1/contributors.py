"""A maker: who, in what, and which records."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.schemas import DatasetRef, PageQuery, Strict, Text
from api.section import Section, runtime
from api.v1.shapes import Contributor, Holding
from registry.contributors import queries

section = Section("contributors", "Makers, as the registered datasets name them")


class Handle(Strict):
    """A handle that is linked to this maker."""

    key = ma.fields.String(required=True)
    kind = ma.fields.String(required=True)
    platform = ma.fields.String(allow_none=True)


class ContributorView(Strict):
    """A maker with everything that is held."""

    contributor = ma.fields.Nested(Contributor, required=True)
    records = ma.fields.Integer(required=True)
    handles = ma.fields.List(ma.fields.Nested(Handle))
    datasets = ma.fields.List(ma.fields.Nested(Holding), required=True)


class RecordsQuery(PageQuery):
    """Whose records of which dataset."""

    dataset = DatasetRef(required=True)
    version = Text(64, pattern="[A-Za-z0-9][A-Za-z0-9.+_-]*")


class Record(Strict):
    """One row of a registered file."""

    dataset = ma.fields.String(required=True)
    version = ma.fields.String(required=True)
    file = ma.fields.String(allow_none=True)
    row = ma.fields.Integer(required=True)
    url = ma.fields.String(allow_none=True)
    landing_url = ma.fields.String(allow_none=True)
    license = ma.fields.String(allow_none=True)
    title = ma.fields.String(allow_none=True)
    creator_name = ma.fields.String(allow_none=True)


class RecordPage(Strict):
    """A page of records."""

    items = ma.fields.List(ma.fields.Nested(Record), required=True)
    next = ma.fields.String(required=True, allow_none=True)


@section.get("/contributors/<id:contributor>", gives=ContributorView, refuses=(404,), budget="lookup")
def contributor(_: dict[str, Any], *, contributor: str) -> dict[str, Any]:
    """One maker, over all datasets."""
    with runtime().sessions() as session:
        return queries.contributor(session, contributor)


@section.get(
    "/contributors/<id:contributor>/records",
    query=RecordsQuery, gives=RecordPage, refuses=(404,), budget="lookup",
)  # fmt: skip
def records(query: dict[str, Any], *, contributor: str) -> dict[str, Any]:
    """A maker's rows in one dataset."""
    here = runtime()
    with here.sessions() as session:
        return queries.contributor_records(
            session, store=here.store, public_id=contributor, dataset=query["dataset"],
            version=query.get("version"), limit=query["limit"], cursor=query.get("cursor"),
        )  # fmt: skip
