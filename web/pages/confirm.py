"""The mailed link: opening it shows a page, its button confirms; a mail scanner confirms nothing."""

from __future__ import annotations

import flask

from byline.errors import BylineError
from registry.database import transaction
from registry.optouts import links
from web.forms import RELATIONS, field
from web.here import runtime


def routes(pages: flask.Blueprint) -> None:
    """`/confirm/TOKEN`; the token works once and does nothing but confirm."""
    pages.add_url_rule("/confirm/<token>", "confirm_door", door)
    pages.add_url_rule("/confirm", "confirm", confirm, methods=["POST"])


def door(token: str) -> flask.typing.ResponseReturnValue:
    """What was asked in their name, and a button."""
    here = runtime()
    try:
        with here.sessions() as session:
            asked = links.shown(session, token=token, now=here.clock())
    except BylineError as error:
        return flask.render_template("confirm.html", problem=error.message), 422
    return flask.render_template("confirm.html", token=token, asked=asked, relations=dict(RELATIONS))


def confirm() -> flask.typing.ResponseReturnValue:
    """The wish comes into force, or the claim is confirmed as asserted."""
    token = field("token", most=200)
    here = runtime()
    try:
        with transaction(here.sessions) as session:
            done = links.press(session, token=token, now=here.clock())
    except BylineError as error:
        return flask.render_template("confirm.html", problem=error.message), 422
    return flask.render_template("confirm.html", done=done)
