"""One maker: what every dataset holds of theirs, row by row."""

from __future__ import annotations

import flask

from registry.contributors import queries
from web.here import runtime

ROWS = 25


def routes(pages: flask.Blueprint) -> None:
    """`/makers/ID` and `/makers/ID/records`."""
    pages.add_url_rule("/makers/<contributor>", "maker", maker)
    pages.add_url_rule("/makers/<contributor>/records", "maker_records", records)


def maker(contributor: str) -> str:
    """Who, under which names, in which datasets."""
    with runtime().sessions() as session:
        found = queries.contributor(session, contributor)
    return flask.render_template("maker.html", maker=found["contributor"], found=found)


def records(contributor: str) -> str:
    """A page of the maker's rows in one dataset."""
    here, dataset = runtime(), flask.request.args.get("dataset", "")
    with here.sessions() as session:
        found = queries.contributor(session, contributor)
        page = queries.contributor_records(
            session, store=here.store, public_id=contributor, dataset=dataset, limit=ROWS,
            cursor=flask.request.args.get("cursor"), shown=here.settings.rows_shown,
        )  # fmt: skip
    return flask.render_template(
        "maker_records.html",
        maker=found["contributor"],
        dataset=dataset,
        rows=page["items"],
        more=page["next"],
    )
