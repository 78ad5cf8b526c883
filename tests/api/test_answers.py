"""What every answer has in common: ETag, gzip, CORS, HEAD, security and budget headers."""

from __future__ import annotations

import dataclasses
import gzip
import json

import flask
import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import Headers

from api.app import create_app
from registry.runtime import Runtime


def test_a_read_carries_a_weak_etag_and_304_follows(client: FlaskClient) -> None:
    tag = client.get("/v1").headers["ETag"]
    assert tag.startswith('W/"')
    again = client.get("/v1", headers={"If-None-Match": tag})
    assert again.status_code == 304
    assert again.data == b""


def test_another_etag_gets_the_whole_answer(client: FlaskClient) -> None:
    assert client.get("/v1", headers={"If-None-Match": '"other"'}).status_code == 200


def test_head_has_the_headers_and_no_body(client: FlaskClient) -> None:
    answer = client.head("/v1")
    assert answer.status_code == 200
    assert answer.data == b""
    assert answer.headers["ETag"] == client.get("/v1").headers["ETag"]


def test_a_long_read_is_packed_for_who_asks(client: FlaskClient) -> None:
    answer = client.get("/v1", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert json.loads(gzip.decompress(answer.data)) == client.get("/v1").get_json()


def test_nothing_is_packed_beside_a_token(client: FlaskClient) -> None:
    answer = client.get("/v1", headers={"Accept-Encoding": "gzip", "Authorization": "Bearer 0123456789"})
    assert "Content-Encoding" not in answer.headers


def test_what_came_with_a_token_is_not_kept_by_anybody(client: FlaskClient) -> None:
    answer = client.get("/v1", headers={"Authorization": "Bearer 0123456789"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers


def test_any_page_may_read_what_is_public(client: FlaskClient) -> None:
    answer = client.get("/v1", headers={"Origin": "https://elsewhere.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers


def preflight(client: FlaskClient, method: str, headers: str) -> Headers:
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    return client.options("/v1", headers={"Origin": "https://elsewhere.example", **asked}).headers


def test_a_page_may_ask_for_changes_only(client: FlaskClient) -> None:
    assert "If-None-Match" in preflight(client, "GET", "if-none-match")["Access-Control-Allow-Headers"]


def test_no_page_may_read_with_a_token(client: FlaskClient) -> None:
    allowed = preflight(client, "GET", "authorization")["Access-Control-Allow-Headers"]
    assert "authorization" not in allowed.lower()


def test_no_page_elsewhere_may_write(client: FlaskClient) -> None:
    assert "Access-Control-Allow-Origin" not in preflight(client, "POST", "content-type")


@pytest.mark.parametrize("path", ["/v1", "/nowhere", "/docs", "/openapi.yaml", "/metrics"])
def test_every_answer_is_protected(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


@pytest.fixture
def strict_app(runtime: Runtime) -> flask.Flask:
    return create_app(
        dataclasses.replace(runtime, settings=dataclasses.replace(runtime.settings, budget_read="2/minute"))
    )


def test_the_budget_is_told(strict_app: flask.Flask) -> None:
    headers = strict_app.test_client().get("/v1").headers
    assert headers["RateLimit-Policy"] == '"read";q=2;w=60'
    assert headers["RateLimit"].startswith('"read";r=1;t=')


def test_past_the_budget_comes_429_and_when_to_return(strict_app: flask.Flask) -> None:
    client = strict_app.test_client()
    answers = [client.get("/v1") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].get_json()["code"] == "too-many-requests"
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 61
    assert answers[2].headers["RateLimit"].startswith('"read";r=0;t=')


def test_addresses_of_one_ipv6_network_share_a_budget(strict_app: flask.Flask) -> None:
    client = strict_app.test_client()
    seen = [
        client.get("/v1", environ_base={"REMOTE_ADDR": f"2001:db8::{number}"}).status_code
        for number in range(3)
    ]
    assert seen == [200, 200, 429]
    assert client.get("/v1", environ_base={"REMOTE_ADDR": "2001:db8:0:1::1"}).status_code == 200


def test_forwarded_addresses_are_believed_only_behind_a_proxy(strict_app: flask.Flask) -> None:
    client = strict_app.test_client()
    seen = [client.get("/v1", headers={"X-Forwarded-For": f"192.0.2.{n}"}).status_code for n in range(3)]
    assert seen[2] == 429


def test_behind_one_proxy_the_forwarded_address_counts(runtime: Runtime) -> None:
    settings = dataclasses.replace(runtime.settings, budget_read="2/minute", trusted_proxies=1)
    client = create_app(dataclasses.replace(runtime, settings=settings)).test_client()
    seen = [client.get("/v1", headers={"X-Forwarded-For": f"192.0.2.{n}"}).status_code for n in range(3)]
    assert seen == [200, 200, 200]


def test_a_lost_person_gets_a_page_and_a_program_a_problem(client: FlaskClient) -> None:
    page = client.get("/nowhere", headers={"Accept": "text/html,*/*;q=0.1"})
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert client.get("/nowhere", headers={"Accept": "*/*"}).mimetype == "application/problem+json"
    assert client.get("/v1/nowhere", headers={"Accept": "text/html"}).mimetype == "application/problem+json"


def test_a_search_page_costs_what_a_search_costs(runtime: Runtime) -> None:
    settings = dataclasses.replace(runtime.settings, budget_lookup="1/minute")
    client = create_app(dataclasses.replace(runtime, settings=settings)).test_client()
    assert client.get("/v1/search?q=x").status_code == 200
    page = client.get("/search?q=x", headers={"Accept": "text/html"})
    assert (page.status_code, page.mimetype) == (429, "text/html")
    assert "Retry-After" in page.headers
