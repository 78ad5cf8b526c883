"""`I disagree`: the person's answer to a publisher's answer."""

from __future__ import annotations

import flask

from byline.errors import BylineError
from registry.database import transaction
from registry.optouts import answers
from web.forms import field
from web.here import kept_key, runtime
from web.pages import status

LONGEST_REASON = 1_000


def routes(pages: flask.Blueprint) -> None:
    """The button beside a dataset on `/status`."""
    pages.add_url_rule("/status/contest", "contest", contest, methods=["POST"])


def contest() -> flask.typing.ResponseReturnValue:
    """The publisher is told; the line says so."""
    key, here = kept_key(), runtime()
    if key is None:
        return flask.redirect(flask.url_for("web.status_door"), 303)
    try:
        with transaction(here.sessions) as session:
            answers.contest(
                session, opt_out_id=field("id", most=32), token=key[1], dataset=field("dataset", most=300),
                reason=field("reason", most=LONGEST_REASON), now=here.clock(),
            )  # fmt: skip
    except BylineError as error:
        return status.shown(problem=error.message)
    return flask.redirect(flask.url_for("web.status"), 303)
