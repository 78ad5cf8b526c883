"""`This is me`."""

from __future__ import annotations

import secrets

import flask

from byline.errors import BylineError
from registry.contributors import claim as claims
from registry.contributors import queries
from registry.database import transaction
from web.forms import ClaimForm, read_claim
from web.here import keep_key, runtime
from web.words import plain


def routes(pages: flask.Blueprint) -> None:
    """`/this-is-me`: the form, and what it gives."""
    pages.add_url_rule("/this-is-me", "claim_door", door)
    pages.add_url_rule("/this-is-me", "claim", claim, methods=["POST"])


def door() -> str:
    """The form; filled in where a search result led here."""
    chosen = flask.request.args.get("contributor", "")
    if not chosen:
        return flask.render_template(
            "claim.html", form=ClaimForm(identity=flask.request.args.get("q", "")[:1000])
        )
    with runtime().sessions() as session:
        maker = queries.contributor(session, chosen)["contributor"]
    words = (
        f"{maker['platform_id']} on {plain(maker['platform'])}"
        if maker["platform"]
        else "known by this name in one dataset"
    )
    return flask.render_template(
        "claim.html",
        form=ClaimForm(identity=maker["key"]),
        fixed=True,
        contributor=maker["display_name"],
        identity_words=words,
    )


def claim() -> flask.typing.ResponseReturnValue:
    """Make the claim, and show its two strings once."""
    form = read_claim()
    here = runtime()
    try:
        with transaction(here.sessions) as session:
            made = claims.make_claim(
                session,
                identity=form.identity,
                email=form.email,
                seal=here.seal,
                now=here.clock(),
                token_bytes=secrets.token_bytes,
            )
    except BylineError as error:
        return flask.render_template("claim.html", form=form, problem=error.message), 422
    keep_key(made["id"], made["token"])
    return flask.render_template("claimed.html", claim=made)
