"""How the pages are put into the app: a blueprint, CSRF for its forms, its headers, its errors."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import cast

import flask
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException

from byline.errors import BylineError, Conflict, NotFound, Refused, Unavailable, Untrusted
from registry.runtime import Runtime
from web.pages import claim, confirm, datasets, finding, items, status

# No script at all, nothing from elsewhere, forms only to ourselves.
CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
FOREIGN = frozenset({"cross-site", "same-site"})
STATUS_OF: dict[type, HTTPStatus] = {
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    Untrusted: HTTPStatus.FORBIDDEN,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    Refused: HTTPStatus.UNPROCESSABLE_ENTITY,
    BylineError: HTTPStatus.BAD_REQUEST,
}


def register(app: flask.Flask) -> None:
    """Mount the pages at `/`. The app has a secret key and its Runtime at `app.extensions["byline"]`."""
    pages = flask.Blueprint(
        "web", __name__, template_folder="templates", static_folder="static", static_url_path="/static/web"
    )
    for room in (finding, datasets, claim, items, confirm, status):
        room.routes(pages)
    pages.add_app_template_filter(_day, "day")
    pages.context_processor(lambda: {"operator": _operator()})
    pages.after_request(_headers)
    pages.register_error_handler(BylineError, _told)
    pages.register_error_handler(CSRFError, _stale_form)
    pages.register_error_handler(HTTPException, _http)
    app.config.setdefault("WTF_CSRF_CHECK_DEFAULT", False)
    app.config.setdefault("WTF_CSRF_TIME_LIMIT", 6 * 3600)
    # The pages send no Referer, so there is none to check; `_from_here` asks what browsers say instead.
    app.config.setdefault("WTF_CSRF_SSL_STRICT", False)
    app.config.update(
        SESSION_COOKIE_HTTPONLY=True,
        # Lax: with Strict a mailed link opens without the cookie, and the new one would take its place.
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_NAME="byline",
        PERMANENT_SESSION_LIFETIME=dt.timedelta(hours=6),
    )
    csrf = CSRFProtect(app)
    pages.before_request(_from_here)
    pages.before_request(csrf.protect)
    app.register_blueprint(pages)


def over_https(app: flask.Flask) -> None:
    """Where people come by https, the cookie goes no other way, and no other host can set it."""
    app.config.update(SESSION_COOKIE_SECURE=True, SESSION_COOKIE_NAME="__Host-byline")


def _from_here() -> None:
    """A form comes from a page of ours: the browser says so (Fetch Metadata), beside the form's own token."""
    if flask.request.method == "POST" and flask.request.headers.get("Sec-Fetch-Site") in FOREIGN:
        raise CSRFError("This form was sent from another site.")


def _day(moment: dt.datetime | str | None) -> str:
    """`22 November 2026`."""
    if moment is None:
        return "not yet"
    when = dt.datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return f"{when.day} {when:%B %Y}"


def _operator() -> str | None:
    return cast("Runtime", flask.current_app.extensions["byline"]).settings.operator_name or None


def _headers(response: flask.Response) -> flask.Response:
    response.headers["Content-Security-Policy"] = CSP
    response.headers["Referrer-Policy"] = "no-referrer"
    if flask.request.endpoint != "web.static":
        response.headers["Cache-Control"] = "no-store"
    return response


def _told(error: BylineError) -> tuple[str, int]:
    status = next(
        (status for kind, status in STATUS_OF.items() if isinstance(error, kind)), HTTPStatus.BAD_REQUEST
    )
    title = "Nothing there" if status == HTTPStatus.NOT_FOUND else "That did not work"
    return flask.render_template("error.html", title=title, message=error.message), status


def _stale_form(_: CSRFError) -> tuple[str, int]:
    words = "This page was open for too long. Go back, load it again, and send it once more."
    return flask.render_template(
        "error.html", title="Once more, please", message=words
    ), HTTPStatus.BAD_REQUEST


def _http(error: HTTPException) -> tuple[str, int]:
    return flask.render_template(
        "error.html", title=error.name, message=error.description or ""
    ), error.code or 500


def page_of(error: HTTPException) -> flask.Response:
    """The page of an error outside every page of ours: an address that leads nowhere."""
    return _headers(flask.make_response(_http(error)))
