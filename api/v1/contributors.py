"""A maker: who, in what, and which records."""

from __future__ import annotations

from typing import Any

import flask
import marshmallow as ma

from api import atom
from api.schemas import DatasetRef, PageQuery, Strict, Text
from api.section import TEXT, Section, runtime
from api.v1.shapes import Contributor, Holding
from registry.contributors import news, queries

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
    """One row of a registered file; `file` and `row` are null where not everybody has the files."""

    dataset = ma.fields.String(required=True)
    version = ma.fields.String(required=True)
    file = ma.fields.String(allow_none=True)
    row = ma.fields.Integer(required=True, allow_none=True)
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
            shown=here.settings.rows_shown,
        )  # fmt: skip


@section.get(
    "/contributors/<id:contributor>/atom",
    gives=TEXT, content_type=atom.CONTENT_TYPE, refuses=(404,), budget="lookup",
)  # fmt: skip
def atom_feed(_: dict[str, Any], *, contributor: str) -> flask.Response:
    """New datasets that name a maker, as an Atom feed; it needs no watch, for it says only what is public."""
    here = runtime()
    base = here.settings.public_url.rstrip("/")
    with here.sessions() as session:
        key, found = news.first_named(session, contributor)
    entries = [
        atom.Entry(f"{one.dataset} names {key}", f"{base}/datasets/{one.dataset}", one.published_at)
        for one in found
    ]
    data = atom.atom(
        title=f"New datasets that name {key}", at=f"{base}/v1/contributors/{contributor}/atom",
        author=here.settings.operator_name or here.settings.origin, entries=entries, now=here.clock(),
    )  # fmt: skip
    return flask.Response(data, content_type=atom.CONTENT_TYPE)
