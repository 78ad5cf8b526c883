"""Who signs: one publisher, its keys, its datasets."""

from __future__ import annotations

import flask

from registry.publishing import queries
from web.here import runtime


def routes(pages: flask.Blueprint) -> None:
    """`/publishers/SLUG`."""
    pages.add_url_rule("/publishers/<slug>", "publisher", publisher)


def publisher(slug: str) -> str:
    """What is known of who signs, and how it is known."""
    with runtime().sessions() as session:
        found = queries.publisher(session, slug)
    return flask.render_template("publisher.html", p=found)
