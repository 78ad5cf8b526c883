"""The one box, and what it found."""

from __future__ import annotations

import flask

from byline.errors import BylineError
from registry.contributors import find, lookup, suggest
from registry.publishing import queries
from web.here import runtime

FEW = 3  # results: with fewer, names that begin alike are offered as well


def routes(pages: flask.Blueprint) -> None:
    """`/` and `/search`."""
    pages.add_url_rule("/", "home", home)
    pages.add_url_rule("/search", "results", results)


def home() -> str:
    """One box."""
    with runtime().sessions() as session:
        totals = queries.totals(session)
    return flask.render_template("home.html", datasets_n=totals["datasets"], records_n=totals["records"])


def results() -> str | flask.typing.ResponseReturnValue:
    """Makers by name, and the exact answer where a link or user name was pasted."""
    q = flask.request.args.get("q", "").strip()
    if not q:
        return flask.redirect(flask.url_for("web.home"))
    here = runtime()
    try:
        with here.sessions() as session:
            page = find.search(
                session, here.search, q, limit=20, cursor=flask.request.args.get("cursor"), items=here.items
            )
            look = (
                lookup.lookup(
                    session, store=here.store, items=here.items, q=q, shown=here.settings.rows_shown
                )
                if _is_exact(q)
                else None
            )
            alike = suggest.suggest(session, q) if look is None and len(page["items"]) < FEW else []
    except BylineError as error:
        return flask.render_template("results.html", q=q, found=[], problem=error.message), 422
    if look:
        look["datasets_yes"] = len({item["dataset"] for item in look["items"] if item["answer"] == "yes"})
    shown = {item["contributor"]["id"] for item in page["items"]}
    return flask.render_template(
        "results.html", q=q, found=page["items"], more=page["next"], look=look, by_link="/" in q,
        alike=[one for one in alike if one["contributor"] not in shown],
    )  # fmt: skip


def _is_exact(q: str) -> bool:
    """A link, an NSID or `platform:handle`; not a name somebody typed."""
    return " " not in q and any(mark in q for mark in ("/", "@", ":", "."))
