"""Be told when a new dataset names a maker, or when a publisher answers an opt-out."""

from __future__ import annotations

import secrets
from typing import Any

import flask
import marshmallow as ma
from sqlalchemy.orm import Session

from api import auth
from api.once import once
from api.schemas import HexId, Strict, Text, When
from api.section import Section, runtime
from byline.errors import Refused
from registry.database import transaction
from registry.optouts.access import find_opt_out, require_token
from registry.watches import asking, telling

section = Section("watches", "Be told what is new")
BEARER: dict[str, Any] = {"security": [{"bearer": []}]}
MAYBE: dict[str, Any] = {"security": [{"bearer": []}, {}]}


class WatchIn(Strict):
    """What to hear of, and where: a maker or an opt-out; a mail address or a webhook."""

    about = Text(1000, metadata={"description": "A maker: flickr:12345678@N00, a profile's address"})
    opt_out = HexId(metadata={"description": "An opt-out, with its token as Bearer: its answers"})
    email = Text(254)
    webhook = Text(2000)


class WatchMade(Strict):
    """`token` opens it, `secret` signs the webhook (Standard Webhooks); both are shown this once."""

    id = ma.fields.String(required=True)
    about = ma.fields.String(required=True)
    state = ma.fields.String(required=True, validate=ma.validate.OneOf(("waiting", "on")))
    token = ma.fields.String(required=True)
    secret = ma.fields.String()


class WatchEventOut(Strict):
    """A first version that names them, or a notice's new state."""

    kind = ma.fields.String(required=True, validate=ma.validate.OneOf(("dataset", "answer")))
    dataset = ma.fields.String(required=True)
    version = ma.fields.String(allow_none=True)
    state = ma.fields.String(allow_none=True)
    at = When(required=True)


class WatchView(Strict):
    """How it stands, and the newest hundred things it told."""

    id = ma.fields.String(required=True)
    about = ma.fields.String(required=True)
    channel = ma.fields.String(required=True, validate=ma.validate.OneOf(("mail", "webhook")))
    state = ma.fields.String(required=True)
    made_at = When(required=True)
    problem = ma.fields.String(allow_none=True)
    failing_since = When(allow_none=True)
    events = ma.fields.List(ma.fields.Nested(WatchEventOut), required=True)


class WatchEnded(Strict):
    """Nothing more is sent, and nothing of it is kept."""

    id = ma.fields.String(required=True)
    state = ma.fields.String(required=True, validate=ma.validate.OneOf(("ended",)))


@section.post(
    "/watches",
    body=WatchIn,
    gives=WatchMade,
    status=202,
    refuses=(401, 403, 404, 409, 413, 415, 503),
    doc=MAYBE,
)
def make(_: dict[str, Any], sent: dict[str, Any]) -> Any:
    """Ask to be told. A mail address confirms by a mailed link, a webhook by answering its first message."""
    here, token = runtime(), auth.bearer()
    to = asking.To(email=sent.get("email"), webhook=sent.get("webhook"))
    if bool(sent.get("about")) == bool(sent.get("opt_out")):
        raise Refused(
            "one-subject",
            "say what to hear of: a maker (about) or an opt-out (opt_out), one of the two",
            at="about",
        )
    if to.webhook:
        here.egress.check(to.webhook)

    def act(session: Session) -> Any:
        about = _about(session, sent, token)
        return asking.make_watch(
            session, about=about, to=to, seal=here.seal, settings=here.settings, now=here.clock(),
            token_bytes=secrets.token_bytes,
        )  # fmt: skip

    return once(act, WatchMade, status=202)


def _about(session: Session, sent: dict[str, Any], token: str | None) -> str:
    if sent.get("about"):
        return asking.about_maker(sent["about"])
    require_token(session, find_opt_out(session, sent["opt_out"]), token or auth.needed())
    return asking.about_opt_out(sent["opt_out"])


@section.get("/watches/<id:watch>", gives=WatchView, refuses=(401, 403, 404), doc=BEARER)
def watch(_: dict[str, Any], *, watch: str) -> Any:
    """How a watch stands, and what it told."""
    token = auth.needed()
    with runtime().sessions() as session:
        return telling.watch_view(session, asking.find_watch(session, watch_id=watch, token=token))


@section.post(
    "/watches/<id:watch>/end", gives=WatchEnded, status=200, refuses=(401, 403, 404, 409), doc=BEARER
)
def end(_: dict[str, Any], *, watch: str) -> Any:
    """End it: nothing more is sent, and nothing of it is kept."""
    token = auth.needed()

    def act(session: Session) -> Any:
        asking.end(session, [asking.find_watch(session, watch_id=watch, token=token).id])
        return {"id": watch, "state": "ended"}

    return once(act, WatchEnded, status=200)


@section.post("/watches/<id:watch>/end/<end_key:key>", gives=None, status=204, refuses=(404,))
def end_by_mail(_: dict[str, Any], *, watch: str, key: str) -> flask.Response:
    """What `List-Unsubscribe-Post` of every mail calls (RFC 8058): the key ends this watch and does nothing else."""
    here = runtime()
    with transaction(here.sessions) as session:
        asking.end_by_key(session, watch_id=watch, key=key, seal=here.seal)
    return flask.Response(status=204)
