"""The pages' forms as a browser behind a TLS proxy sends them: no Referer, an Origin of `null`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from api.app import create_app
from registry.runtime import open_runtime
from tests.api.clock import Clock
from tests.plugins.parts import copy_registry, settings_in

FORWARDED = {
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "byline.example.org",
    "X-Forwarded-For": "192.0.2.9",
}
BROWSER = {**FORWARDED, "Origin": "null", "Sec-Fetch-Site": "same-origin"}
IDENTITY = {"identity": "flickr:12345678@N00", "email": ""}


@pytest.fixture
def client(prepared: Path, tmp_path: Path) -> Iterator[FlaskClient]:
    """A browser that reached the registry by https."""
    folder = tmp_path / "data"
    copy_registry(prepared, folder)
    settings = settings_in(folder, public_url="https://byline.example.org", trusted_proxies=1)
    runtime = open_runtime(settings, clock=Clock())
    yield create_app(runtime).test_client()
    runtime.close()


def _token(client: FlaskClient) -> str:
    page = client.get("/this-is-me", base_url="https://byline.example.org", headers=FORWARDED)
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


def _send(client: FlaskClient, token: str, **headers: str) -> int:
    said = {**BROWSER, **{name.replace("_", "-"): value for name, value in headers.items()}}
    answer = client.post(
        "/this-is-me",
        data={**IDENTITY, "csrf_token": token},
        base_url="https://byline.example.org",
        headers=said,
    )
    return answer.status_code


def test_a_form_without_a_referer_is_taken(client: FlaskClient) -> None:
    assert _send(client, _token(client)) == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_from_another_site_is_refused(client: FlaskClient, site: str) -> None:
    assert _send(client, _token(client), Sec_Fetch_Site=site) == 400


def test_a_form_without_its_token_is_refused(client: FlaskClient) -> None:
    _token(client)
    assert _send(client, "") == 400


def test_the_cookie_goes_by_https_to_this_host_alone(client: FlaskClient) -> None:
    answer = client.get("/this-is-me", base_url="https://byline.example.org", headers=FORWARDED)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-byline=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
