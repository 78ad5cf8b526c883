"""What a view stands on: a typed way to say what it takes and gives, and the Runtime of the running app."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import flask
import marshmallow as ma
from flask_smorest import Blueprint
from werkzeug.routing import BaseConverter

from api.body import StrictParser
from api.errors import PROBLEM_JSON, Problem
from registry.runtime import Runtime

View = TypeVar("View", bound=Callable[..., Any])
Shape = type[ma.Schema] | dict[str, Any]
TEXT = {"type": "string"}
OBJECT = {"type": "object"}
BYTES = {"type": "string", "format": "binary"}


class Slug(BaseConverter):
    """A publisher's label."""

    regex = "[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?"


class DatasetName(BaseConverter):
    """A dataset's name inside its publisher."""

    regex = "[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?"


class Version(BaseConverter):
    """A version's label."""

    regex = "[A-Za-z0-9][A-Za-z0-9._+-]{0,63}"


class HexId(BaseConverter):
    """128 bits."""

    regex = "[0-9a-f]{32}"


class Part(BaseConverter):
    """A part of an upload, counted from 0."""

    regex = "[0-9]{1,4}"

    def to_python(self, value: str) -> int:
        """The number."""
        return int(value)


class FeedFile(BaseConverter):
    """A content-addressed file of the feed: nothing else is ever looked up in the store."""

    regex = r"[0-9a-f]{64}\.(?:parquet|puffin|json|ndjson|tar)"


class LogTile(BaseConverter):
    """A path below /log/tile/, read strictly by the view: `0/x001/234.p/17`, `entries/000`."""

    part_isolating = False
    regex = r"[0-9a-z]{1,7}/[0-9x/]{3,40}(?:\.p/[0-9]{1,3})?"


class Digest(BaseConverter):
    """A SHA-256 in hex."""

    regex = "[0-9a-f]{64}"


class EndKey(BaseConverter):
    """What ends a watch from a mail."""

    regex = "[A-Za-z0-9_-]{32}"


class Prefix(BaseConverter):
    """The first hex digits of a fingerprint."""

    regex = "[0-9a-f]{1,15}"


CONVERTERS: dict[str, type[BaseConverter]] = {
    "slug": Slug,
    "dataset": DatasetName,
    "version": Version,
    "id": HexId,
    "part": Part,
    "feed_file": FeedFile,
    "log_tile": LogTile,
    "digest": Digest,
    "prefix": Prefix,
    "end_key": EndKey,
}


def runtime() -> Runtime:
    """The Runtime of the app that answers this request."""
    return cast("Runtime", flask.current_app.extensions["byline"])


class Section(Blueprint):  # type: ignore[misc]  # flask-smorest carries no types
    """A subject's views, under /v1 unless it says otherwise."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, about: str, *, prefix: str = "/v1") -> None:
        super().__init__(name, f"api.{name}", url_prefix=prefix, description=about)

    def get(self, rule: str, *, gives: Shape | None, **said: Any) -> Callable[[View], View]:
        """A read; see `_view`."""
        return self._view("GET", rule, gives=gives, status=200, budget=said.pop("budget", "read"), **said)

    def post(self, rule: str, *, gives: Shape | None, **said: Any) -> Callable[[View], View]:
        """An act; 201 unless `status` says otherwise."""
        return self._view(
            "POST",
            rule,
            gives=gives,
            status=said.pop("status", 201),
            budget=said.pop("budget", "write"),
            **said,
        )

    def put(self, rule: str, *, gives: Shape | None, **said: Any) -> Callable[[View], View]:
        """Bytes to be kept."""
        return self._view("PUT", rule, gives=gives, status=200, budget=said.pop("budget", "upload"), **said)

    def _view(  # noqa: PLR0913 - what there is to say about an operation
        self,
        method: str,
        rule: str,
        *,
        gives: Shape | None,
        status: int,
        budget: str | None,
        query: type[ma.Schema] | None = None,
        body: type[ma.Schema] | None = None,
        content_type: str | None = None,
        refuses: Sequence[int] = (),
        doc: dict[str, Any] | None = None,
    ) -> Callable[[View], View]:
        """Put a view at a rule; it gets the loaded query, then the loaded body, then path parts by name.

        `gives` shapes what it returns (a dict only describes it); a Response goes out as it is.
        `refuses`: statuses of problems to document. `budget`: see api.limits.
        """

        def decorate(view: View) -> View:
            shaped = self.response(status, gives, content_type=content_type)(view)
            for refused in refuses:
                shaped = self.alt_response(refused, schema=Problem, content_type=PROBLEM_JSON)(shaped)
            if body is not None:
                shaped = self.arguments(body, location="json")(shaped)
            shaped = self.arguments((query or Nothing)(), location="query")(shaped)
            said = dict(doc or {})
            parameters = said.pop("parameters", None)
            if said:
                shaped = self.doc(**said)(shaped)
            shaped.budget = budget
            self.route(rule, methods=[method], parameters=parameters)(shaped)
            return view

        return decorate


class Nothing(ma.Schema):
    """No parameters: an unknown one is a mistake worth telling."""

    class Meta:
        """Strict."""

        unknown = ma.RAISE
