"""What became of my wish: opened with the key, which this device keeps in a cookie and no address shows."""

from __future__ import annotations

import secrets
from typing import Any

import flask

from byline.errors import BylineError, NotFound
from registry.contributors import claim as claims
from registry.database import transaction
from registry.optouts import request as requests
from registry.optouts import status as statuses
from registry.publishing.evidence import evidence_zip
from web.forms import CATEGORIES, Choices, field, read_choices
from web.here import keep_key, kept_key, runtime
from web.words import ANSWERED


def routes(pages: flask.Blueprint) -> None:
    """`/status` and its buttons."""
    pages.add_url_rule("/status/open", "status_door", door)
    pages.add_url_rule("/status/open", "status_open", open_, methods=["POST"])
    pages.add_url_rule("/status/close", "status_close", close, methods=["POST"])
    pages.add_url_rule("/status", "status", status)
    pages.add_url_rule("/status/opt-out", "opt_out", opt_out, methods=["POST"])
    pages.add_url_rule("/status/withdraw", "withdraw", withdraw, methods=["POST"])
    pages.add_url_rule("/status/evidence", "evidence", evidence, methods=["POST"])


def door() -> flask.typing.ResponseReturnValue:
    """Ask for the key, unless this device has it."""
    return (
        flask.redirect(flask.url_for("web.status"))
        if kept_key()
        else flask.render_template("status_door.html")
    )


def open_() -> flask.typing.ResponseReturnValue:
    """`id.token`, as it was shown."""
    ident, _, token = field("key", most=200).partition(".")
    if not token:
        return flask.render_template(
            "status_door.html", problem="A key has two parts with a dot between them."
        ), 422
    keep_key(ident, token)
    return flask.redirect(flask.url_for("web.status"), 303)


def close() -> flask.typing.ResponseReturnValue:
    """Forget the key on this device."""
    flask.session.clear()
    return flask.redirect(flask.url_for("web.home"), 303)


def status() -> flask.typing.ResponseReturnValue:
    """The claim, its opt-outs, a line per dataset."""
    return shown()


def opt_out() -> flask.typing.ResponseReturnValue:
    """One click."""
    key, here = kept_key(), runtime()
    if key is None:
        return flask.redirect(flask.url_for("web.status_door"), 303)
    try:
        asked = read_choices()
        with transaction(here.sessions) as session:
            requests.make_opt_out(
                session,
                claims=[{"id": key[0], "token": key[1]}],
                relation="maker",
                categories=list(asked.categories),
                remove_existing=asked.remove_existing,
                datasets=[],
                publisher_only=asked.publisher_only,
                seal=here.seal,
                settings=here.settings,
                now=here.clock(),
                token_bytes=secrets.token_bytes,
            )
    except BylineError as error:
        return shown(problem=error.message)
    return flask.redirect(flask.url_for("web.status"), 303)


def withdraw() -> flask.typing.ResponseReturnValue:
    """Take it back."""
    key, here = kept_key(), runtime()
    if key is None:
        return flask.redirect(flask.url_for("web.status_door"), 303)
    try:
        with transaction(here.sessions) as session:
            requests.withdraw(session, opt_out_id=field("id", most=32), token=key[1], now=here.clock())
    except BylineError as error:
        return shown(problem=error.message)
    return flask.redirect(flask.url_for("web.status"), 303)


def evidence() -> flask.typing.ResponseReturnValue:
    """Everything it can show, as one file."""
    key, here = kept_key(), runtime()
    if key is None:
        return flask.redirect(flask.url_for("web.status_door"), 303)
    ident = field("id", most=32)
    try:
        with here.sessions() as session:
            data = evidence_zip(
                session, store=here.store, settings=here.settings, vkey=here.vkey, opt_out_id=ident, token=key[1]
            )  # fmt: skip
    except BylineError as error:
        return shown(problem=error.message)
    named = {"Content-Disposition": f'attachment; filename="opt-out-{ident[:8]}.zip"'}
    return flask.Response(data, content_type="application/zip", headers=named)


def shown(*, problem: str | None = None) -> flask.typing.ResponseReturnValue:
    """The page of the key that this device keeps, or the door; `problem` is what did not work just now."""
    key = kept_key()
    if key is None:
        return flask.redirect(flask.url_for("web.status_door"), 303)
    try:
        claim, opt_outs = _read(*key)
    except BylineError:
        flask.session.clear()
        return flask.render_template(
            "status_door.html", problem="No claim or opt-out has this key. Is it whole?"
        ), 422
    return flask.render_template(
        "status.html",
        claim=claim,
        opt_outs=opt_outs,
        form=Choices(),
        categories=CATEGORIES,
        standing=any(one["state"] != "withdrawn" for one in opt_outs),
        answered=ANSWERED,
        mailed="mailed" in flask.request.args,
        problem=problem,
        now=runtime().clock(),
    )


def _read(ident: str, token: str) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """A key belongs to a claim (and its opt-outs) or to one opt-out."""
    with runtime().sessions() as session:
        try:
            claim = claims.claim_view(session, claim_id=ident, token=token)
        except NotFound:
            return None, [statuses.status(session, opt_out_id=ident, token=token)]
        return claim, statuses.opt_outs_of(session, claim_id=ident, token=token)
