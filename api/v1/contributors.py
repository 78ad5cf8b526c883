"""A maker: who, in what, and which records."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.schemas import DatasetRef, PageQuery, Strict, Text
from api.section import Section, runtime
from registry.contributors import queries

section = Section("contributors", "Makers, as the registered datasets name them")


class Contributor(Strict):
    """A maker's identity on a platform or host, or a name inside one dataset."""

    id = ma.fields.String(required=True)
    display_name = ma.fields.String(allow_none=True)
    platform = ma.fields.String(allow_none=True)
    platform_id = ma.fields.String(allow_none=True)
    profile_url = ma.fields.String(allow_none=True)
    names = ma.fields.List(ma.fields.String())


class Annotation(Strict):
    """What was written about the pictures."""

    name = ma.fields.String()
    category = ma.fields.String()
    method = ma.fields.String(allow_none=True)


class Holding(Strict):
    """What one version of a dataset holds of a maker, and what its publisher discloses."""

    dataset = ma.fields.String(required=True)
    version = ma.fields.String(required=True)
    role = ma.fields.String()
    publisher_status = ma.fields.String()
    records = ma.fields.Integer(required=True)
    licenses = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer())
    annotations = ma.fields.List(ma.fields.Nested(Annotation))
    purposes = ma.fields.List(ma.fields.String())
    access = ma.fields.String()
    samples = ma.fields.List(
        ma.fields.Raw(), metadata={"description": "Titles and years, to tell namesakes apart"}
    )


class ContributorView(Strict):
    """A maker with everything that is held."""

    contributor = ma.fields.Nested(Contributor, required=True)
    records = ma.fields.Integer(required=True)
    handles = ma.fields.List(ma.fields.Raw())
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
        return queries.contributor(session, public_id=contributor)
