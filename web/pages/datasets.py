"""What is registered, and what each publisher states about it."""

from __future__ import annotations

import flask

from registry.publishing import queries
from web.here import GRAVE, runtime


def routes(pages: flask.Blueprint) -> None:
    """`/datasets` and `/datasets/PUB/NAME`."""
    pages.add_url_rule("/datasets", "datasets", listing)
    pages.add_url_rule("/datasets/<path:ref>", "dataset", one)


def listing() -> str:
    """A page of them."""
    with runtime().sessions() as session:
        page = queries.datasets(session, limit=50, cursor=flask.request.args.get("cursor"))
    return flask.render_template("datasets.html", items=page["items"], more=page["next"])


def one(ref: str) -> str:
    """The disclosure, licences, files, versions."""
    with runtime().sessions() as session:
        found = queries.dataset(session, ref)
    return flask.render_template("dataset.html", d=found, versions=found["versions"], grave=GRAVE)
