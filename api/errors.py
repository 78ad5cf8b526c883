"""Every error as an RFC 9457 problem: one shape, a stable code, nothing of our insides."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from itertools import islice
from typing import Any

import flask
import marshmallow as ma
from werkzeug.exceptions import HTTPException

from byline.errors import BylineError, Conflict, NotFound, Refused, Unavailable, Untrusted

PROBLEM_JSON = "application/problem+json"
CODE_URI = "urn:byline:error:"

STATUS_BY_ROOT: tuple[tuple[type[BylineError], HTTPStatus], ...] = (
    (Refused, HTTPStatus.UNPROCESSABLE_ENTITY),
    (Untrusted, HTTPStatus.FORBIDDEN),
    (NotFound, HTTPStatus.NOT_FOUND),
    (Conflict, HTTPStatus.CONFLICT),
    (Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
)

# Codes whose HTTP status says more than their root's.
STATUS_BY_CODE: Mapping[str, HTTPStatus] = {
    **dict.fromkeys(
        (
            "bad-cursor",
            "bad-header",
            "duplicate-key",
            "not-json",
            "not-utf8",
            "nul-character",
            "number-out-of-range",
            "repeated-parameter",
            "since-from-the-future",
            "token-in-url",
            "too-deep",
            "unstorable-text",
        ),
        HTTPStatus.BAD_REQUEST,
    ),
    **dict.fromkeys(
        ("body-too-large", "part-too-large", "too-large", "too-many-lines"),
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ),
    "changes-too-old": HTTPStatus.GONE,
    "token-needed": HTTPStatus.UNAUTHORIZED,
    "length-needed": HTTPStatus.LENGTH_REQUIRED,
    "too-many-requests": HTTPStatus.TOO_MANY_REQUESTS,
    "unsupported-content-type": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
}

# A missing object inside a view is our own damage, not the caller's wrong address.
OUR_OWN = frozenset({"no-such-object"})

SHOWN_ERRORS = 100
SHOWN_TEXT = 2000

_log = logging.getLogger("byline.api")


class ProblemItem(ma.Schema):
    """One of several things wrong: where, and what."""

    at = ma.fields.String(required=True)
    message = ma.fields.String(required=True)


class Problem(ma.Schema):
    """RFC 9457; `code` is stable and listed in docs/errors.md."""

    type = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    status = ma.fields.Integer(required=True)
    detail = ma.fields.String()
    code = ma.fields.String(required=True)
    at = ma.fields.String()
    errors = ma.fields.List(ma.fields.Nested(ProblemItem))
    details = ma.fields.Raw(metadata={"description": "What more helps; its shape depends on `code`."})


def problem(
    status: int, code: str, detail: str | None = None, *, extra: Mapping[str, Any] | None = None
) -> flask.Response:
    """A problem as a response; members of `extra` that are None are left out.

    What says no more than its HTTP status has the type about:blank.
    """
    phrase = HTTPStatus(status).phrase
    shown = {
        "type": "about:blank" if code == slug(phrase) else CODE_URI + code,
        "title": phrase,
        "status": int(status),
        "detail": (detail or phrase)[:SHOWN_TEXT],
        "code": code,
        **{name: value for name, value in (extra or {}).items() if value is not None},
    }
    return flask.Response(json.dumps(shown, default=str), int(status), content_type=PROBLEM_JSON)


def slug(phrase: str) -> str:
    """`Not Found` -> `not-found`."""
    return phrase.lower().replace(" ", "-").replace("'", "")


def of_byline(error: BylineError, *, errors: list[dict[str, str]] | None = None) -> flask.Response:
    """The problem for one of our five roots; `errors` where several things are wrong at once."""
    if error.code in OUR_OWN:
        return of_bug(error)
    status = STATUS_BY_CODE.get(error.code) or next(
        status for root, status in STATUS_BY_ROOT if isinstance(error, root)
    )
    extra = {"at": error.at, "errors": errors, "details": error.details}
    response = problem(status, error.code, error.message, extra=extra)
    if isinstance(error, Unavailable):
        response.headers["Retry-After"] = str(error.retry_after)
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="byline"'
    return response


def of_http(error: HTTPException) -> flask.Response:
    """The problem for what Flask, Werkzeug or webargs refused."""
    if error.code is None or error.response is not None:
        return flask.make_response(error.get_response())
    data: Mapping[str, Any] = getattr(error, "data", None) or {}
    messages = data.get("messages")
    if messages:
        refused = Refused("wrong-shape", "The request does not have the shape this endpoint takes.")
        return of_byline(refused, errors=list(islice(flat(messages), SHOWN_ERRORS)))
    response = problem(error.code, slug(HTTPStatus(error.code).phrase), error.description)
    for name, value in error.get_headers():  # Allow of a 405 and the like
        if name.lower() not in {"content-type", "content-length"}:
            response.headers[name] = value
    return response


def of_bug(error: Exception) -> flask.Response:
    """A 500 that says nothing of our insides; the log has them, by route: an address may hold a secret."""
    rule = flask.request.url_rule
    _log.error(
        "%s %s failed", flask.request.method, rule.rule if rule else "an unknown address", exc_info=error
    )
    words = "Something went wrong here; it has been noted."
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal-server-error", words)


def register(app: flask.Flask) -> None:
    """Answer every error as a problem."""
    app.register_error_handler(BylineError, of_byline)
    app.register_error_handler(HTTPException, of_http)
    app.register_error_handler(Exception, of_bug)


def flat(messages: Any, at: str = "") -> Iterator[dict[str, str]]:
    """Marshmallow's nested messages as `{"at": "/claims/0/id", "message": …}`, without their location."""
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            step = at if not at and name in {"json", "query", "path", "headers"} else f"{at}/{name}"[:200]
            yield from flat(inner, step)
    elif isinstance(messages, list | tuple):
        for inner in messages:
            yield from flat(inner, at)
    else:
        yield {"at": at or "/", "message": str(messages)[:SHOWN_TEXT]}
