"""What the app says of itself: OpenAPI 3.1 from the views, and the committed file made of it."""

from __future__ import annotations

from typing import Any

import flask
import yaml
from flask_smorest import Api

from api import errors
from api.errors import PROBLEM_JSON, Problem
from api.schemas import Count, When
from api.section import CONVERTERS

ABOUT = """\
Byline is a dataset transparency registry: signed manifests, one search over every dataset, one opt-out.

Errors are RFC 9457 problems with a stable `code`. Lists come in pages (`items`, `next`). Reads carry an
`ETag`. A POST with an `Idempotency-Key` may be sent again within 24 hours and gets the first answer.
Secret tokens travel as `Authorization: Bearer` and never in an address. What a publisher asserts is shown
as asserted.
"""

CONFIG: dict[str, Any] = {
    "API_TITLE": "Byline",
    "API_VERSION": "1",
    "OPENAPI_VERSION": "3.1.0",
    "API_SPEC_OPTIONS": {
        "info": {"description": ABOUT, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": "/"}],
    },
}

IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "description": "Sent again with the same body within 24 hours, the first answer comes back.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
}
IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "required": False,
    "description": "The ETag of the answer one has; 304 where it still holds.",
    "schema": {"type": "string"},
}


class ProblemApi(Api):  # type: ignore[misc]  # flask-smorest carries no types
    """flask-smorest whose errors are problems, in answers and in the description."""

    ERROR_SCHEMA = Problem

    def _register_error_handlers(self) -> None:
        """api.errors has registered them."""

    def _register_responses(self) -> None:
        # The only place where flask-smorest asks for the content type of errors.
        self.DEFAULT_RESPONSE_CONTENT_TYPE = PROBLEM_JSON
        try:
            super()._register_responses()
        finally:
            del self.DEFAULT_RESPONSE_CONTENT_TYPE


def describe(app: flask.Flask) -> Any:
    """Make the app ready to take Sections: config, error handlers, converters' shapes. Gives the Api."""
    app.config.update(CONFIG)
    api = ProblemApi(app)
    errors.register(app)
    for converter in CONVERTERS.values():
        api.register_converter(converter, _pattern_of)
    api.register_field(When, "string", "date-time")
    api.register_field(Count, None, None)
    api.spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    return api


def document(app: flask.Flask) -> dict[str, Any]:
    """The OpenAPI document of the app, with what every operation has in common."""
    (entry,) = app.extensions["flask-smorest"]["apis"].values()
    found: dict[str, Any] = entry["ext_obj"].spec.to_dict()
    for item in found["paths"].values():
        for method, operation in item.items():
            if isinstance(operation, dict):
                _complete(operation, method)
    found["components"]["schemas"].pop("PaginationMetadata", None)  # flask-smorest's own pages, not ours
    order = ("openapi", "info", "servers", "tags", "paths", "components")
    return {name: found[name] for name in order}


def as_yaml(app: flask.Flask) -> str:
    """The same as the text of openapi.yaml."""
    return str(yaml.dump(document(app), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110))


class _Plain(yaml.SafeDumper):  # type: ignore[misc]  # PyYAML carries no types
    """No anchors; long texts in blocks."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def _complete(operation: dict[str, Any], method: str) -> None:
    parameters = operation.setdefault("parameters", [])
    responses = operation["responses"]
    if method == "get":
        parameters.append(IF_NONE_MATCH)
        responses.setdefault("304", {"description": "Not Modified"})
    if method == "post":
        parameters.append(IDEMPOTENCY_KEY)
    for status in ("400", "422", "429", "503"):
        responses[status] = _problem(status)
    operation["responses"] = dict(sorted(responses.items()))


def _problem(status: str) -> dict[str, Any]:
    meaning = {
        "400": "Malformed",
        "422": "Refused: change it and send it again",
        "429": "Too many requests",
        "503": "Try again after Retry-After seconds",
    }
    return {
        "description": meaning[status],
        "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _pattern_of(converter: Any) -> dict[str, str]:
    return {"type": "string", "pattern": f"^(?:{converter.regex})$"}
