"""Publishers and keys over REST."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import flask
import pytest
from flask.testing import FlaskClient

from byline.formats.keys import PrivateKey
from registry.runtime import Runtime
from tests.api.signing import Signer
from tests.api.streams import Endless


@pytest.fixture
def signer(client: FlaskClient, runtime: Runtime) -> Signer:
    return Signer(client, runtime.settings.origin, runtime.clock())


def test_a_publisher_registers_with_its_own_signature(signer: Signer) -> None:
    answer = signer.register()
    assert answer.status_code == 201
    assert answer.headers["Location"] == "/v1/publishers/ibm-research"
    shown = answer.get_json()
    assert shown["status"] == "self-declared"
    assert [key["key_id"] for key in shown["keys"]] == [signer.key.public.key_id]


def test_a_publisher_is_found_where_it_was_said_to_be(signer: Signer, client: FlaskClient) -> None:
    made = signer.register()
    assert client.get(made.headers["Location"]).get_json() == made.get_json()


def test_an_unknown_publisher_is_a_404(client: FlaskClient) -> None:
    assert client.get("/v1/publishers/nobody").status_code == 404


def test_a_changed_payload_is_not_believed(signer: Signer) -> None:
    envelope = json.loads(signer.publisher())
    other = json.loads(signer.publisher("Somebody Else"))
    envelope["payload"] = other["payload"]
    answer = signer.post("/v1/publishers", json.dumps(envelope).encode())
    assert answer.status_code == 403
    assert answer.get_json()["code"] == "bad-signature"


def test_a_slug_belongs_to_its_first_key(signer: Signer) -> None:
    signer.register()
    other = Signer(signer.client, signer.origin, signer.now)
    answer = other.register()
    assert answer.status_code == 409
    assert answer.get_json()["code"] == "slug-taken"


def test_a_standing_key_adds_another_and_the_view_says_so(signer: Signer) -> None:
    signer.register()
    second = PrivateKey.generate().public
    answer = signer.post("/v1/keys", signer.key_change("add", second.key_id, pem=second.to_pem()))
    assert answer.status_code == 201
    assert {key["key_id"] for key in answer.get_json()["keys"]} == {signer.key.public.key_id, second.key_id}


def test_an_envelope_for_another_registry_is_refused(signer: Signer) -> None:
    elsewhere = Signer(signer.client, "elsewhere.example", signer.now)
    answer = elsewhere.register()
    assert answer.status_code == 422
    assert answer.get_json()["code"] == "replayed-from-another-registry"
    assert answer.get_json()["at"] == "predicate.origin"


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"", "application/json", 400, "not-json"),
        (b"[" * 100_000, "application/json", 400, "too-deep"),
        (b'{"a":1,"a":2}', "application/json", 400, "duplicate-key"),
        (b"\xff\xfe", "application/json", 400, "not-utf8"),
        (b"{}", "application/json", 422, None),
        (b"null", "application/json", 422, None),
        (b"{}", "text/plain", 415, "unsupported-content-type"),
        (b"a=b", "application/x-www-form-urlencoded", 415, "unsupported-content-type"),
        (b"{}", "", 415, "unsupported-content-type"),
        (b" " * (3 << 20), "application/json", 413, "body-too-large"),
    ],
)
def test_what_is_no_envelope_is_told_so(
    client: FlaskClient, body: bytes, content_type: str, status: int, code: str | None
) -> None:
    answer = client.post("/v1/publishers", data=body, content_type=content_type)
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert code is None or answer.get_json()["code"] == code


def test_a_body_that_grows_past_the_limit_is_cut_off(client: FlaskClient) -> None:
    """No Content-Length: the server marks the stream as ended by itself (chunked)."""
    answer = client.post(
        "/v1/publishers",
        input_stream=Endless(),
        content_type="application/json",
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
    )
    assert answer.status_code == 413


def test_the_same_key_gives_the_same_answer_and_acts_once(signer: Signer) -> None:
    body = signer.publisher()
    first = signer.post("/v1/publishers", body, Idempotency_Key="abc")
    again = signer.post("/v1/publishers", body, Idempotency_Key="abc")
    assert (again.status_code, again.data, again.headers["Location"]) == (
        first.status_code, first.data, first.headers["Location"],
    )  # fmt: skip


def test_the_same_key_with_another_body_is_refused(signer: Signer) -> None:
    signer.post("/v1/publishers", signer.publisher(), Idempotency_Key="abc")
    answer = signer.post("/v1/publishers", signer.publisher("Another"), Idempotency_Key="abc")
    assert answer.status_code == 422
    assert answer.get_json()["code"] == "idempotency-key-reused"


def test_a_refused_act_leaves_its_key_free(signer: Signer) -> None:
    refused = signer.post("/v1/publishers", b"{}", Idempotency_Key="abc")
    assert refused.status_code == 422
    assert signer.post("/v1/publishers", signer.publisher(), Idempotency_Key="abc").status_code == 201


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "ü"])
def test_a_key_is_short_and_visible(signer: Signer, key: str) -> None:
    answer = signer.post("/v1/publishers", signer.publisher(), Idempotency_Key=key)
    assert answer.get_json()["code"] == "bad-header"


def test_two_at_once_under_one_key_act_once(signer: Signer, app: flask.Flask) -> None:
    body = signer.publisher()
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(
                lambda _: app.test_client().post(
                    "/v1/publishers",
                    data=body,
                    content_type="application/json",
                    headers={"Idempotency-Key": "k"},
                ),
                range(4),
            )
        )
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.data for answer in answers}) == 1
