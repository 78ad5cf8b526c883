"""How to check us: the log's head, its newest entries, what it proves and what not."""

from __future__ import annotations

import flask

from registry.tlog import newest
from web.here import our_url, runtime

ENTRIES = 20


def routes(pages: flask.Blueprint) -> None:
    """`/transparency`."""
    pages.add_url_rule("/transparency", "transparency", transparency)


def transparency() -> str:
    """The signed head as it is served, read out."""
    here = runtime()
    with here.sessions() as session:
        head = newest.head(session)
        entries = newest.entries(session, limit=ENTRIES) if head else []
    return flask.render_template(
        "transparency.html",
        head=head,
        entries=entries,
        vkey=here.vkey,
        origin=here.settings.origin,
        url=our_url(),
    )
