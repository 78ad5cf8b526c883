"""A POST that may be sent twice: the act and its answer are kept in one transaction.

Source: draft-ietf-httpapi-idempotency-key-header.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

import flask
import marshmallow as ma
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.limits import caller
from api.section import runtime
from byline.errors import Conflict, Refused
from registry.database import transaction
from registry.models import IdempotentAnswer
from registry.optouts.lapse import ANSWERS_KEPT

_KEY = re.compile(r"[!-~]{1,200}")


def once(
    act: Callable[[Session], Any],
    gives: type[ma.Schema],
    *,
    status: int = 201,
    headers: Callable[[Any], Mapping[str, str]] | None = None,
) -> flask.Response:
    """Do `act` in one transaction and answer with its result; a repeated key gets the first answer.

    Refused("idempotency-key-reused") for the same key with another body; Conflict("idempotency-key-in-use")
    while the first is still being answered. A refused act leaves nothing behind: its key may be used again.
    """
    here = runtime()
    key, body = _key_hash(), _body_hash()
    with transaction(here.sessions) as session:
        if key is not None and (kept := _kept(session, key, body, here.clock())) is not None:
            return _answer(here.seal.open(kept.sealed_body), kept.status, kept.headers)
        result = act(session)
        text = flask.json.dumps(gives().dump(result))
        sent = dict(headers(result)) if headers else {}
        if key is not None:
            session.flush()
            _keep(
                session,
                IdempotentAnswer(
                    key_hash=key, body_hash=body, status=status, headers=sent,
                    sealed_body=here.seal.seal(text), made_at=here.clock(),
                ),
            )  # fmt: skip
    return _answer(text, status, sent)


def _keep(session: Session, answer: IdempotentAnswer) -> None:
    session.add(answer)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(
            "idempotency-key-in-use", "The first request under this key is still being answered."
        ) from None


def _kept(session: Session, key: str, body: str, now: dt.datetime) -> IdempotentAnswer | None:
    session.execute(delete(IdempotentAnswer).where(IdempotentAnswer.made_at < now - ANSWERS_KEPT))
    kept = session.get(IdempotentAnswer, key)
    if kept is not None and kept.body_hash != body:
        raise Refused("idempotency-key-reused", "This Idempotency-Key came with another body before.")
    return kept


def _key_hash() -> str | None:
    """Digest of key, path, credential and caller: a key is its caller's own, and is not kept as it came.

    Without the caller, whoever says the same words under the same poor key ("1") is given another's token.
    """
    request = flask.request
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise Refused(
            "bad-header", "An Idempotency-Key has 1 to 200 visible ASCII characters.", at="Idempotency-Key"
        )
    return runtime().seal.digest(
        "\n".join(("idempotency", key, request.path, request.headers.get("Authorization", ""), caller()))
    )


def _body_hash() -> str:
    """Keyed: a plain digest of a body would say, to who has the database, which mail address it held."""
    sent = hashlib.sha256(flask.request.get_data(cache=True)).hexdigest()
    return runtime().seal.digest(f"idempotent body\n{sent}")


def _answer(text: str, status: int, headers: Mapping[str, str]) -> flask.Response:
    response = flask.Response(text + "\n", status, content_type="application/json")
    response.headers.update(headers)
    return response
