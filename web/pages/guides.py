"""Pages that explain: for publishers, for whoever trains, what is kept of people."""

from __future__ import annotations

import flask

from byline.formats.presets import PRESETS
from web.here import our_url, runtime


def routes(pages: flask.Blueprint) -> None:
    """`/for-publishers`, `/for-training`, `/privacy`, and where a `rel=me` link of a proof leads."""
    pages.add_url_rule("/proof/<code>", "proof", proof)
    pages.add_url_rule("/for-publishers", "for_publishers", for_publishers)
    pages.add_url_rule("/for-training", "downstream", downstream)
    pages.add_url_rule("/privacy", "privacy", privacy)


def for_publishers() -> str:
    """How a dataset is registered."""
    return flask.render_template(
        "for_publishers.html", presets=sorted(PRESETS), policy=runtime().settings.publisher_policy
    )


def downstream() -> str:
    """One minute per tool."""
    return flask.render_template("downstream.html", url=our_url(), vkey=runtime().vkey)


def privacy() -> str:
    """The operator's own text, and what Byline itself does."""
    settings = runtime().settings
    return flask.render_template(
        "privacy.html",
        paragraphs=[part.strip() for part in settings.privacy_text.split("\n\n") if part.strip()],
        contact=settings.operator_contact,
    )


def proof(code: str) -> str:
    """The same for every code, known or not: it tells nobody who claimed what."""
    return flask.render_template("proof.html", code=code)
