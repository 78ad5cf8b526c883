"""No form is taken without the token of a page of ours."""

from __future__ import annotations

import re

import flask
import pytest

from api.app import bare_app
from tests.web.world import World

POSTS = sorted(
    re.sub(r"<int:\w+>", "1", rule.rule)
    for rule in bare_app().url_map.iter_rules()
    if rule.endpoint.startswith("web.") and "POST" in (rule.methods or ())
)


def test_there_are_forms() -> None:
    assert len(POSTS) >= 7


@pytest.mark.parametrize("address", POSTS)
def test_without_its_token(seen: World, address: str) -> None:
    answer = seen.client.post(address, data={"identity": "flickr:70000001@N01"})
    assert answer.status_code == 400
    assert "Once more, please" in answer.text


@pytest.mark.parametrize("address", POSTS)
def test_with_somebody_elses_token(seen: World, address: str) -> None:
    answer = seen.client.post(address, data={"csrf_token": "IjAi.aaaa.bbbb"})
    assert answer.status_code == 400


def test_pages_change_nothing_when_they_are_looked_at() -> None:
    app: flask.Flask = bare_app()
    both = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("web.") and {"GET", "POST"} <= (rule.methods or set())
    ]
    assert both == []


def test_every_form_that_writes_has_a_budget(seen: World) -> None:
    app = seen.client.application
    free = {"web.status_close"}  # it forgets a cookie, and asks nothing of us
    forms = {rule.endpoint for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())}
    ours = {name for name in forms if name.startswith("web.")} - free
    assert {name for name in ours if getattr(app.view_functions[name], "budget", None) != "write"} == set()
