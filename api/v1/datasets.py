"""Datasets: what each publisher states, version by version. What was signed is given byte for byte."""

from __future__ import annotations

import hashlib
from typing import Any

import flask
import marshmallow as ma

from api.schemas import Count, PageQuery, Strict, When
from api.section import OBJECT, Section, runtime
from api.v1.envelopes import DSSE_JSON, ENVELOPE
from api.v1.shapes import Annotation
from registry.optouts.notices import notice_counts
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
    publisher_approved = ma.fields.Boolean()
    records = ma.fields.Integer(allow_none=True)
    contributors = ma.fields.Integer(allow_none=True)
    purposes = ma.fields.List(ma.fields.String())
    access = ma.fields.String()
    annotations = ma.fields.List(ma.fields.Nested(Annotation))
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
    """What its publisher says a version was made from; it need not be registered here."""

    dataset = ma.fields.String(required=True)
    version = ma.fields.String(allow_none=True)
    digest = ma.fields.String(allow_none=True)
    standing = ma.fields.String(
        validate=ma.validate.OneOf(
            ("registered", "other-digest", "version-not-registered", "not-registered")
        ),
        metadata={
            "description": "What the registry knows of it; `other-digest`: the digest named is not the registered "
            "one, and nobody is asked because of it"
        },
    )


class Version(Strict):
    """One version: what its signed manifest says, and what was counted."""

    dataset = ma.fields.String()
    version = ma.fields.String(required=True)
    digest = ma.fields.String(required=True)
    state = ma.fields.String(required=True)
    role = ma.fields.String()
    visibility = ma.fields.String()
    format = ma.fields.String()
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
    spread = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.Integer(),
        metadata={"description": "How many makers have how many records, by the least number of each range"},
    )
    consent = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String(allow_none=True))
    contact = ma.fields.String(allow_none=True)
    personal_data = ma.fields.Boolean(allow_none=True)
    supersedes = ma.fields.String(allow_none=True)
    derived_from = ma.fields.List(ma.fields.Nested(Parent))
    files = ma.fields.List(ma.fields.Nested(File))
    made_at = When()
    published_at = When(allow_none=True)


class Derivative(Strict):
    """A published version that names this dataset as what it was made from; `of` is the version it names, or empty."""

    dataset = ma.fields.String(required=True)
    version = ma.fields.String(required=True)
    of = ma.fields.String(required=True)


class Dataset(Version):
    """Its newest version whole, all versions in short; the next statement's `previous` names `head`."""

    publisher = ma.fields.String()
    publisher_name = ma.fields.String()
    publisher_status = ma.fields.String()
    publisher_approved = ma.fields.Boolean()
    created_at = When()
    derivatives = ma.fields.List(ma.fields.Nested(Derivative))
    head = ma.fields.String(allow_none=True)
    versions = ma.fields.List(ma.fields.Nested(Version), required=True)


class NoticeCounts(Strict):
    """How many notices stand in each state; below ten only `<10` is said."""

    dataset = ma.fields.String(required=True)
    counts = ma.fields.Dict(keys=ma.fields.String(), values=Count(), required=True)
    total = Count(required=True)
    observed = Count(metadata={"description": "Notices to observers' contacts, counted apart"})


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


@section.get("/datasets/<slug:publisher>/<dataset:name>/notices", gives=NoticeCounts, refuses=(404,))
def notices(_: dict[str, Any], *, publisher: str, name: str) -> dict[str, Any]:
    """How many notices a dataset has; never who."""
    with runtime().sessions() as session:
        return notice_counts(session, dataset=f"{publisher}/{name}")


@section.get(
    "/datasets/<slug:publisher>/<dataset:name>/manifest",
    gives=ENVELOPE, content_type=DSSE_JSON, refuses=(404,),
)  # fmt: skip
def newest_manifest(_: dict[str, Any], *, publisher: str, name: str) -> flask.Response:
    """The newest version's signed manifest, byte for byte as it came."""
    return _signed(f"{publisher}/{name}", None)


@section.get(
    "/datasets/<slug:publisher>/<dataset:name>/versions/<version:version>/manifest",
    gives=ENVELOPE, content_type=DSSE_JSON, refuses=(404,),
)  # fmt: skip
def manifest(_: dict[str, Any], *, publisher: str, name: str, version: str) -> flask.Response:
    """A version's signed manifest, byte for byte as it came."""
    return _signed(f"{publisher}/{name}", version)


@section.get(
    "/datasets/<slug:publisher>/<dataset:name>/croissant",
    gives=OBJECT, content_type=LD_JSON, refuses=(404,),
)  # fmt: skip
def newest_croissant(_: dict[str, Any], *, publisher: str, name: str) -> flask.Response:
    """The newest version's Croissant document."""
    return _card(f"{publisher}/{name}", None)


@section.get(
    "/datasets/<slug:publisher>/<dataset:name>/versions/<version:version>/croissant",
    gives=OBJECT, content_type=LD_JSON, refuses=(404,),
)  # fmt: skip
def croissant(_: dict[str, Any], *, publisher: str, name: str, version: str) -> flask.Response:
    """A version's Croissant document, as its publisher has it."""
    return _card(f"{publisher}/{name}", version)


def _signed(dataset: str, version: str | None) -> flask.Response:
    here = runtime()
    with here.sessions() as session:
        data = queries.manifest_envelope(session, store=here.store, dataset=dataset, version=version)
    response = flask.Response(data, content_type=DSSE_JSON)
    response.set_etag(hashlib.sha256(data).hexdigest())
    return response


def _card(dataset: str, version: str | None) -> flask.Response:
    here = runtime()
    with here.sessions() as session:
        card = queries.croissant(session, store=here.store, dataset=dataset, version=version)
    return flask.Response(flask.json.dumps(card), content_type=LD_JSON)
