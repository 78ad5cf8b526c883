"""Every error is an RFC 9457 problem and tells nothing of our insides."""

from __future__ import annotations

import logging

import flask
import pytest
from flask.testing import FlaskClient

from api.errors import flat
from byline.errors import BylineError, Conflict, NotFound, Refused, Unavailable, Untrusted
from registry.runtime import Runtime
from tests.plugins.parts import lose_database

ROOTS = [
    (Refused("some-code", "words", at="/x", details={"n": 1}), 422),
    (Untrusted("some-code", "words"), 403),
    (NotFound("some-code", "words"), 404),
    (Conflict("some-code", "words"), 409),
    (Unavailable("some-code", "words", retry_after=7), 503),
    (Refused("not-json", "words"), 400),
    (Refused("body-too-large", "words"), 413),
    (Refused("token-needed", "words"), 401),
]


@pytest.mark.parametrize(("error", "status"), ROOTS)
def test_each_root_has_its_status(app: flask.Flask, error: BylineError, status: int) -> None:
    def fail() -> str:
        raise error

    app.add_url_rule("/fail", view_func=fail)
    answer = app.test_client().get("/fail")
    shown = answer.get_json()
    assert answer.status_code == shown["status"] == status
    assert answer.mimetype == "application/problem+json"
    assert shown["type"] == f"urn:byline:error:{error.code}"
    assert shown["detail"] == "words"
    assert shown.get("at") == error.at
    assert shown.get("details") == error.details
    assert answer.headers["Cache-Control"] == "no-store"


def test_unavailable_says_when_to_return(app: flask.Flask) -> None:
    def fail() -> str:
        raise Unavailable("busy", "words", retry_after=7)

    app.add_url_rule("/fail", view_func=fail)
    assert app.test_client().get("/fail").headers["Retry-After"] == "7"


def test_a_missing_token_is_asked_for(app: flask.Flask) -> None:
    def fail() -> str:
        raise Refused("token-needed", "words")

    app.add_url_rule("/fail", view_func=fail)
    assert app.test_client().get("/fail").headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "error", [ValueError("secret path /x"), NotFound("no-such-object", "records/secret")]
)
def test_our_own_fault_is_500_and_says_nothing(
    app: flask.Flask, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> str:
        raise error

    app.add_url_rule("/fail", view_func=fail)
    with caplog.at_level(logging.ERROR, "byline.api"):
        answer = app.test_client().get("/fail?q=Jane+Doe")
    assert answer.status_code == 500
    assert answer.get_json()["type"] == "about:blank"
    assert "secret" not in answer.text
    assert "/fail" in caplog.text
    assert "Jane" not in caplog.text


def test_an_unknown_address_is_a_problem(client: FlaskClient) -> None:
    answer = client.get("/v1/nowhere")
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["type"] == "about:blank"


def test_a_wrong_method_names_the_right_ones(client: FlaskClient) -> None:
    answer = client.delete("/v1")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert answer.get_json()["code"] == "method-not-allowed"


@pytest.mark.parametrize("name", ["token", "access_token", "Token", "password"])
def test_a_token_in_an_address_is_refused(client: FlaskClient, name: str) -> None:
    answer = client.get(f"/v1?{name}=x")
    assert answer.status_code == 400
    assert answer.get_json()["code"] == "token-in-url"


def test_an_unknown_parameter_is_told(client: FlaskClient) -> None:
    answer = client.get("/v1?colour=red")
    assert answer.status_code == 422
    assert answer.get_json()["code"] == "wrong-shape"
    assert answer.get_json()["errors"] == [{"at": "/colour", "message": "Unknown field."}]


def test_a_parameter_given_twice_is_refused(client: FlaskClient) -> None:
    assert client.get("/v1?a=1&a=2").get_json()["code"] == "repeated-parameter"


def test_nul_in_a_query_is_refused(client: FlaskClient) -> None:
    assert client.get("/v1?a=%00").get_json()["code"] == "unstorable-text"


def test_nested_messages_become_places() -> None:
    messages = {"json": {"claims": {0: {"id": ["Missing data."]}}, "email": ["Too long.", "Odd."]}}
    assert list(flat(messages)) == [
        {"at": "/claims/0/id", "message": "Missing data."},
        {"at": "/email", "message": "Too long."},
        {"at": "/email", "message": "Odd."},
    ]


def test_a_database_that_is_gone_makes_it_unready(client: FlaskClient, runtime: Runtime) -> None:
    runtime.engine.dispose()
    lose_database(runtime.settings)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["code"] == "not-ready"
    assert "sqlite" not in answer.text.lower()


def test_a_failure_is_logged_by_route_and_without_the_address(
    app: flask.Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """`/confirm/TOKEN` is an address with a secret in it."""
    monkeypatch.setitem(app.view_functions, "web.confirm_door", lambda token: {}[token[:0]])
    answer = app.test_client().get("/confirm/a-secret-that-confirms")
    assert answer.status_code == 500
    assert "GET /confirm/<token> failed" in caplog.text
    assert "a-secret-that-confirms" not in caplog.text
