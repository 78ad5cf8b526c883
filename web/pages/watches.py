"""Be told by mail: of new datasets that name a maker, of answers to an opt-out. Every mail ends it by one button."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import flask
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from byline.errors import BylineError
from registry.contributors import queries
from registry.database import transaction
from registry.optouts.access import find_opt_out, require_token
from registry.watches import asking
from web.forms import field
from web.here import kept_key, runtime


def routes(pages: flask.Blueprint) -> None:
    """`/watches`, and the page behind the link of every mail."""
    pages.add_url_rule("/watches/maker", "watch_maker", watch_maker, methods=["POST"])
    pages.add_url_rule("/watches/answers", "watch_answers", watch_answers, methods=["POST"])
    pages.add_url_rule("/watches/<watch>/end/<key>", "watch_end_door", end_door)
    pages.add_url_rule("/watches/end", "watch_end", end, methods=["POST"])


def watch_maker() -> ResponseReturnValue:
    """A mail when a new dataset names this maker."""
    with runtime().sessions() as session:
        key = str(queries.contributor(session, field("maker", most=32))["contributor"]["key"])
    return _asked(lambda _: key)


def watch_answers() -> ResponseReturnValue:
    """A mail when a publisher answers one of the opt-outs of the key that this device keeps."""
    key, ident = kept_key(), field("id", most=32)
    if key is None:
        return flask.redirect(flask.url_for("web.status_door"), 303)

    def about(session: Session) -> str:
        require_token(session, find_opt_out(session, ident), key[1])
        return asking.about_opt_out(ident)

    return _asked(about)


def end_door(watch: str, key: str) -> ResponseReturnValue:
    """A mail scanner opens links: only the button ends anything."""
    return flask.render_template("watch.html", watch=watch[:32], key=key[:32])


def end() -> ResponseReturnValue:
    """Nothing more is sent."""
    here = runtime()
    try:
        with transaction(here.sessions) as session:
            asking.end_by_key(
                session, watch_id=field("watch", most=32), key=field("key", most=32), seal=here.seal
            )
    except BylineError as error:
        return flask.render_template("watch.html", problem=error.message), 422
    return flask.render_template("watch.html", ended=True)


def _asked(about: Callable[[Session], str]) -> ResponseReturnValue:
    here = runtime()
    try:
        to = asking.To(email=field("email", most=254) or None)
        with transaction(here.sessions) as session:
            asking.make_watch(
                session, about=about(session), to=to, seal=here.seal, settings=here.settings, now=here.clock(),
                token_bytes=secrets.token_bytes,
            )  # fmt: skip
    except BylineError as error:
        return flask.render_template("watch.html", problem=error.message), 422
    return flask.render_template("watch.html", mailed=True)
