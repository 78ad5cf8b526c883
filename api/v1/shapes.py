"""Shapes that search, look-up, makers and datasets share."""

from __future__ import annotations

import marshmallow as ma

from api.schemas import Strict


class Contributor(Strict):
    """A maker's identity on a platform or host, or a name inside one dataset."""

    id = ma.fields.String(required=True)
    key = ma.fields.String(metadata={"description": "As a claim takes it: `flickr:12345@N00`"})
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


class SelectorOut(Strict):
    """What is pointed at, or what a text may mean."""

    kind = ma.fields.String(required=True)
    value = ma.fields.String(required=True)
