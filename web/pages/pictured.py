"""The door of who is in a picture: three ways on, and a letter. What is typed here is kept nowhere."""

from __future__ import annotations

from urllib.parse import quote

import flask

from registry.publishing import queries
from web.here import our_url, runtime

LONGEST_REF = 200
AT_ONCE = 20


def routes(pages: flask.Blueprint) -> None:
    """`/in-a-picture` and `/in-a-picture/letter`."""
    pages.add_url_rule("/in-a-picture", "pictured", door)
    pages.add_url_rule("/in-a-picture/letter", "letter", letter)


def door() -> str:
    """With a link, and the three ways on without one; every dataset can be written to, found by words or page by page."""
    asked = flask.request.args
    q = "".join(one for one in asked.get("q", "")[:LONGEST_REF] if one.isprintable()).strip()
    after = asked.get("after")
    with runtime().sessions() as session:
        page = queries.datasets(session, limit=AT_ONCE, cursor=after, q=q)
    chosen = asked.get("dataset", "")[:LONGEST_REF]
    return flask.render_template(
        "pictured.html", datasets=page["items"], more=page["next"], q=q, chosen=chosen, begun=after is None
    )


def letter() -> str:
    """A letter to a dataset's contact, with gaps that its writer fills in: so there is nothing to keep."""
    with runtime().sessions() as session:
        found = queries.dataset(session, flask.request.args.get("dataset", "")[:LONGEST_REF])
    text = flask.render_template("letter.txt", d=found, page=f"{our_url()}/datasets/{found['dataset']}")
    subject = f"A picture of me in {found['dataset']}"
    mail = found["contact"] if (found["contact"] or "").startswith("mailto:") else None
    return flask.render_template(
        "letter.html",
        d=found,
        text=text,
        mail=mail and f"{mail.partition('?')[0]}?subject={quote(subject)}&body={quote(text)}",
    )
