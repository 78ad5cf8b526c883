"""The operator's queue: who gets in, what waits there, and what each decision leaves behind."""

from __future__ import annotations

import dataclasses
import datetime as dt
import secrets

import pytest
from sqlalchemy import select

from api.app import create_app
from registry.contributors import claim as claims
from registry.database import transaction
from registry.models import Claim, OperatorAct, Publisher, Report
from registry.operators import signing_in
from tests.api.clock import Clock
from tests.web.looking import parse, words
from tests.web.world import World

MARK = "<img src=x onerror=alert(9)>"
INSIDE = ("/operator/trail", "/operator/claims/00")


def code(world: World, who: str = "ada") -> str:
    """As `byline-registry operator sign-in` gives it."""
    with transaction(world.runtime.sessions) as session:
        return signing_in.give_code(
            session, who=who, now=world.runtime.clock(), token_urlsafe=lambda: secrets.token_urlsafe(32)
        )


def sign_in(world: World) -> None:
    answer = world.send("/operator", form="/operator", code=code(world))
    assert answer.status_code == 303, answer.text


def later(world: World, **by: int) -> None:
    """Turn the clock."""
    assert isinstance(world.runtime.clock, Clock)
    world.runtime.clock.now += dt.timedelta(**by)


def waiting_claim(world: World, identity: str = "flickr:70000001@N01") -> str:
    with transaction(world.runtime.sessions) as session:
        made = claims.make_claim(
            session, identity=identity, email="me@example.org", seal=world.runtime.seal,
            now=world.runtime.clock(), token_bytes=secrets.token_bytes,
        )  # fmt: skip
    return str(made["id"])


def trail(world: World) -> list[tuple[str, str, str]]:
    with world.runtime.sessions() as session:
        rows = session.execute(
            select(OperatorAct.who, OperatorAct.what, OperatorAct.why).order_by(OperatorAct.id)
        )
        return [(who, what, why) for who, what, why in rows]


@pytest.mark.parametrize("address", INSIDE)
def test_nobody_gets_in_without_a_code(world: World, address: str) -> None:
    assert "gives a code that works once" in words(world.page(address))


def test_a_code_works_once(world: World) -> None:
    given = code(world)
    assert world.send("/operator", form="/operator", code=given).status_code == 303
    assert "Signed in as ada" in words(world.page("/operator"))
    world.send("/operator/leave", form="/operator")
    answer = world.send("/operator", form="/operator", code=given)
    assert answer.status_code == 422
    assert "it works once" in words(answer.text)


def test_a_code_holds_for_fifteen_minutes(world: World) -> None:
    given = code(world)
    later(world, minutes=16)
    assert world.send("/operator", form="/operator", code=given).status_code == 422


def test_a_made_up_code_opens_nothing(world: World) -> None:
    code(world)
    assert world.send("/operator", form="/operator", code="x" * 43).status_code == 422


def test_a_session_ends_when_nobody_uses_it(world: World) -> None:
    sign_in(world)
    later(world, minutes=29)
    assert "Signed in as" in words(world.page("/operator"))
    later(world, minutes=29)
    assert "Signed in as" in words(world.page("/operator"))
    later(world, minutes=31)
    assert "Signed in as" not in words(world.page("/operator"))


def test_a_session_ends_after_eight_hours_whatever_is_done(world: World) -> None:
    sign_in(world)
    for _ in range(19):
        later(world, minutes=25)
        assert "Signed in as" in words(world.page("/operator"))
    later(world, minutes=25)
    assert "Signed in as" not in words(world.page("/operator"))


def test_a_cookie_that_was_kept_opens_nothing_after_signing_out(world: World) -> None:
    sign_in(world)
    kept = world.client.get_cookie("byline")
    assert kept is not None
    world.send("/operator/leave", form="/operator")
    world.client.set_cookie("byline", kept.value)
    assert "Signed in as" not in words(world.page("/operator"))


def test_signing_somebody_out_from_the_machine(world: World) -> None:
    sign_in(world)
    with transaction(world.runtime.sessions) as session:
        assert signing_in.end_all(session, who="ada", now=world.runtime.clock()) == 1
    assert "Signed in as" not in words(world.page("/operator"))


def test_what_is_over_is_forgotten(world: World) -> None:
    code(world)
    later(world, hours=9)
    with transaction(world.runtime.sessions) as session:
        signing_in.forget_old(session, now=world.runtime.clock())
        assert signing_in.end_all(session, who="ada", now=world.runtime.clock()) == 0


@pytest.mark.parametrize(("act", "state"), [("confirm", "confirmed"), ("reject", "rejected")])
def test_a_claim_is_decided_with_the_reason_and_the_name(world: World, act: str, state: str) -> None:
    claim = waiting_claim(world)
    sign_in(world)
    assert "70000001@N01 on Flickr" in words(world.page("/operator"))
    where = f"/operator/claims/{claim}"
    assert "me@example.org" in words(world.page(where))
    assert world.send(where, form=where, act=act, why=f"seen {MARK}").status_code == 303
    with world.runtime.sessions() as session:
        assert session.get_one(Claim, claim).state == state
    assert ("ada", f"claim-{state}", f"seen {MARK}") in trail(world)
    assert MARK in words(world.page("/operator/trail"))
    assert MARK not in world.page("/operator/trail")


@pytest.mark.parametrize(
    ("sent", "said"),
    [({"act": "confirm", "why": "  "}, "Say why"), ({"act": "burn", "why": "x"}, "Use one of the buttons")],
)
def test_nothing_is_decided_without_a_reason_or_a_button(
    world: World, sent: dict[str, str], said: str
) -> None:
    claim = waiting_claim(world)
    sign_in(world)
    where = f"/operator/claims/{claim}"
    answer = world.send(where, form=where, **sent)
    assert answer.status_code == 422
    assert said in words(answer.text)
    with world.runtime.sessions() as session:
        assert session.get_one(Claim, claim).state == "pending"


def test_who_is_not_signed_in_decides_nothing(world: World) -> None:
    claim = waiting_claim(world)
    world.send(f"/operator/claims/{claim}", form="/operator", act="confirm", why="me")
    world.send("/operator/publishers/lab", form="/operator", act="suspend", why="me")
    with world.runtime.sessions() as session:
        assert session.get_one(Claim, claim).state == "pending"
        assert not session.scalars(select(Publisher)).one().suspended


def test_a_publisher_is_approved_and_suspended(world: World) -> None:
    sign_in(world)
    world.send("/operator/publishers/lab", form="/operator", act="suspend", why="bait")
    assert "Suspended." in words(world.page("/operator"))
    world.send("/operator/publishers/lab", form="/operator", act="approve", why="talked to them")
    assert "All are approved." in words(world.page("/operator"))
    assert [what for _, what, _ in trail(world)][-2:] == ["publisher-suspended", "publisher-approved"]


def tell(world: World, about: str, **changes: str) -> int:
    sent = {"about": about, "kind": "not-mine", "text": f"That is mine. {MARK}", "email": "eve@example.org"}
    return world.send("/report", form="/report", **{**sent, **changes}).status_code


def test_what_a_visitor_tells_is_read_by_the_operator_and_erased_when_it_is_done(world: World) -> None:
    assert tell(world, f"maker:{world.maker('Eve')}") == 200
    with world.runtime.sessions() as session:
        kept = session.scalars(select(Report)).one()
        assert b"mine" not in (kept.text_sealed or b"")
    sign_in(world)
    page = world.page("/operator")
    assert f"That is mine. {MARK}" in words(page)
    assert "eve@example.org" in words(page)
    where = parse(page).css_first('form[action^="/operator/reports/"]').attributes["action"]  # type: ignore[union-attr]
    assert where
    assert world.send(where, form="/operator", why="wrote to the publisher").status_code == 303
    assert world.send(where, form="/operator", why="again").status_code == 422
    with world.runtime.sessions() as session:
        kept = session.scalars(select(Report)).one()
        assert (kept.text_sealed, kept.email_sealed) == (None, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"about": "maker:0"},
        {"about": "dataset:lab/none"},
        {"about": "x"},
        {"text": ""},
        {"kind": "rant"},
        {"text": "x" * 2001},
        {"email": "nowhere"},
    ],
    ids=str,
)
def test_a_report_about_nothing_is_refused(world: World, changes: dict[str, str]) -> None:
    assert tell(world, **{"about": "dataset:lab/faces", **changes}) == 422


def test_nobody_buries_the_operator_in_reports_about_one_thing(world: World) -> None:
    assert {tell(world, "dataset:lab/faces") for _ in range(23)} == {200}
    with world.runtime.sessions() as session:
        assert len(session.scalars(select(Report)).all()) == 20


def test_signing_in_is_held_to_the_budget(world: World) -> None:
    tight = dataclasses.replace(world.runtime.settings, budget_write="3/minute")
    client = create_app(dataclasses.replace(world.runtime, settings=tight)).test_client()
    guessing = dataclasses.replace(world, client=client)
    form = parse(guessing.page("/operator")).css_first("input[name=csrf_token]").attributes["value"]  # type: ignore[union-attr]
    answers = [client.post("/operator", data={"code": "x", "csrf_token": form}).status_code for _ in range(4)]
    assert answers == [422, 422, 422, 429]
