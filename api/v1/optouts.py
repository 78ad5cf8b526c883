"""One opt-out for every dataset of today and of tomorrow. Nobody but its maker learns of it here."""

from __future__ import annotations

import secrets
from typing import Any

import flask
import marshmallow as ma
from sqlalchemy.orm import Session

from api import auth
from api.once import once
from api.schemas import DatasetRef, Flag, HexId, Strict, Text, When
from api.section import BYTES, Section, runtime
from api.v1.shapes import SelectorOut
from byline.formats.categories import ALL_USES, labels
from registry.optouts import request as requests
from registry.optouts import status as statuses
from registry.publishing.evidence import evidence_zip

RELATIONS = ("maker", "pictured", "for-someone-else")

section = Section("opt-outs", "One wish for every dataset")


class ClaimRef(Strict):
    """A claim and the secret that acts for it."""

    id = HexId(required=True)
    token = Text(200, required=True)


class OptOutIn(Strict):
    """What is pointed at (claims, or links and ids with a mail address), and what is asked."""

    claims = ma.fields.List(
        ma.fields.Nested(ClaimRef), load_default=list, validate=ma.validate.Length(max=100)
    )
    selectors = ma.fields.List(Text(8192), load_default=list, validate=ma.validate.Length(max=1000))
    email = Text(254, load_default=None, allow_none=True, least=0)
    relation = ma.fields.String(load_default="maker", validate=ma.validate.OneOf(RELATIONS))
    categories = ma.fields.List(
        Text(100), load_default=lambda: labels(ALL_USES), validate=ma.validate.Length(max=20)
    )
    remove_existing = Flag(load_default=True)
    datasets = ma.fields.List(DatasetRef(), load_default=list, validate=ma.validate.Length(max=1000))
    publisher_only = Flag(load_default=False)
    listed = Flag(
        load_default=False,
        metadata={"description": "The owner of a host lets the public feed name it"},
    )


class OptOutMade(Strict):
    """`token` is there where no claim's token opens it."""

    id = ma.fields.String(required=True)
    state = ma.fields.String(required=True)
    assurance = ma.fields.String()
    token = ma.fields.String(allow_none=True)


class OptOutState(Strict):
    """Where it stands."""

    id = ma.fields.String(required=True)
    state = ma.fields.String(required=True)


class OptOutWithdrawn(OptOutState):
    """It is taken back."""

    receipt = ma.fields.String(
        allow_none=True,
        metadata={"description": "Where the proof that it stands in the log will be, a second later"},
    )


class EvidenceOut(Strict):
    """The version that no longer names them, and when the registry saw it."""

    version = ma.fields.String(required=True)
    seen_at = When(required=True)


class AnswerOut(Strict):
    """What was said of it: by the publisher, by the person who contests it, by the registry that looked."""

    by = ma.fields.String(required=True, validate=ma.validate.OneOf(("publisher", "registry", "person")))
    outcome = ma.fields.String(required=True)
    reason = ma.fields.String(allow_none=True)
    version = ma.fields.String(allow_none=True)
    at = When(required=True)


class Reached(Strict):
    """What became of it in one dataset."""

    dataset = ma.fields.String(required=True)
    versions = ma.fields.List(ma.fields.String())
    records = ma.fields.Integer()
    state = ma.fields.String()
    assurance = ma.fields.String(allow_none=True)
    observed = ma.fields.Boolean()
    parent = ma.fields.String(
        allow_none=True,
        metadata={
            "description": "Asked by lineage: no row matched, but its publisher says it was made from this dataset, "
            "where rows did; null where rows matched here"
        },
    )
    sent_at = When(allow_none=True)
    answer_by = When(allow_none=True)
    reason = ma.fields.String(allow_none=True, metadata={"description": "What was said with the last answer"})
    evidence = ma.fields.Nested(EvidenceOut, allow_none=True)
    answers = ma.fields.List(ma.fields.Nested(AnswerOut))
    by = ma.fields.List(ma.fields.String(), metadata={"description": "The manifests on whose word it stands"})


class OptOutStatus(OptOutState):
    """With its token everything; without, datasets and dates."""

    assurance = ma.fields.String()
    relation = ma.fields.String()
    selectors = ma.fields.List(ma.fields.Nested(SelectorOut))
    categories = ma.fields.List(ma.fields.String())
    remove_existing = ma.fields.Boolean()
    publisher_only = ma.fields.Boolean()
    made_at = When()
    in_force_at = When(allow_none=True)
    withdrawn_at = When(allow_none=True)
    datasets = ma.fields.List(ma.fields.Nested(Reached), required=True)
    feed_seq = ma.fields.Integer(allow_none=True)
    receipt = ma.fields.Raw(allow_none=True)


class MailToken(Strict):
    """What the mailed link carries."""

    token = Text(200, required=True)


@section.post("/opt-outs", body=OptOutIn, gives=OptOutMade, refuses=(403, 404, 409, 413, 415))
def make_opt_out(_: dict[str, Any], sent: dict[str, Any]) -> Any:
    """Opt out by claims, or by links (then a mail is sent, and confirming it brings it into force)."""
    here = runtime()

    def act(session: Session) -> Any:
        return requests.make_opt_out(
            session,
            **sent,
            seal=here.seal,
            settings=here.settings,
            now=here.clock(),
            token_bytes=secrets.token_bytes,
        )

    return once(act, OptOutMade, headers=lambda made: {"Location": f"/v1/opt-outs/{made['id']}"})


@section.post(
    "/opt-outs/confirm", body=MailToken, gives=OptOutState, status=200, refuses=(403, 404, 409, 413, 415)
)
def confirm(_: dict[str, Any], sent: dict[str, Any]) -> Any:
    """Confirm by the token of the mail; it works once."""
    here = runtime()
    return once(
        lambda session: requests.confirm_by_mail(session, token=sent["token"], now=here.clock()),
        OptOutState,
        status=200,
    )


@section.get(
    "/opt-outs/<id:opt_out>", gives=OptOutStatus, refuses=(403, 404), doc={"security": [{}, {"bearer": []}]}
)
def opt_out(_: dict[str, Any], *, opt_out: str) -> Any:
    """What became of it: its own token or a claim's shows everything."""
    token = auth.bearer()
    with runtime().sessions() as session:
        return statuses.status(session, opt_out_id=opt_out, token=token)


@section.get(
    "/opt-outs/<id:opt_out>/evidence", gives=BYTES, content_type="application/zip", budget="lookup",
    refuses=(401, 403, 404), doc={"security": [{"bearer": []}]},
)  # fmt: skip
def evidence(_: dict[str, Any], *, opt_out: str) -> flask.Response:
    """All that it can show in one zip, to print or to hand to a lawyer: wish, receipts, manifests, notices, answers."""
    here, token = runtime(), auth.needed()
    with here.sessions() as session:
        data = evidence_zip(
            session, store=here.store, settings=here.settings, vkey=here.vkey, opt_out_id=opt_out, token=token
        )
    response = flask.Response(data, content_type="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="opt-out-{opt_out[:8]}.zip"'
    return response


@section.post(
    "/opt-outs/<id:opt_out>/withdraw", gives=OptOutWithdrawn, status=200, refuses=(401, 403, 404, 409),
    doc={"security": [{"bearer": []}]},
)  # fmt: skip
def withdraw(_: dict[str, Any], *, opt_out: str) -> Any:
    """Take it back."""
    here, token = runtime(), auth.needed()
    return once(
        lambda session: requests.withdraw(session, opt_out_id=opt_out, token=token, now=here.clock()),
        OptOutWithdrawn,
        status=200,
    )
