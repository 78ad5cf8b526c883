"""The operator's queue: what waits for a hand. Signed in by a code from the machine's own command line."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable

import flask
from flask.typing import ResponseReturnValue

from byline.errors import BylineError, Refused
from registry.contributors import aliases
from registry.contributors import claim as claims
from registry.database import transaction
from registry.operators import reports, signing_in, trail
from registry.publishing import standing
from web.forms import field
from web.here import runtime
from web.pages.reports import KINDS

MANY = 50
LONGEST_WHY = 1_000
View = Callable[..., ResponseReturnValue]
Act = Callable[..., object]


def routes(pages: flask.Blueprint) -> None:
    """`/operator` and what hangs on it."""
    pages.add_url_rule("/operator", "operator", queue)
    pages.add_url_rule("/operator", "operator_enter", enter, methods=["POST"])
    pages.add_url_rule("/operator/leave", "operator_leave", leave, methods=["POST"])
    pages.add_url_rule("/operator/trail", "operator_trail", acts)
    pages.add_url_rule("/operator/claims/<claim>", "operator_claim", one_claim)
    pages.add_url_rule("/operator/claims/<claim>", "operator_decide", decide, methods=["POST"])
    pages.add_url_rule("/operator/publishers/<slug>", "operator_publisher", on_publisher, methods=["POST"])
    pages.add_url_rule("/operator/reports/<int:report>", "operator_report", on_report, methods=["POST"])


def signed_in(view: View) -> View:
    """Give `view` who it is, as `who`; everybody else gets the door."""

    @functools.wraps(view)
    def guarded(**given: object) -> ResponseReturnValue:
        who = _who()
        return _door() if who is None else view(who=who, **given)

    return guarded


def enter() -> ResponseReturnValue:
    """Trade the code for a session; whatever this browser had before is gone."""
    here, code = runtime(), field("code", most=200)
    try:
        with transaction(here.sessions) as session:
            token = signing_in.enter(
                session, code=code, now=here.clock(), token_urlsafe=lambda: secrets.token_urlsafe(32)
            )
    except BylineError as error:
        return _door(problem=error.message)
    flask.session.clear()
    flask.session["operator"] = token
    return _back()


def leave() -> ResponseReturnValue:
    """Sign out."""
    here, token = runtime(), flask.session.pop("operator", "")
    with transaction(here.sessions) as session:
        signing_in.leave(session, token=token, now=here.clock())
    return _back()


@signed_in
def queue(*, who: str, problem: str | None = None) -> ResponseReturnValue:
    """Everything that waits, the oldest first."""
    here = runtime()
    with here.sessions() as session:
        waiting = [
            one
            for state in ("disputed", "pending")
            for one in claims.list_claims(session, state=state, limit=MANY)
        ]
        publishers = standing.waiting(session, limit=MANY)
        conflicts = aliases.conflicts(session)[:MANY]
        told = reports.open_reports(session, seal=here.seal, limit=MANY)
    page = flask.render_template(
        "operator.html", who=who, claims=waiting, publishers=publishers, conflicts=conflicts, reports=told,
        kinds=dict(KINDS), problem=problem,
    )  # fmt: skip
    return page, 422 if problem else 200


@signed_in
def one_claim(*, who: str, claim: str, problem: str | None = None) -> ResponseReturnValue:
    """A claim, where its line may stand, what was seen there, and who else says to be the same."""
    here = runtime()
    with here.sessions() as session:
        shown = claims.show_claim(session, claim_id=claim, seal=here.seal)
        seen = claims.full_view(session, claims.find_claim(session, claim))
    page = flask.render_template("operator_claim.html", who=who, claim=seen | shown, problem=problem)
    return page, 422 if problem else 200


@signed_in
def decide(*, who: str, claim: str) -> ResponseReturnValue:
    """Confirm or reject, with the reason."""
    here = runtime()
    try:
        why, act = _why(), _chosen(confirm=claims.confirm, reject=claims.reject)
        with transaction(here.sessions) as session:
            act(session, claim_id=claim, who=who, why=why, now=here.clock())
    except BylineError as error:
        return one_claim(claim=claim, problem=error.message)
    return _back()


@signed_in
def on_publisher(*, who: str, slug: str) -> ResponseReturnValue:
    """Approve or suspend, with the reason."""
    here = runtime()
    try:
        why, act = _why(), _chosen(approve=standing.approve, suspend=standing.suspend)
        with transaction(here.sessions) as session:
            act(session, slug=slug, who=who, why=why, now=here.clock())
    except BylineError as error:
        return queue(problem=error.message)
    return _back()


@signed_in
def on_report(*, who: str, report: int) -> ResponseReturnValue:
    """Close a report, with what was done."""
    here = runtime()
    try:
        why = _why()
        with transaction(here.sessions) as session:
            reports.close_report(session, report_id=report, who=who, why=why, now=here.clock())
    except BylineError as error:
        return queue(problem=error.message)
    return _back()


@signed_in
def acts(*, who: str) -> ResponseReturnValue:
    """The trail, a page at a time."""
    before = flask.request.args.get("before", type=int)
    with runtime().sessions() as session:
        found = trail.acts(session, before=before, limit=MANY)
    return flask.render_template("operator_trail.html", who=who, acts=found, more=len(found) == MANY)


def _who() -> str | None:
    token, here = flask.session.get("operator"), runtime()
    if not token:
        return None
    with transaction(here.sessions) as session:
        return signing_in.who_is(session, token=token, now=here.clock())


def _chosen(**offered: Act) -> Act:
    """The act whose button was pressed; Refused("no-such-act")."""
    act = offered.get(field("act", most=10))
    if act is None:
        raise Refused("no-such-act", "Use one of the buttons.", at="act")
    return act


def _why() -> str:
    why = field("why", most=LONGEST_WHY)
    if not why:
        raise Refused("reason-needed", "Say why: it is kept beside the decision, for good.", at="why")
    return why


def _door(*, problem: str | None = None) -> ResponseReturnValue:
    return flask.render_template("operator_door.html", problem=problem), 422 if problem else 200


def _back() -> ResponseReturnValue:
    return flask.redirect(flask.url_for("web.operator"), 303)
