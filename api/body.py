"""Reading what was sent: bounded before it is read, strict while it is parsed."""

from __future__ import annotations

from typing import Any, ClassVar

import flask
import marshmallow as ma
from webargs.flaskparser import FlaskParser

from byline.errors import Refused
from byline.formats import canonical

MAX_JSON = 1 << 20
JSON = "application/json"


def bounded(limit: int) -> bytes:
    """The request's body, at most `limit` bytes; a longer one is refused before it is read."""
    length = flask.request.content_length
    if length is not None and length > limit:
        raise Refused("body-too-large", f"The body has {length:,} bytes; at most {limit:,} are taken here.")
    # One byte more than is taken: werkzeug cuts a chunked body off at its limit without a word.
    flask.request.max_content_length = limit + 1
    data = flask.request.get_data(cache=True)
    if len(data) > limit:
        raise Refused("body-too-large", f"The body is longer than the {limit:,} bytes taken here.")
    return data


def of_type(*types: str) -> None:
    """Refuse a body that does not say it is one of `types`."""
    if flask.request.mimetype not in types:
        raise Refused(
            "unsupported-content-type", f"Send Content-Type: {' or '.join(types)}.", at="Content-Type"
        )


def storable(text: str, at: str) -> str:
    """Refuse what no database and no UTF-8 can carry: NUL and lone surrogates."""
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise Refused("unstorable-text", "A text holds NUL or half of a surrogate pair.", at=at)
    return text


class StrictParser(FlaskParser):
    """webargs over `canonical.loads`; a repeated query parameter is refused."""

    # webargs drops unknown parameters silently; here the schemas say what happens to them.
    DEFAULT_UNKNOWN_BY_LOCATION: ClassVar[dict[str, str | None]] = {"query": None, "json": None}  # type: ignore[misc]

    def parse(self, argmap: Any, req: flask.Request | None = None, **said: Any) -> Any:
        """As webargs; where nothing may be asked and nothing was, there is nothing to parse."""
        if isinstance(argmap, ma.Schema) and not argmap.fields and not flask.request.query_string:
            return {}
        return super().parse(argmap, req, **said)

    def load_json(self, req: flask.Request, schema: ma.Schema) -> Any:  # noqa: ARG002
        """The JSON body; `{}` where nothing was sent, so that the schema says what is missing."""
        data = bounded(MAX_JSON)
        if not data and not req.mimetype:
            return {}
        of_type(JSON)
        return canonical.loads(data, max_bytes=MAX_JSON)

    def load_querystring(self, req: flask.Request, schema: ma.Schema) -> Any:
        """The query, each parameter once."""
        for name, values in req.args.lists():
            storable(name, "query")
            if len(values) > 1:
                raise Refused("repeated-parameter", "Give each parameter once.", at=name[:100])
            storable(values[0], name[:100])
        return super().load_querystring(req, schema)
