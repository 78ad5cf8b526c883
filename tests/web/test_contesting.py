"""Each answer of a publisher's in plain words, and the person's answer to it."""

from __future__ import annotations

import secrets

import pytest
from sqlalchemy import select

from registry.contributors import claim as claims
from registry.database import transaction
from registry.models import Answer, Notice, NoticeEvent
from registry.optouts.answers import CONTESTABLE
from tests.web.looking import parse, words
from tests.web.world import World
from web.words import ANSWERED, STATES, TONES

MARK = "<img src=x onerror=alert(5)>"
CHOICES = {"categories": ["train-other"], "existing": "remove", "whom": "all"}


def opted_out(world: World) -> None:
    """Somebody with an opt-out in force, their key in the browser."""
    page = world.send(
        "/this-is-me", form="/this-is-me", identity="flickr:70000001@N01", email="me@example.org"
    )
    claim = parse(page.text).css_first("#key").text().strip().partition(".")[0]  # type: ignore[union-attr]
    with transaction(world.runtime.sessions) as session:
        claims.confirm(session, claim_id=claim, who="t", why="t", now=world.runtime.clock())
    world.send("/status/opt-out", form="/status", **CHOICES)
    world.settle()


def answered(world: World, state: str, reason: str | None = None) -> None:
    """What the publisher said of every notice."""
    with transaction(world.runtime.sessions) as session:
        for notice in session.scalars(select(Notice)):
            notice.state, notice.reason = state, reason


def contest(world: World, **changes: str) -> str:
    """Send the form of one line; what is read then."""
    (form, *_) = parse(world.page("/status")).css('form[action="/status/contest"]')
    fields = {str(one.attributes["name"]): one.attributes.get("value") or "" for one in form.css("input")}
    fields.pop("csrf_token")
    sent = world.send(
        "/status/contest", form="/status", **{**fields, "reason": f"I see it {MARK}", **changes}
    )
    return words(sent.text if sent.status_code == 200 else world.page("/status"))


@pytest.mark.parametrize("state", sorted(STATES.keys() - {"withdrawn", "publisher-not-approved"}))
def test_each_state_has_its_words_and_what_was_answered_its_form(world: World, state: str) -> None:
    opted_out(world)
    answered(world, state, f"we are a museum {MARK}")
    page = world.page("/status")
    said = words(page)
    assert STATES[state][1:] in said
    assert f"“ we are a museum {MARK} ”" in said
    assert bool(parse(page).css('form[action="/status/contest"]')) is (state in CONTESTABLE)


def test_the_words_know_every_state_that_can_be_contested() -> None:
    assert ANSWERED == CONTESTABLE
    assert TONES.keys() <= STATES.keys()


def test_disagreeing_is_kept_and_the_publisher_hears_of_it(world: World) -> None:
    opted_out(world)
    answered(world, "said-deleted")
    assert f"You disagreed; the publisher was told so You wrote: “ I see it {MARK} ”" in contest(world)
    with world.runtime.sessions() as session:
        kept = session.scalars(select(Answer)).one()
        assert (kept.by, kept.outcome, kept.reason) == ("person", "contested", f"I see it {MARK}")
        told = session.scalars(select(NoticeEvent).where(NoticeEvent.kind == "contested")).one()
        assert told.notice_id == kept.notice_id


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reason": "  "}, "say why"),
        ({"reason": "x" * 1001}, "too long"),
        ({"dataset": "lab/none"}, "That did not work"),
        ({"id": "0" * 32}, "That did not work"),
    ],
    ids=["nothing", "long", "dataset", "opt-out"],
)
def test_what_is_wrong_with_it_is_said(world: World, changes: dict[str, str], said: str) -> None:
    opted_out(world)
    answered(world, "exempt")
    assert said in contest(world, **changes)
    with world.runtime.sessions() as session:
        assert session.scalars(select(Answer)).all() == []


def test_nothing_is_contested_with_another_key(world: World) -> None:
    opted_out(world)
    answered(world, "exempt")
    with world.runtime.sessions() as session:
        notice = session.scalars(select(Notice)).first()
        assert notice is not None
        opt_out = notice.opt_out_id
    world.send("/status/close", form="/status")
    world.send(
        "/this-is-me",
        form="/this-is-me",
        identity="flickr:70000002@N01",
        email=f"{secrets.token_hex(4)}@example.org",
    )
    sent = world.send("/status/contest", form="/status", id=opt_out, dataset="lab/faces", reason="no")
    assert "That did not work" in words(sent.text)
    with world.runtime.sessions() as session:
        assert {one.state for one in session.scalars(select(Notice))} == {"exempt"}


def test_without_a_key_it_leads_to_the_door(world: World) -> None:
    answer = world.send("/status/contest", form="/status/open", id="x", dataset="lab/faces", reason="no")
    assert answer.headers["Location"] == "/status/open"
