"""Who signs: one publisher, its keys, its datasets."""

from __future__ import annotations

import flask

from registry.optouts.record import publisher_record
from registry.publishing import queries
from web.here import runtime


def routes(pages: flask.Blueprint) -> None:
    """`/publishers/SLUG`."""
    pages.add_url_rule("/publishers/<slug>", "publisher", publisher)


def publisher(slug: str) -> str:
    """What is known of who signs, and how it is known."""
    here = runtime()
    with here.sessions() as session:
        found = queries.publisher(session, slug)
        record = publisher_record(session, slug=slug, now=here.clock())
    return flask.render_template("publisher.html", p=found, record=record)
