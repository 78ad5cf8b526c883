"""What a person reads when it did not work: what, and what to do now; nothing of our insides."""

from __future__ import annotations

from http import HTTPStatus

import flask
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from api.errors import of_bug, of_byline
from byline.errors import BylineError

# Status -> heading and sentence, where no error of ours says it better.
WORDS: dict[int, tuple[str, str]] = {
    HTTPStatus.NOT_FOUND: ("Nothing there", "There is no page at this address."),
    HTTPStatus.METHOD_NOT_ALLOWED: (
        "Not this way",
        "This page is opened by its form. Go back and use the button.",
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("Too much at once", "Send it in smaller pieces, please."),
    HTTPStatus.TOO_MANY_REQUESTS: (
        "Too often",
        "That was more often than one address may ask. Try again in a minute.",
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: (
        "Our mistake",
        "Something went wrong here; it has been noted. Nothing you sent was done by halves: try again in a moment.",
    ),
}
OTHERWISE = ("That did not work", "Go back and try it once more.")


def register(pages: flask.Blueprint) -> None:
    """Answer every error of a page with a page."""
    pages.register_error_handler(BylineError, told)
    pages.register_error_handler(CSRFError, stale_form)
    pages.register_error_handler(HTTPException, refused)
    pages.register_error_handler(Exception, broken)


def told(error: BylineError) -> flask.Response:
    """One of our five roots, under the status it has over REST; a page of its own where it is our own damage."""
    problem = of_byline(error)
    if problem.status_code == HTTPStatus.INTERNAL_SERVER_ERROR:
        return _page(HTTPStatus.INTERNAL_SERVER_ERROR)
    title = WORDS.get(problem.status_code, OTHERWISE)[0]
    page = _page(problem.status_code, title=title, message=error.message)
    if "Retry-After" in problem.headers:
        page.headers["Retry-After"] = problem.headers["Retry-After"]
    return page


def stale_form(_: CSRFError) -> flask.Response:
    """A form without its token, or from another site."""
    words = "This page was open for too long. Go back, load it again, and send it once more."
    return _page(HTTPStatus.BAD_REQUEST, title="Once more, please", message=words)


def refused(error: HTTPException) -> flask.Response:
    """What Flask, Werkzeug or the limiter refused."""
    return _page(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)


def broken(error: Exception) -> flask.Response:
    """A bug: logged as REST logs it."""
    of_bug(error)
    return _page(HTTPStatus.INTERNAL_SERVER_ERROR)


def _page(status: int, *, title: str | None = None, message: str | None = None) -> flask.Response:
    heading, words = WORDS.get(status, OTHERWISE)
    body = flask.render_template("error.html", title=title or heading, message=message or words)
    return flask.make_response(body, status)
