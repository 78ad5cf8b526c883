"""How to check us: the log's head, its newest entries, what it proves and what not."""

from __future__ import annotations

import flask

from registry.optouts import record
from registry.publishing.growth import datasets_until
from registry.tlog import growth, newest
from web.here import our_url, runtime

ENTRIES = 20


def routes(pages: flask.Blueprint) -> None:
    """`/transparency`."""
    pages.add_url_rule("/transparency", "transparency", transparency)


def transparency() -> str:
    """The signed head as it is served, read out; what came before it, as figures over time."""
    here = runtime()
    with here.sessions() as session:
        head = newest.head(session)
        entries = newest.entries(session, limit=ENTRIES) if head else []
        sizes = growth.sizes(session, now=here.clock())
        datasets = datasets_until(session, [one.until for one in sizes])
        together = record.stats(session, now=here.clock())
    return flask.render_template(
        "transparency.html",
        head=head,
        entries=entries,
        together=together,
        log_growth=[(one.until, one.entries) for one in sizes],
        dataset_growth=[(one.until, count) for one, count in zip(sizes, datasets, strict=True)],
        vkey=here.vkey,
        origin=here.settings.origin,
        url=our_url(),
    )
