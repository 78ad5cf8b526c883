"""When it did not work, a person reads a page."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from registry.database import transaction
from tests.web.looking import words
from tests.web.world import World

AS_A_PERSON = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    "address",
    [
        "/nowhere",
        "/datasets/lab/none",
        "/datasets/lab",
        "/datasets/lab/faces/9.9.9",
        "/datasets/lab/faces/1.0.0/more",
        "/publishers/nobody",
        "/makers/0123456789abcdef",
        "/makers/0123456789abcdef/records?dataset=lab/faces",
        "/this-is-me?contributor=0123456789abcdef",
        "/in-a-picture/letter?dataset=lab/none",
        "/in-a-picture/letter",
    ],
)
def test_what_is_not_there_is_told_on_a_page(seen: World, address: str) -> None:
    answer = seen.client.get(address, headers=AS_A_PERSON)
    assert answer.status_code == 404
    assert answer.content_type.startswith("text/html")
    assert "Nothing there" in words(answer.text)
    assert "noindex" in answer.text
    assert "Content-Security-Policy" in answer.headers


def test_hostile_text_in_an_address_is_text(seen: World) -> None:
    answer = seen.client.get("/datasets/lab/<script>alert(1)</script>", headers=AS_A_PERSON)
    assert answer.status_code == 404
    assert "<script>alert" not in answer.text


def test_a_page_that_only_takes_forms_says_so(seen: World) -> None:
    answer = seen.client.get("/status/opt-out", headers=AS_A_PERSON)
    assert answer.status_code == 405
    assert "opened by its form" in words(answer.text)


def test_a_broken_registry_says_so_and_nothing_of_its_insides(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with transaction(world.runtime.sessions) as session:
        session.execute(text("DROP TABLE claim"))
    sent = world.send("/this-is-me", form="/this-is-me", identity="flickr:70000001@N01", email="")
    assert sent.status_code == 500
    assert "Our mistake" in words(sent.text)
    assert "claim" not in words(sent.text)
    assert "no such table" not in sent.text
    assert [record for record in caplog.records if record.exc_info]


def test_a_cursor_of_somebody_else_is_refused_in_words(seen: World) -> None:
    answer = seen.client.get("/datasets?cursor=nonsense", headers=AS_A_PERSON)
    assert answer.status_code == 400
    assert "begin without one" in words(answer.text)
