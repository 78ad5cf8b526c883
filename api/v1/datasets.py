"""Datasets: what each publisher states, version by version. What was signed is given byte for byte."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.schemas import Count, PageQuery, Strict, When
from api.section import Section, runtime
from api.v1.contributors import Annotation
from registry.publishing import queries

section = Section("datasets", "What is registered")
LD_JSON = "application/ld+json"


class DatasetItem(Strict):
    """A dataset by its newest version."""

    dataset = ma.fields.String(required=True)
    title = ma.fields.String(allow_none=True)
    version = ma.fields.String(allow_none=True)
    role = ma.fields.String(allow_none=True)
    publisher = ma.fields.String()
    publisher_name = ma.fields.String()
    publisher_status = ma.fields.String()
    records = ma.fields.Integer(allow_none=True)
    contributors = ma.fields.Integer(allow_none=True)
    published_at = When(allow_none=True)


class DatasetPage(Strict):
    """A page of datasets."""

    items = ma.fields.List(ma.fields.Nested(DatasetItem), required=True)
    next = ma.fields.String(required=True, allow_none=True)


class File(Strict):
    """A real file, by digest."""

    name = ma.fields.String(required=True)
    sha256 = ma.fields.String(required=True)
    records = ma.fields.Integer(required=True)


class Parent(Strict):
    """What a version was made from; it need not be registered here."""

    dataset = ma.fields.String(required=True)
    version = ma.fields.String(allow_none=True)
    digest = ma.fields.String(allow_none=True)


class Version(Strict):
    """One version: what its signed manifest says, and what was counted."""

    dataset = ma.fields.String()
    version = ma.fields.String(required=True)
    digest = ma.fields.String(required=True)
    state = ma.fields.String(required=True)
    role = ma.fields.String()
    visibility = ma.fields.String()
    title = ma.fields.String(allow_none=True)
    description = ma.fields.String(allow_none=True)
    records = ma.fields.Integer()
    rows = ma.fields.Integer()
    bad_rows = ma.fields.Integer()
    contributors = ma.fields.Integer()
    unattributed = ma.fields.Integer()
    licenses = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer())
    platforms = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer())
    purposes = ma.fields.List(ma.fields.String())
    access = ma.fields.String()
    annotations = ma.fields.List(ma.fields.Nested(Annotation))
    consent = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String(allow_none=True))
    contact = ma.fields.String(allow_none=True)
    personal_data = ma.fields.Boolean(allow_none=True)
    supersedes = ma.fields.String(allow_none=True)
    derived_from = ma.fields.List(ma.fields.Nested(Parent))
    files = ma.fields.List(ma.fields.Nested(File))
    made_at = When()
    published_at = When(allow_none=True)


class Dataset(Version):
    """Its newest version whole, all versions in short; the next statement's `previous` names `head`."""

    publisher = ma.fields.String()
    publisher_name = ma.fields.String()
    publisher_status = ma.fields.String()
    head = ma.fields.String(allow_none=True)
    versions = ma.fields.List(ma.fields.Nested(Version), required=True)


class NoticeCounts(Strict):
    """How many notices stand in each state; below ten only `<10` is said."""

    dataset = ma.fields.String(required=True)
    counts = ma.fields.Dict(keys=ma.fields.String(), values=Count(), required=True)
    total = Count(required=True)


@section.get("/datasets", query=PageQuery, gives=DatasetPage)
def datasets(query: dict[str, Any]) -> dict[str, Any]:
    """Every registered dataset."""
    with runtime().sessions() as session:
        return queries.datasets(session, limit=query["limit"], cursor=query.get("cursor"))


@section.get("/datasets/<slug:publisher>/<dataset:name>", gives=Dataset, refuses=(404,))
def dataset(_: dict[str, Any], *, publisher: str, name: str) -> dict[str, Any]:
    """One dataset and its versions."""
    with runtime().sessions() as session:
        return queries.dataset(session, f"{publisher}/{name}")


@section.get(
    "/datasets/<slug:publisher>/<dataset:name>/versions/<version:version>", gives=Version, refuses=(404,)
)
def version(_: dict[str, Any], *, publisher: str, name: str, version: str) -> dict[str, Any]:
    """One version: disclosure, files, counts, lineage."""
    with runtime().sessions() as session:
        return queries.version(session, publisher, name, version)
