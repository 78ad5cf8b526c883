"""`Something is wrong here`: that is not mine, that is not me, this should not be read here."""

from __future__ import annotations

import flask

from byline.errors import BylineError
from registry.contributors.claim import read_email
from registry.database import transaction
from registry.operators.reports import make_report
from web.forms import field
from web.here import runtime

KINDS = (
    ("not-mine", "This work is not mine, or is credited to the wrong person"),
    ("not-me", "Two people are taken for one here"),
    ("wording", "A name or a title should not be read here"),
    ("other", "Something else"),
)
LONGEST_SUBJECT = 300


def routes(pages: flask.Blueprint) -> None:
    """`/report`."""
    pages.add_url_rule("/report", "report_door", door)
    pages.add_url_rule("/report", "report", report, methods=["POST"])


def door() -> str:
    """The form."""
    return _form(subject=flask.request.args.get("about", "")[:LONGEST_SUBJECT])


def report() -> flask.typing.ResponseReturnValue:
    """Keep it for the operator's eyes."""
    here, subject, email = runtime(), field("about", most=LONGEST_SUBJECT), field("email", most=254)
    try:
        with transaction(here.sessions) as session:
            make_report(
                session, kind=field("kind", most=20), subject=subject, text=field("text", most=4_000),
                email=read_email(email) if email else None, seal=here.seal, now=here.clock(),
            )  # fmt: skip
    except BylineError as error:
        return _form(subject=subject, problem=error.message), 422
    return flask.render_template("reported.html")


def _form(*, subject: str, problem: str | None = None) -> str:
    asked = flask.request.form
    return flask.render_template("report.html", subject=subject, kinds=KINDS, asked=asked, problem=problem)
