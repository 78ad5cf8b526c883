"""openapi.yaml is what the app writes, it is valid, and its viewer asks nobody else for anything."""

from __future__ import annotations

import re
from pathlib import Path

import flask
import yaml
from flask.testing import FlaskClient
from openapi_spec_validator import validate

from api.app import bare_app
from api.description import as_yaml, document


def test_the_committed_description_is_what_the_app_writes(root: Path) -> None:
    assert (root / "openapi.yaml").read_text(encoding="utf-8") == as_yaml(bare_app()), "run `make openapi`"


def test_the_description_is_valid_openapi() -> None:
    found = document(bare_app())
    assert found["openapi"].startswith("3.1")
    validate(found)


def test_every_route_of_the_api_is_described(app: flask.Flask) -> None:
    described = set(document(app)["paths"])
    rules = {
        re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(("/v1", "/feed", "/log"))
    }
    assert rules == {path for path in described if path.startswith(("/v1", "/feed", "/log"))}


def test_every_operation_says_what_it_does_and_how_it_fails() -> None:
    for path, item in document(bare_app())["paths"].items():
        for method in ("get", "post", "put"):
            if operation := item.get(method):
                assert operation["summary"], path
                assert "422" in operation["responses"], path


def test_the_description_is_served(client: FlaskClient) -> None:
    answer = client.get("/openapi.yaml")
    assert answer.mimetype == "application/yaml"
    assert yaml.safe_load(answer.text)["openapi"] == "3.1.0"


def test_the_viewer_is_whole_without_anybody_else(client: FlaskClient) -> None:
    page = client.get("/docs").text
    named = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert all(address.startswith("/") for address in named)
    assert [client.get(address).status_code for address in named] == [200] * len(named)


def test_the_viewer_runs_under_a_strict_policy(client: FlaskClient) -> None:
    page = client.get("/docs")
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert "<script>" not in page.text
    assert " style=" not in page.text


def test_only_named_files_of_the_viewer_are_served(client: FlaskClient) -> None:
    assert client.get("/docs/LICENSE").status_code == 404
    assert client.get("/docs/..%2f__init__.py").status_code == 404
