"""My page: everything under one mail address, opened by a mailed link and a button. There is no account."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable

import flask
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from api.schemas import When
from byline.errors import BylineError
from registry.contributors.hiding import set_hidden
from registry.database import transaction
from registry.optouts import mine as mines
from registry.optouts.erasing import erase_mine
from registry.optouts.mine_shown import mine as whole
from web.forms import field
from web.here import runtime

KEY = "mine"


def routes(pages: flask.Blueprint) -> None:
    """`/mine` and its buttons."""
    pages.add_url_rule("/mine", "mine", mine)
    pages.add_url_rule("/mine", "mine_ask", ask, methods=["POST"])
    pages.add_url_rule("/mine/open", "mine_open", open_, methods=["POST"])
    pages.add_url_rule("/mine/export", "mine_export", export, methods=["POST"])
    pages.add_url_rule("/mine/hide", "mine_hide", hide, methods=["POST"])
    pages.add_url_rule("/mine/withdraw", "mine_withdraw", withdraw, methods=["POST"])
    pages.add_url_rule("/mine/unwatch", "mine_unwatch", unwatch, methods=["POST"])
    pages.add_url_rule("/mine/erase", "mine_erase", erase, methods=["POST"])
    pages.add_url_rule("/mine/close", "mine_close", close, methods=["POST"])


def mine() -> ResponseReturnValue:
    """What stands there, or the door."""
    return _shown()


def ask() -> ResponseReturnValue:
    """The same page for every address."""
    here = runtime()
    try:
        with transaction(here.sessions) as session:
            mines.ask_mine(session, email=field("email", most=254), seal=here.seal, now=here.clock())
    except BylineError as error:
        return flask.render_template("mine_door.html", problem=error.message), 422
    return flask.render_template("mine_door.html", asked=True)


def open_() -> ResponseReturnValue:
    """The link's button: a key for half an hour, in the signed cookie of this device."""
    here = runtime()
    try:
        with transaction(here.sessions) as session:
            opened = mines.open_mine(
                session, token=field("token", most=200), now=here.clock(),
                token_urlsafe=lambda: secrets.token_urlsafe(32),
            )  # fmt: skip
    except BylineError as error:
        return flask.render_template("mine_door.html", problem=error.message), 422
    flask.session.permanent = True
    flask.session[KEY] = opened["token"]
    return flask.redirect(flask.url_for("web.mine"), 303)


def export() -> ResponseReturnValue:
    """All of it as one file."""
    here = runtime()
    try:
        with here.sessions() as session:
            found = whole(session, token=_key(), now=here.clock())
    except BylineError as error:
        return _ended(error)
    text = json.dumps(
        found, ensure_ascii=False, indent=1, default=lambda when: When().serialize("at", {"at": when})
    )
    named = {"Content-Disposition": 'attachment; filename="byline-mine.json"'}
    return flask.Response(text + "\n", content_type="application/json", headers=named)


def hide() -> ResponseReturnValue:
    """Found by no name search, or by it again."""
    hidden = field("hidden", most=3) == "yes"

    def act(session: Session) -> None:
        now = runtime().clock()
        set_hidden(
            session, mines.claims_of(session, mines.whose(session, _key(), now)), hidden=hidden, now=now
        )

    return _act(act)


def withdraw() -> ResponseReturnValue:
    """Take one opt-out back."""
    ident = field("id", most=32)
    return _act(
        lambda session: mines.withdraw_mine(session, token=_key(), opt_out_id=ident, now=runtime().clock())
    )


def unwatch() -> ResponseReturnValue:
    """End one watch."""
    ident = field("id", most=32)
    return _act(lambda session: mines.end_mine(session, token=_key(), watch_id=ident, now=runtime().clock()))


def erase() -> ResponseReturnValue:
    """Forget me; only with the box ticked."""
    if field("forever", most=3) != "yes":
        return _shown(problem="Tick the box first: it cannot be undone.")
    here = runtime()
    try:
        with transaction(here.sessions) as session:
            done = erase_mine(session, token=_key(), seal=here.seal, now=here.clock())
    except BylineError as error:
        return _ended(error)
    flask.session.clear()
    return flask.render_template("mine_door.html", erased=done)


def close() -> ResponseReturnValue:
    """End the key, here and there."""
    with transaction(runtime().sessions) as session:
        mines.close_mine(session, token=_key())
    flask.session.pop(KEY, None)
    return flask.redirect(flask.url_for("web.home"), 303)


def _act(act: Callable[[Session], object]) -> ResponseReturnValue:
    try:
        with transaction(runtime().sessions) as session:
            act(session)
    except BylineError as error:
        return _shown(problem=error.message)
    return flask.redirect(flask.url_for("web.mine"), 303)


def _shown(*, problem: str | None = None) -> ResponseReturnValue:
    if not _key():
        return flask.render_template("mine_door.html")
    here = runtime()
    try:
        with here.sessions() as session:
            found = whole(session, token=_key(), now=here.clock())
    except BylineError as error:
        return _ended(error)
    return flask.render_template("mine.html", problem=problem, **found), 422 if problem else 200


def _ended(error: BylineError) -> ResponseReturnValue:
    flask.session.pop(KEY, None)
    return flask.render_template("mine_door.html", problem=error.message), 422


def _key() -> str:
    return str(flask.session.get(KEY, ""))
