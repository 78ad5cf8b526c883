"""How the pages are put into the app: a blueprint, CSRF for its forms, its headers, its errors."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, cast

import flask
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException

from registry.runtime import Runtime
from web import errors, words
from web.cookies import Cookies
from web.here import our_url
from web.pages import (
    claim,
    confirm,
    contest,
    datasets,
    finding,
    guides,
    items,
    makers,
    mine,
    operator,
    pictured,
    proving,
    publishers,
    reports,
    status,
    transparency,
    watches,
)

# Nothing from elsewhere, forms only to ourselves; one script of ours, which may write no markup, and which no page needs.
CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
ROOMS = (
    finding, makers, datasets, publishers, claim, items, pictured, confirm, status, mine, proving,
    reports, operator, contest, guides, transparency, watches,
)  # fmt: skip
FILTERS: dict[str, Callable[..., Any]] = {
    "span": words.span,
    "day": words.day,
    "moment": words.moment,
    "plain": words.plain,
    "state": words.state,
    "tone": words.tone,
    "seen": words.seen,
    "stood": words.stood,
    "identity": words.identity,
    "pointed": words.pointed,
    "entry": words.entry,
    "stated": words.stated,
    "years": words.years,
    "named": words.named,
    "licence": words.licence,
    "licences": words.licences,
    "spread": words.spread,
}
FOREIGN = frozenset({"cross-site", "same-site"})


def register(app: flask.Flask) -> None:
    """Mount the pages at `/`. The app has a secret key and its Runtime at `app.extensions["byline"]`."""
    pages = flask.Blueprint(
        "web", __name__, template_folder="templates", static_folder="static", static_url_path="/static/web"
    )
    for room in ROOMS:
        room.routes(pages)
    for name, told in FILTERS.items():
        pages.add_app_template_filter(told, name)
    pages.app_context_processor(
        lambda: {"operator": _operator(), "here_url": our_url(), "grave": words.GRAVE, "share": words.share}
    )
    pages.after_request(_headers)
    errors.register(pages)
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
    app.session_interface = Cookies()
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


def _operator() -> str | None:
    return cast("Runtime", flask.current_app.extensions["byline"]).settings.operator_name or None


def _headers(response: flask.Response) -> flask.Response:
    response.headers["Content-Security-Policy"] = CSP
    response.headers["Referrer-Policy"] = "no-referrer"
    if flask.request.endpoint != "web.static":
        response.headers["Cache-Control"] = "no-store"
    return response


def page_of(error: HTTPException) -> flask.Response:
    """The page of an error outside every page of ours: an address that leads nowhere."""
    return _headers(errors.refused(error))
