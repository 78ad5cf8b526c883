"""What the registry says of itself, and whether it works."""

from __future__ import annotations

from flask.testing import FlaskClient

from registry.runtime import Runtime


def test_the_registry_names_itself_and_its_key(client: FlaskClient, runtime: Runtime) -> None:
    answer = client.get("/v1").get_json()
    assert answer["origin"] == runtime.settings.origin
    assert answer["vkey"] == runtime.vkey
    assert answer["policy"] == "open"
    assert answer["feed_seq"] is None
    assert "byline" in answer["vocabularies"]["categories"]


def test_the_vkey_is_one_line_of_text(client: FlaskClient, runtime: Runtime) -> None:
    answer = client.get("/log/vkey")
    assert answer.mimetype == "text/plain"
    assert answer.text == runtime.vkey + "\n"


def test_health_needs_nothing(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json() == {"status": "ok"}


def test_readiness_asks_database_and_store(client: FlaskClient) -> None:
    assert client.get("/readyz").get_json() == {"status": "ready"}


def test_metrics_count_by_route(client: FlaskClient) -> None:
    client.get("/v1")
    assert (
        'byline_http_requests_total{method="GET",route="/v1",status="200"} 1.0' in client.get("/metrics").text
    )
