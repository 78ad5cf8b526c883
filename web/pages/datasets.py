"""What is registered, and what each publisher states about it."""

from __future__ import annotations

import flask

from registry.optouts.notices import notice_counts
from registry.publishing import queries
from web import changes, jsonld
from web.here import our_url, runtime

FILES = 50


def routes(pages: flask.Blueprint) -> None:
    """`/datasets`, `/datasets/PUB/NAME` and `/datasets/PUB/NAME/VERSION`."""
    pages.add_url_rule("/datasets", "datasets", listing)
    pages.add_url_rule("/datasets/<path:ref>", "dataset", one)


def listing() -> str:
    """A page of them."""
    with runtime().sessions() as session:
        page = queries.datasets(session, limit=50, cursor=flask.request.args.get("cursor"))
    return flask.render_template("datasets.html", items=page["items"], more=page["next"])


def one(ref: str) -> str:
    """The disclosure label first, then makers, licences, platforms, versions, lineage, files."""
    publisher, name, version = [*ref.split("/", 2), "", ""][:3]
    with runtime().sessions() as session:
        found = queries.dataset(session, f"{publisher}/{name}")
        if version:
            found |= queries.version(session, publisher, name, version)
        asked = notice_counts(session, dataset=found["dataset"]) if found["publisher_approved"] else None
    return flask.render_template(
        "dataset.html",
        d=found,
        asked=asked,
        older=version and found["version"] != found["versions"][0]["version"],
        steps=changes.steps(found["versions"]),
        card=jsonld.dataset(found, registry=our_url()),
        files=found["files"][:FILES],
    )
