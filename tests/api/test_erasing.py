"""Erased: nothing of the person is left in the database, and what they asked goes on, in tomorrow's datasets too."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, text

from registry.contributors.sealed import ERASED
from registry.database import transaction
from registry.models import Answer, Base, Fingerprint, Match, Notice, OptOut, OptOutSelector, Tombstone
from registry.optouts import erasing
from registry.optouts.inbox import notices_view
from registry.optouts.match import ask as match_again
from tests.api.test_mine import MAKER, ME, link, opened, opt_out
from tests.api.world import PHOTO, World

WORDS = "they know me as the one from the harbour"


def erase(world: World, key: dict[str, str]) -> Any:
    return world.client.post("/v1/mine/erase", json={"forever": True}, headers=key)


def reach(world: World) -> list[Any]:
    with world.runtime.sessions() as session:
        matches = session.execute(select(Match.opt_out_id, Match.rows)).all()
        keys = session.execute(select(Fingerprint.opt_out_id, Fingerprint.k).order_by(Fingerprint.k)).all()
        return [sorted(map(tuple, matches)), list(map(tuple, keys))]


def test_what_was_asked_goes_on(world: World) -> None:
    ident = opt_out(world)
    before = reach(world)
    assert before[0]
    answer = erase(world, opened(world))
    assert answer.get_json() == {"claims": 1, "opt_outs": 1, "suppressing": 1}
    with transaction(world.runtime.sessions) as session:
        match_again(session, now=world.runtime.clock(), opt_out=ident)
    world.settle()
    assert reach(world) == before
    assert world.get(f"/v1/opt-outs/{ident}")["state"] == "in-force"


def test_nothing_of_the_person_is_left_in_any_table(world: World) -> None:
    ident = opt_out(world)
    with transaction(world.runtime.sessions) as session:
        notice = session.scalars(select(Notice)).one()
        notice.state, notice.reason = "contested", WORDS
        said = {"notice_id": notice.id, "outcome": "contested", "reason": WORDS, "at": world.runtime.clock()}
        session.add(Answer(by="person", **said))
    key = opened(world)
    with world.runtime.sessions() as session:
        one = session.get_one(OptOut, ident)
        assert one.request
        secrets = [world.runtime.seal.digest(ME), one.salt.hex(), one.request.hex(), WORDS]
    secrets.append(secrets[0][:32])
    assert [one for one in secrets if one not in dump(world)] == []
    erase(world, key)
    left = dump(world)
    assert [one for one in secrets if one in left] == []


def dump(world: World) -> str:
    """Every value of every table, bytes in hex."""
    said = []
    with world.runtime.sessions() as session:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(text(f'SELECT * FROM "{table.name}"')):
                said += [one.hex() if isinstance(one, bytes) else str(one) for one in row]
    return "\n".join(said)


def test_single_pictures_are_kept_as_keyed_digests_and_still_matched(world: World) -> None:
    world.client.post("/v1/opt-outs", json={"selectors": [PHOTO], "email": ME})
    world.settle()
    page = world.client.post("/v1/opt-outs/confirm", json={"token": link(world)})
    assert page.get_json()["state"] == "in-force"
    world.settle()
    before = reach(world)
    assert before[0]
    with world.runtime.sessions() as session:
        [asked] = session.scalars(select(OptOutSelector.value)).all()
    erase(world, opened(world))
    with world.runtime.sessions() as session:
        [kept] = session.scalars(select(OptOutSelector.value)).all()
        notice = session.scalars(select(Notice.id)).one()
        [told] = notices_view(session, [notice]).values()
    assert kept == ERASED + world.runtime.seal.digest(f"photo:{asked}")
    assert (told["selectors"], told["records"], len(told["rows"])) == ([], 1, 1)
    with transaction(world.runtime.sessions) as session:
        match_again(session, now=world.runtime.clock(), opt_out=page.get_json()["id"])
    world.settle()
    assert reach(world) == before


def test_no_key_opens_it_any_more(world: World) -> None:
    ident = opt_out(world)
    key = opened(world)
    assert erase(world, key).status_code == 200
    assert world.client.get("/v1/mine", headers=key).get_json()["code"] == "wrong-token"
    assert world.client.get(f"/v1/opt-outs/{ident}", headers=key).get_json()["code"] == "wrong-token"
    with world.runtime.sessions() as session:
        assert session.get(Tombstone, ("forgotten", ident)) is not None


def test_what_was_withdrawn_or_never_confirmed_leaves_nothing(world: World) -> None:
    ident = opt_out(world)
    waiting = world.client.post("/v1/opt-outs", json={"selectors": [PHOTO], "email": ME}).get_json()["id"]
    key = opened(world)
    world.client.post("/v1/mine/withdraw", json={"opt_out": ident}, headers=key)
    assert erase(world, key).get_json() == {"claims": 1, "opt_outs": 2, "suppressing": 0}
    assert world.client.get(f"/v1/opt-outs/{waiting}").status_code == 404
    with world.runtime.sessions() as session:
        assert session.execute(text("SELECT count(*) FROM opt_out_selector")).scalar() == 0


def test_a_crash_on_the_way_leaves_everything_as_it_was(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    opt_out(world)
    key = opened(world)
    before = world.get("/v1/mine", **key)

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(erasing, "_scrub", die)
    with pytest.raises(KeyboardInterrupt):
        erase(world, key)
    assert world.get("/v1/mine", **key) == before


@pytest.mark.parametrize("body", [{}, {"forever": False}, {"forever": "yes"}])
def test_it_is_done_only_when_it_is_said(world: World, body: dict[str, Any]) -> None:
    opt_out(world)
    key = opened(world)
    assert world.client.post("/v1/mine/erase", json=body, headers=key).status_code in {400, 422}
    assert [one["identity"] for one in world.get("/v1/mine", **key)["claims"]] == [MAKER]
