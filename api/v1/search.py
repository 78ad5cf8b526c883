"""Makers by name, over every registered dataset."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.schemas import PageQuery, Strict, Text
from api.section import Section, runtime
from api.v1.shapes import Contributor, Holding
from registry.contributors import find, suggest

section = Section("search", "One search over every registered dataset")


class SearchQuery(PageQuery):
    """What is looked for."""

    q = Text(200, required=True, metadata={"description": "A name, as it might be written"})


class Found(Strict):
    """One maker, and where."""

    contributor = ma.fields.Nested(Contributor, required=True)
    records = ma.fields.Integer(required=True)
    datasets = ma.fields.List(ma.fields.Nested(Holding), required=True)
    match = ma.fields.String(
        required=True, validate=ma.validate.OneOf(["exact", "folded", "prefix", "fuzzy"])
    )


class AsOf(Strict):
    """The state of the log the answer was made from."""

    log_size = ma.fields.Integer(required=True)


class FoundPage(Strict):
    """A page of makers, best first."""

    items = ma.fields.List(ma.fields.Nested(Found), required=True)
    next = ma.fields.String(required=True, allow_none=True)
    as_of = ma.fields.Nested(AsOf)


class SuggestQuery(Strict):
    """The beginning of a word."""

    q = Text(100, required=True)
    limit = ma.fields.Integer(load_default=10, validate=ma.validate.Range(1, 20))


class Suggestion(Strict):
    """A maker whose name begins so."""

    text = ma.fields.String(required=True)
    contributor = ma.fields.String(required=True)
    records = ma.fields.Integer(required=True)


class Suggestions(Strict):
    """Most records first."""

    items = ma.fields.List(ma.fields.Nested(Suggestion), required=True)


@section.get("/search", query=SearchQuery, gives=FoundPage, budget="lookup")
def search(query: dict[str, Any]) -> dict[str, Any]:
    """Makers by name: exact before folded before fuzzy, then by how much there is."""
    here = runtime()
    with here.sessions() as session:
        return find.search(
            session,
            here.search,
            query["q"],
            limit=query["limit"],
            cursor=query.get("cursor"),
            items=here.items,
        )


@section.get("/suggest", query=SuggestQuery, gives=Suggestions, budget="read")
def suggestions(query: dict[str, Any]) -> dict[str, Any]:
    """Names that begin with what was typed so far."""
    with runtime().sessions() as session:
        return {"items": suggest.suggest(session, query["q"], limit=query["limit"])}
