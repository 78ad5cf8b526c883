"""A database restored from before brings back nobody who was erased or hidden: the object store remembers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import func, select

from api.app import create_app
from byline.formats.selectors import public_id
from registry.cli.opening import check_log_of
from registry.database import transaction
from registry.models import Act, Claim, Contributor, OptOut, Tombstone, Watch
from registry.upkeep.tombstones import ROOT, apply_tombstones, keep_tombstones
from registry.worker import Worker
from tests.api.test_mine import MAKER, ME, OTHER, found_by_name, later, opened, opt_out
from tests.api.test_watches import OTHERS, Room
from tests.api.world import World, world_from
from tests.plugins.parts import copy_registry


@pytest.fixture
def backup(world: World, tmp_path: Path) -> Path:
    """Two people's wishes; a copy of everything as it is then, and the registry goes on."""
    opt_out(world)
    opt_out(world, "flickr:87654321@N00", OTHER)
    world.client.post("/v1/watches", json={"about": MAKER, "email": ME})
    world.settle()
    world.runtime.engine.dispose()
    world.runtime.items.dispose()
    copy_registry(world.runtime.settings.data_dir, tmp_path / "backup")
    return tmp_path / "backup"


def act(world: World, what: str, **said: object) -> None:
    answer = world.client.post(f"/v1/mine/{what}", json=said, headers=opened(world))
    assert answer.status_code == 200, answer.text
    later(world, seconds=10)
    world.settle()


def test_who_was_erased_stays_erased_and_the_wish_goes_on(world: World, backup: Path, tmp_path: Path) -> None:
    act(world, "erase", forever=True)
    with world_from(backup, tmp_path / "again") as old:
        take_stones(world, old)
        with old.runtime.sessions() as session:
            assert session.scalar(select(func.count()).select_from(Claim)) == 2
        check_log_of(old.runtime)
        with old.runtime.sessions() as session:
            mine = old.runtime.seal.digest(ME)
            assert session.scalars(select(Claim).where(Claim.email_digest == mine)).all() == []
            assert session.scalars(select(OptOut.email_digest)).all().count(mine) == 0
            assert session.scalars(select(Watch)).all() == []
            assert set(session.scalars(select(OptOut.state))) == {"in-force"}
            assert [one.email_digest for one in session.scalars(select(Claim))] == [
                old.runtime.seal.digest(OTHER)
            ]
        check_log_of(old.runtime)  # again changes nothing


def test_what_came_after_the_erasure_stays(world: World, backup: Path, tmp_path: Path) -> None:
    act(world, "erase", forever=True)
    with world_from(backup, tmp_path / "again") as old:
        later(old, days=1)
        fresh = opt_out(old)
        take_stones(world, old)
        check_log_of(old.runtime)
        with old.runtime.sessions() as session:
            assert session.get_one(OptOut, fresh).request is not None
            assert [
                one.email_digest for one in session.scalars(select(Claim).where(Claim.identity == MAKER))
            ] == [old.runtime.seal.digest(ME)]


def test_who_was_hidden_stays_hidden_and_the_last_word_counts(
    world: World, backup: Path, tmp_path: Path
) -> None:
    act(world, "hide", hidden=True)
    with world_from(backup, tmp_path / "hidden") as old:
        assert found_by_name(old)
        take_stones(world, old)
        check_log_of(old.runtime)
        assert not found_by_name(old)
    later(world, days=1)
    act(world, "hide", hidden=False)
    with world_from(backup, tmp_path / "shown") as old:
        take_stones(world, old)
        check_log_of(old.runtime)
        assert found_by_name(old)


def test_who_stands_in_no_dataset_yet_is_hidden_when_they_come(world: World, tmp_path: Path) -> None:
    """The restored tables do not know the maker at all; the next dataset brings them."""
    with transaction(world.runtime.sessions) as session:
        stone = Tombstone(
            kind="hidden", subject=public_id("flickr:87654321@N00"), made_at=world.runtime.clock()
        )
        session.add(stone)
    room = Room(world.runtime, world.client, world.signer, world.manifest)
    room.publish(rows=OTHERS)
    with world.runtime.sessions() as session:
        found = session.scalars(select(Contributor).where(Contributor.key == "flickr:87654321@N00")).one()
    assert found.hidden


def test_a_stone_says_nothing_of_who_it_was(world: World, backup: Path) -> None:
    act(world, "hide", hidden=True)
    later(world, days=1)
    act(world, "erase", forever=True)
    stones = [world.runtime.store.get(key) for key in world.runtime.store.list(ROOT)]
    assert {json.loads(one)["kind"] for one in stones} == {"hidden", "forgotten"}
    for one in stones:
        assert ME.encode() not in one
        assert b"12345678" not in one


def test_a_crash_before_it_was_noted_writes_the_same_object_again(
    world: World, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> bool:
        raise KeyboardInterrupt

    answer = world.client.post("/v1/mine/erase", json={"forever": True}, headers=opened(world))
    assert answer.status_code == 200
    with monkeypatch.context() as patched:
        patched.setattr("registry.upkeep.tombstones.transaction", killed)
        with pytest.raises(KeyboardInterrupt):
            keep_tombstones(world.runtime.sessions, world.runtime.store)
    first = list(world.runtime.store.list(ROOT))
    Worker(world.runtime).settle()
    assert list(world.runtime.store.list(ROOT)) == first
    assert len(first) == 3  # claim, opt-out, watch


def test_what_nobody_understands_is_passed_over(world: World) -> None:
    for name, data in (("a", b"{}"), ("b", b"\xff"), ("c", b'{"v":9,"kind":"new","subject":"x","at":"?"}')):
        world.runtime.store.put_new(f"{ROOT}{name}.json", data)
    with transaction(world.runtime.sessions) as session:
        acts = session.scalar(select(func.count()).select_from(Act))
        assert apply_tombstones(session, world.runtime.store, seal=world.runtime.seal) == 0
        assert session.scalar(select(func.count()).select_from(Act)) == acts


def take_stones(world: World, old: World) -> None:
    """The store as it is now, under the database as it was."""
    for key in world.runtime.store.list(ROOT):
        old.runtime.store.put_new(key, world.runtime.store.get(key))


def test_the_app_still_opens(world: World, backup: Path, tmp_path: Path) -> None:
    act(world, "erase", forever=True)
    with world_from(backup, tmp_path / "again") as old:
        take_stones(world, old)
        check_log_of(old.runtime)
        assert create_app(old.runtime).test_client().get("/readyz").status_code == 200
