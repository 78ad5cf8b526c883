"""The mailed link's page: it says what would be confirmed, and confirms nothing by being opened."""

from __future__ import annotations

import re

from flask.testing import FlaskClient

from registry.runtime import Runtime
from registry.worker import Worker
from tests.api.world import STATIC


def _mailed_link(client: FlaskClient, runtime: Runtime) -> tuple[dict[str, str], str]:
    made = client.post("/v1/opt-outs", json={"selectors": [STATIC], "email": "jane@mail.example"})
    assert made.status_code == 201, made.text
    Worker(runtime).settle()
    [mail] = (runtime.settings.data_dir / "mail").iterdir()
    found = re.search(r"/confirm/[A-Za-z0-9_-]+", mail.read_text().replace("=\n", ""))
    assert found
    return made.get_json(), found[0]


def test_a_scanner_that_opens_the_link_confirms_nothing(client: FlaskClient, runtime: Runtime) -> None:
    made, link = _mailed_link(client, runtime)
    page = client.get(link)
    assert "flickr:3072908271" in page.text
    assert client.get(f"/v1/opt-outs/{made['id']}").get_json()["state"] == "awaiting-mail"


def test_a_link_that_is_none_has_no_button(client: FlaskClient) -> None:
    page = client.get("/confirm/abcdefghijkl")
    assert page.status_code == 422
    assert "<button" not in page.text


def test_the_mailed_link_leads_to_us_whatever_host_was_asked_for(
    client: FlaskClient, runtime: Runtime
) -> None:
    asked = {"selectors": [STATIC], "email": "jane@mail.example"}
    made = client.post("/v1/opt-outs", json=asked, headers={"Host": "evil.example"})
    assert made.status_code == 201
    Worker(runtime).settle()
    [mail] = (runtime.settings.data_dir / "mail").iterdir()
    text = mail.read_text().replace("=\n", "")
    assert f"{runtime.settings.public_url}/confirm/" in text
    assert "evil" not in text
