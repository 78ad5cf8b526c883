"""`My page` over REST: what stands under one mail address, by a mailed link. There is no account."""

from __future__ import annotations

import secrets
from typing import Any

import flask
import marshmallow as ma
from sqlalchemy.orm import Session

from api import auth
from api.once import once
from api.schemas import Flag, HexId, Strict, Text, When
from api.section import Section, runtime
from api.v1.optouts import OptOutState, Reached
from api.v1.shapes import SelectorOut
from api.v1.watches import WatchEnded
from registry.contributors.hiding import set_hidden
from registry.database import transaction
from registry.optouts import mine as mines
from registry.optouts.erasing import erase_mine
from registry.optouts.mine_shown import mine as whole

section = Section("mine", "What stands under my mail address")
BEARER: dict[str, Any] = {"security": [{"bearer": []}]}


class AskIn(Strict):
    """Whose page."""

    email = Text(254, required=True)


class Asked(Strict):
    """The same words whether the address is known here or not."""

    state = ma.fields.String(required=True, validate=ma.validate.OneOf(("mailed-if-known",)))


class LinkIn(Strict):
    """What the mailed link carries."""

    token = Text(200, required=True)


class Opened(Strict):
    """A key, and until when it is good."""

    token = ma.fields.String(required=True)
    until = When(required=True)


class MyClaim(Strict):
    """Who they said they are."""

    id = ma.fields.String(required=True)
    identity = ma.fields.String(required=True)
    state = ma.fields.String(required=True)
    assurance = ma.fields.String(allow_none=True)
    made_at = When(required=True)
    decided_at = When(allow_none=True)
    hidden = ma.fields.Boolean(metadata={"description": "Found by no name search"})
    may_hide = ma.fields.Boolean()


class MyOptOut(Strict):
    """One wish, whole; `salt` and `request` open the log's `commitment`."""

    id = ma.fields.String(required=True)
    state = ma.fields.String(required=True)
    assurance = ma.fields.String()
    relation = ma.fields.String()
    selectors = ma.fields.List(ma.fields.Nested(SelectorOut))
    categories = ma.fields.List(ma.fields.String())
    remove_existing = ma.fields.Boolean()
    publisher_only = ma.fields.Boolean()
    made_at = When()
    in_force_at = When(allow_none=True)
    withdrawn_at = When(allow_none=True)
    datasets = ma.fields.List(ma.fields.Nested(Reached))
    commitment = ma.fields.String()
    salt = ma.fields.String()
    request = ma.fields.String(allow_none=True, metadata={"description": "Base64"})


class MyWatch(Strict):
    """What they asked to hear of."""

    id = ma.fields.String(required=True)
    about = ma.fields.String(required=True)
    state = ma.fields.String(required=True)
    made_at = When(required=True)


class Mine(Strict):
    """All of it: this is the export."""

    claims = ma.fields.List(ma.fields.Nested(MyClaim), required=True)
    opt_outs = ma.fields.List(ma.fields.Nested(MyOptOut), required=True)
    watches = ma.fields.List(ma.fields.Nested(MyWatch), required=True)


class HideIn(Strict):
    """Hidden or shown."""

    hidden = Flag(required=True)


class Hidden(Strict):
    """For which identities it was done."""

    hidden = ma.fields.Boolean(required=True)
    identities = ma.fields.List(ma.fields.String(), required=True)


class WhichIn(Strict):
    """Which opt-out."""

    opt_out = HexId(required=True)


class WhichWatchIn(Strict):
    """Which watch."""

    watch = HexId(required=True)


class EraseIn(Strict):
    """`true`: it cannot be undone."""

    forever = Flag(required=True, validate=ma.validate.Equal(True))


class Erased(Strict):
    """How much was erased; `suppressing` opt-outs go on."""

    claims = ma.fields.Integer(required=True)
    opt_outs = ma.fields.Integer(required=True)
    suppressing = ma.fields.Integer(required=True)


@section.post("/mine", body=AskIn, gives=Asked, status=202, refuses=(409, 413, 415))
def ask(_: dict[str, Any], sent: dict[str, Any]) -> Any:
    """Have a link mailed, if anything stands under this address. The answer never says whether."""
    here = runtime()

    def act(session: Session) -> Any:
        mines.ask_mine(session, email=sent["email"], seal=here.seal, now=here.clock())
        return {"state": "mailed-if-known"}

    return once(act, Asked, status=202)


@section.post("/mine/open", body=LinkIn, gives=Opened, refuses=(404, 409, 413, 415))
def open_(_: dict[str, Any], sent: dict[str, Any]) -> Any:
    """Trade the mailed token for a key that is good for half an hour; it works once."""
    here = runtime()

    def act(session: Session) -> Any:
        return mines.open_mine(
            session, token=sent["token"], now=here.clock(), token_urlsafe=lambda: secrets.token_urlsafe(32)
        )

    return once(act, Opened)


@section.get("/mine", gives=Mine, refuses=(401, 403), doc=BEARER)
def mine(_: dict[str, Any]) -> Any:
    """Everything that stands under the address: claims and opt-outs, whole."""
    here, token = runtime(), auth.needed()
    with here.sessions() as session:
        return whole(session, token=token, now=here.clock())


@section.post(
    "/mine/hide", body=HideIn, gives=Hidden, status=200, refuses=(401, 403, 409, 413, 415), doc=BEARER
)
def hide(_: dict[str, Any], sent: dict[str, Any]) -> Any:
    """Be found by no name search, or by it again: for every identity that was proved."""
    here, token = runtime(), auth.needed()

    def act(session: Session) -> Any:
        claims = mines.claims_of(session, mines.whose(session, token, here.clock()))
        done = set_hidden(session, claims, hidden=sent["hidden"], now=here.clock())
        return {"hidden": sent["hidden"], "identities": done}

    return once(act, Hidden, status=200)


@section.post(
    "/mine/withdraw",
    body=WhichIn,
    gives=OptOutState,
    status=200,
    refuses=(401, 403, 404, 409, 413, 415),
    doc=BEARER,
)
def withdraw(_: dict[str, Any], sent: dict[str, Any]) -> Any:
    """Take one opt-out back."""
    here, token = runtime(), auth.needed()
    return once(
        lambda session: mines.withdraw_mine(
            session, token=token, opt_out_id=sent["opt_out"], now=here.clock()
        ),
        OptOutState,
        status=200,
    )


@section.post(
    "/mine/unwatch",
    body=WhichWatchIn,
    gives=WatchEnded,
    status=200,
    refuses=(401, 403, 404, 409, 413, 415),
    doc=BEARER,
)
def unwatch(_: dict[str, Any], sent: dict[str, Any]) -> Any:
    """End one watch."""
    here, token = runtime(), auth.needed()
    return once(
        lambda session: mines.end_mine(session, token=token, watch_id=sent["watch"], now=here.clock()),
        WatchEnded,
        status=200,
    )


@section.post(
    "/mine/erase", body=EraseIn, gives=Erased, status=200, refuses=(401, 403, 409, 413, 415), doc=BEARER
)
def erase(_: dict[str, Any], sent: dict[str, Any]) -> Any:  # noqa: ARG001 - that it was sent is the consent
    """Forget me, and go on suppressing: nobody can see or take back afterwards what goes on."""
    here, token = runtime(), auth.needed()
    return once(
        lambda session: erase_mine(session, token=token, seal=here.seal, now=here.clock()), Erased, status=200
    )


@section.post("/mine/close", gives=None, status=204, refuses=(401,), doc=BEARER)
def close(_: dict[str, Any]) -> flask.Response:
    """End the key now."""
    token = auth.needed()
    with transaction(runtime().sessions) as session:
        mines.close_mine(session, token=token)
    return flask.Response(status=204)
