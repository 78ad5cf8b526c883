"""What publishers are asked, read by a request they sign; and what they say they did."""

from __future__ import annotations

import secrets
from typing import Any

import marshmallow as ma
from sqlalchemy.orm import Session

from api import auth
from api.body import bounded
from api.once import once
from api.schemas import Strict, Text, When
from api.section import Section, runtime
from api.signed import signed_by
from api.v1.envelopes import ENVELOPE_DOC, sent_envelope
from registry.database import transaction
from registry.optouts import answers, inbox, webhooks
from registry.publishing import outcomes

section = Section("notices", "What publishers are asked, and what they answer")

SIGNED: dict[str, Any] = {
    "parameters": [
        {
            "in": "header",
            "name": name,
            "required": True,
            "schema": {"type": "string"},
            "description": "RFC 9421",
        }
        for name in ("Signature-Input", "Signature")
    ]
}
_LONGEST = 16 << 10


class Page(Strict):
    """Which events: those after number `after`, at most `limit`."""

    after = ma.fields.Integer(load_default=0, validate=ma.validate.Range(0, 2**53))
    limit = ma.fields.Integer(load_default=100, validate=ma.validate.Range(1, inbox.MOST))


class Event(Strict):
    """What happened to a notice, and how it stands now."""

    seq = ma.fields.Integer(required=True)
    kind = ma.fields.String(required=True)
    made_at = When()
    notice = ma.fields.Dict(required=True)


class Inbox(Strict):
    """A page of events; ask for those after `next` to say that these arrived."""

    items = ma.fields.List(ma.fields.Nested(Event), required=True)
    next = ma.fields.Integer(required=True)
    last = ma.fields.Integer(required=True)
    outcomes_head = ma.fields.String(allow_none=True)


class Taken(Strict):
    """An outcome statement that was taken."""

    digest = ma.fields.String(required=True)
    publisher = ma.fields.String(required=True)
    taken = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer())


class WebhookIn(Strict):
    """Where to tell you; null for nowhere."""

    url = Text(2000, required=True, allow_none=True)


class Webhook(Strict):
    """How a webhook does."""

    url = ma.fields.String(allow_none=True)
    error = ma.fields.String(allow_none=True)
    failing_since = When(allow_none=True)
    waiting = ma.fields.Integer()
    delivered_to = ma.fields.Integer()
    secret = ma.fields.String(
        metadata={"description": "whsec_…, as Standard Webhooks signs with it. Shown this once"}
    )


class ContestIn(Strict):
    """Why the answer is wrong."""

    dataset = Text(200, required=True)
    reason = Text(1000, required=True)


@section.get("/notices", query=Page, gives=Inbox, refuses=(403,), doc=SIGNED)
def notices(query: dict[str, Any]) -> Any:
    """Read the notices of the publisher that signed this request; asking after an event acknowledges it."""
    here = runtime()
    with transaction(here.sessions) as session:
        by = signed_by(session)
        found = inbox.read_inbox(
            session, publisher_id=by.publisher_id, after=query["after"], limit=query["limit"], proof=by.proof,
            now=here.clock(),
        )  # fmt: skip
        return {**found, "outcomes_head": outcomes.last_outcomes(session, by.slug)}


@section.post("/outcomes", gives=Taken, refuses=(403, 409, 413, 415), doc=ENVELOPE_DOC)
def report(_: dict[str, Any]) -> Any:
    """Say what was done about up to 10,000 notices: a `urn:byline:outcome:v1` statement."""
    here, envelope = runtime(), sent_envelope()

    def act(session: Session) -> Any:
        return outcomes.report_outcomes(session, envelope=envelope, settings=here.settings, now=here.clock())

    return once(act, Taken)


@section.get("/webhooks", gives=Webhook, refuses=(403,), doc=SIGNED)
def webhook(_: dict[str, Any]) -> Any:
    """How the webhook of the publisher that signed this request does."""
    with runtime().sessions() as session:
        return webhooks.webhook_view(session, publisher_id=signed_by(session).publisher_id)


@section.post(
    "/webhooks",
    body=WebhookIn,
    gives=Webhook,
    refuses=(403, 404, 413, 415, 503),
    doc=SIGNED,
)
def set_webhook(_: dict[str, Any], sent: dict[str, Any]) -> Any:
    """Be told by Standard Webhooks when something waits; or, with null, no more."""
    here, body, url = runtime(), bounded(_LONGEST), sent["url"]
    with here.sessions() as session:  # nobody makes the registry look up a name unsigned
        by = signed_by(session, body=body)
    if url is not None:
        here.egress.check(url)

    def act(session: Session) -> Any:
        if url is None:
            return webhooks.drop_webhook(session, publisher_id=by.publisher_id)
        return webhooks.set_webhook(
            session, publisher_id=by.publisher_id, url=url, seal=here.seal, now=here.clock(),
            token_bytes=secrets.token_bytes,
        )  # fmt: skip

    return once(act, Webhook)


@section.post(
    "/opt-outs/<id:opt_out>/contest",
    body=ContestIn,
    gives=None,
    status=204,
    refuses=(401, 403, 404, 409, 413, 415),
    doc={"security": [{"bearer": []}]},
)
def contest(_: dict[str, Any], sent: dict[str, Any], *, opt_out: str) -> Any:
    """Say that a publisher's answer is not so; by the opt-out's token."""
    here, token = runtime(), auth.needed()
    with transaction(here.sessions) as session:
        answers.contest(
            session,
            opt_out_id=opt_out,
            token=token,
            dataset=sent["dataset"],
            reason=sent["reason"],
            now=here.clock(),
        )
    return None
