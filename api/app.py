"""The one WSGI app: REST under /v1, the feed, the log's face, health, docs."""

from __future__ import annotations

import os
from http import HTTPStatus

import flask
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from api import auth, docs, errors, feed, finish, health, limits, log
from api.body import MAX_JSON
from api.description import describe
from api.section import CONVERTERS
from api.senders import Senders
from api.v1.sections import SECTIONS
from registry import disk, logs
from registry.config import Settings, load
from registry.runtime import Runtime, open_runtime
from web.register import over_https, page_of
from web.register import register as register_pages

# Pages cost what the same question costs over REST.
PAGES = {
    "web.results": "lookup",
    "web.maker": "lookup",
    "web.maker_records": "lookup",
    "web.claim": "write",
    "web.item": "write",
    "web.confirm": "write",
    "web.status_open": "write",
    "web.contest": "write",
    "web.check": "write",
    "web.by_mail": "write",
    "web.opt_out": "write",
    "web.evidence": "write",
    "web.mine_ask": "write",
    "web.mine_open": "write",
    "web.mine_hide": "write",
    "web.mine_export": "write",
    "web.mine_erase": "write",
    "web.mine_unwatch": "write",
    "web.watch_maker": "write",
    "web.watch_answers": "write",
    "web.watch_end": "write",
    "web.mine_close": "write",
    "web.mine_withdraw": "write",
    "web.report": "write",
    "web.operator_enter": "write",
    "web.operator_leave": "write",
    "web.operator_decide": "write",
    "web.operator_publisher": "write",
    "web.operator_report": "write",
    "web.withdraw": "write",
}


def create_app(runtime: Runtime | None = None) -> flask.Flask:
    """The app over a Runtime; without one, over the Runtime that BYLINE_* describes."""
    here = runtime or _opened()
    app = bare_app()
    app.extensions["byline"] = here
    app.secret_key = here.seal.derive("session")
    if here.settings.public_url.startswith("https:"):
        over_https(app)
    limits.register(
        app,
        budgets(here.settings),
        also=PAGES,
        table=here.settings.data_dir / "budgets",
        key=here.seal.derive("budgets"),
    )
    app.register_error_handler(limits.TooOften, lambda error: _told(error, limits.exceeded(error)))
    for status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
        app.register_error_handler(status, lambda error: _told(error, errors.of_http(error)))
    app.before_request(lambda: _check_disk(app, here))
    app.wsgi_app = Senders(app.wsgi_app, most=here.settings.senders)  # type: ignore[method-assign]
    if here.settings.trusted_proxies:
        n = here.settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]
    return app


def _opened() -> Runtime:
    """A server process's own."""
    settings = load(os.environ)
    logs.configure(settings.log)
    return open_runtime(settings)


def _told(error: HTTPException, problem: flask.Response) -> flask.Response:
    """A page for a person, a problem for a program."""
    best = flask.request.accept_mimetypes.best_match([errors.PROBLEM_JSON, "text/html"])
    if best != "text/html" or flask.request.path.startswith(finish.SHARED):
        return problem
    page = page_of(error)
    page.headers.update({name: value for name, value in problem.headers if name == "Retry-After"})
    return page


def _check_disk(app: flask.Flask, here: Runtime) -> None:
    """What would change something is refused before a full disk breaks it half-way; reading goes on."""
    view = app.view_functions.get(flask.request.endpoint or "")
    if flask.request.method not in finish.READS and getattr(view, "budget", None) == "write":
        disk.check_small(here.settings)


def budgets(settings: Settings) -> dict[str, str]:
    """How often one address may ask; parts of an upload and questions about it count as reading."""
    return {
        "read": settings.budget_read,
        "lookup": settings.budget_lookup,
        "write": settings.budget_write,
        "upload": settings.budget_read,
    }


def bare_app() -> flask.Flask:
    """Every route and no Runtime: enough to describe the API."""
    app = flask.Flask("byline", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_JSON
    app.url_map.strict_slashes = True
    app.url_map.merge_slashes = False
    app.url_map.converters.update(CONVERTERS)
    app.json = _Json(app)
    health.register(app)
    finish.register(app)
    app.before_request(auth.refuse_tokens_in_urls)
    api = describe(app)
    for section in (*SECTIONS, feed.section, log.section, health.section):
        api.register_blueprint(section)
    app.register_blueprint(docs.blueprint)
    register_pages(app)
    return app


class _Json(DefaultJSONProvider):
    """Answers keep the order their schema gives, and names as they are written."""

    sort_keys = False
    ensure_ascii = False
    compact = True
