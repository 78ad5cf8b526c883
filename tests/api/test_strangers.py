"""What somebody learns who is not the one it is about: nothing."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from api.app import create_app
from registry.config import Settings
from registry.models import IdempotentAnswer
from registry.runtime import Runtime, open_runtime
from tests.api.clock import Clock

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


@pytest.fixture
def public(prepared: Path, tmp_path: Path) -> Iterator[FlaskClient]:
    """A registry of the world's."""
    folder = tmp_path / "data"
    shutil.copytree(prepared, folder)
    (folder / "privacy.txt").write_text("What is kept, and for how long.")
    settings = Settings(
        data_dir=folder,
        origin="byline.example.org",
        operator_name="Byline Foundation",
        operator_contact="mailto:desk@byline.example.org",
        privacy_file=str(folder / "privacy.txt"),
    )
    here = open_runtime(settings, clock=Clock())
    yield create_app(here).test_client()
    here.close()


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("10.1.2.3", {}, 200),
        ("203.0.114.9", {}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "10.0.0.1"}, 404),
    ],
)
def test_counters_are_for_the_operators_own_network(
    public: FlaskClient, address: str, headers: dict[str, str], status: int
) -> None:
    """By the second they would tell when somebody opted out."""
    answer = public.get("/metrics", headers=headers, environ_overrides={"REMOTE_ADDR": address})
    assert answer.status_code == status


def test_what_was_typed_comes_back_as_text(client: FlaskClient) -> None:
    page = client.get("/search", query_string={"q": "<script>alert(1)</script>"})
    assert "&lt;script&gt;alert(1)" in page.text
    assert "<script>alert" not in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
