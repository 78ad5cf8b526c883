"""What somebody learns who is not the one it is about: nothing."""

from __future__ import annotations

import hashlib
import json

from flask.testing import FlaskClient
from sqlalchemy import select

from registry.models import IdempotentAnswer
from registry.runtime import Runtime

CLAIM = json.dumps({"identity": "flickr:12345678@N00", "email": "jane@mail.example"})
KEY = {"Idempotency-Key": "1"}


def _claim(client: FlaskClient, address: str) -> dict[str, str]:
    answer = client.post(
        "/v1/claims",
        data=CLAIM,
        content_type="application/json",
        headers=KEY,
        environ_overrides={"REMOTE_ADDR": address},
    )
    assert answer.status_code == 201, answer.text
    made: dict[str, str] = answer.get_json()
    return made


def test_a_guessed_idempotency_key_gives_nobody_elses_token(client: FlaskClient) -> None:
    mine, theirs = _claim(client, "192.0.2.1"), _claim(client, "198.51.100.1")
    assert mine["token"] != theirs["token"]
    assert _claim(client, "192.0.2.1") == mine


def test_what_was_sent_under_a_key_cannot_be_guessed_from_the_database(
    client: FlaskClient, runtime: Runtime
) -> None:
    """Its plain digest would say, try by try, which mail address it held."""
    _claim(client, "192.0.2.1")
    with runtime.sessions() as session:
        kept = session.scalars(select(IdempotentAnswer.body_hash)).one()
    assert kept != hashlib.sha256(CLAIM.encode()).hexdigest()


def test_no_search_engine_lists_answers(client: FlaskClient) -> None:
    assert client.get("/v1/search?q=jane").headers["X-Robots-Tag"] == "noindex"
