"""What this registry is: the first thing a client asks."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from sqlalchemy import func, select

from api.schemas import Count, Strict
from api.section import Section, runtime
from api.v1.figures import Figures
from byline.formats import categories, manifest
from registry.models import FeedHead
from registry.optouts import record
from registry.publishing import queries
from registry.tlog.sequence import log_size

section = Section("registry", "What this registry is")

VOCABULARIES = {
    "categories": categories.vocabularies(),
    "purposes": manifest.PURPOSES,
    "access": manifest.ACCESS,
    "annotation_categories": manifest.ANNOTATION_CATEGORIES,
    "annotation_methods": manifest.METHODS,
    "selector_kinds": ("maker", "name", "id", "photo", "url", "sha256", "host"),
}


class Operator(Strict):
    """Who runs it."""

    name = ma.fields.String(allow_none=True)
    contact = ma.fields.String(allow_none=True)
    privacy = ma.fields.String(allow_none=True)


class Limits(Strict):
    """What is taken at most, in bytes."""

    payload = ma.fields.Integer()
    extract_part = ma.fields.Integer()


class About(Strict):
    """The registry's name, key and rules."""

    origin = ma.fields.String(required=True)
    vkey = ma.fields.String(required=True)
    policy = ma.fields.String(required=True, validate=ma.validate.OneOf(["open", "approved"]))
    operator = ma.fields.Nested(Operator)
    vocabularies = ma.fields.Raw(
        metadata={"description": "Closed lists, and how our categories are said elsewhere"}
    )
    feed_seq = ma.fields.Integer(allow_none=True)
    log_size = ma.fields.Integer()
    limits = ma.fields.Nested(Limits)


class Stats(Figures):
    """How all publishers do together, and what is registered."""

    datasets = ma.fields.Integer(required=True)
    records = ma.fields.Integer(required=True)
    publishers = ma.fields.Integer(required=True, metadata={"description": "Approved ones"})
    opt_outs = Count(required=True, metadata={"description": "In force"})


@section.get("", gives=About)
def about(_: dict[str, Any]) -> dict[str, Any]:
    """What this registry is called, signs with, and allows."""
    here = runtime()
    settings = here.settings
    with here.sessions() as session:
        seq, size = session.scalar(select(func.max(FeedHead.seq))), log_size(session)
    return {
        "origin": settings.origin,
        "vkey": here.vkey,
        "policy": settings.publisher_policy,
        "operator": {
            "name": settings.operator_name or None,
            "contact": settings.operator_contact or None,
            "privacy": settings.privacy_text or None,
        },
        "vocabularies": VOCABULARIES,
        "feed_seq": seq,
        "log_size": size,
        "limits": {"payload": settings.max_payload, "extract_part": settings.max_extract_part},
    }


@section.get("/stats", gives=Stats)
def stats(_: dict[str, Any]) -> dict[str, Any]:
    """What is registered, how many opted out, and how the publishers answer them; counts below ten read `<10`."""
    here = runtime()
    with here.sessions() as session:
        return queries.totals(session) | record.stats(session, now=here.clock())
