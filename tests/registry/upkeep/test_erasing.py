"""A name is taken out of what the registry holds; no rebuild brings it back, and fsck tells that from damage."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from sqlalchemy import select, text

from byline.errors import Refused
from registry.cli import main
from registry.config import Settings
from registry.database import make_engine, make_sessions
from registry.models import Base, OperatorAct, OptOut, Tombstone
from registry.storage import open_object
from registry.storage.opening import open_store
from registry.upkeep import erasing, staged
from registry.upkeep.erasing import Decision, Erased, erase_name
from tests.api.clock import START
from tests.api.test_mine import opened
from tests.api.world import world_from
from tests.plugins.parts import environment_of
from tests.registry.upkeep.conftest import MAKER, command, everything_said, rebuilt, settle

NAME = "Ansel Gray"
NOTICES = "/v1/datasets/ibm-research/faces/notices"
OTHERS = ("/v1/search?q=jane", "/v1/datasets/ibm-research/faces", "/v1/datasets/gone-labs/faces")


def erase(settings: Settings, name: str = NAME) -> Erased:
    """What the command does before it rebuilds."""
    engine = make_engine(settings.database_url)
    try:
        return erase_name(
            name, sessions=make_sessions(engine), store=open_store(settings.object_store), settings=settings,
            decided=Decision("operator", "asked by letter", START),
        )  # fmt: skip
    finally:
        engine.dispose()


def everything_kept(settings: Settings) -> str:
    """Every value of every table, and every text of every Parquet file of rows."""
    engine, said = make_engine(settings.database_url), []
    with make_sessions(engine)() as session:
        for table in Base.metadata.sorted_tables:
            said += [str(row) for row in session.execute(text(f'SELECT * FROM "{table.name}"'))]
    engine.dispose()
    return "\n".join([*said, *_texts(settings)])


def _texts(settings: Settings) -> list[str]:
    store, said = open_store(settings.object_store), []
    for prefix in ("records/", "extracts/", staged.STAGED):
        for key in store.list(prefix):
            with open_object(store, key) as file:
                said += [str(row) for row in pq.read_table(file).to_pylist()]
    return said


def digest_of(settings: Settings) -> str:
    """The version that names him."""
    store = open_store(settings.object_store)
    for key in store.list("records/"):
        with open_object(store, key) as file:
            if NAME in pq.read_table(file)["creator_name"].to_pylist():
                return key.removeprefix("records/").removesuffix(".parquet")
    raise AssertionError(f"no index names {NAME}")


def test_the_name_is_nowhere_and_no_rebuild_brings_it_back(settings: Settings) -> None:
    before = everything_said(settings)
    assert NAME in before["/v1/search?q=ansel"][1]
    assert NAME in everything_kept(settings)
    digest = digest_of(settings)
    assert erase(settings, " ansel  GRAY ") == Erased(1, 1)
    again = rebuilt(settings)
    assert (again.lost, again.from_index) == ((), 2)
    settle(settings)
    after = everything_said(settings)
    assert [path for path, said in after.items() if NAME in str(said)] == []
    assert NAME not in everything_kept(settings)
    others = [one for one in before if one in OTHERS or one.startswith(("log/", "feed/"))]
    assert len(others) > len(OTHERS)
    assert [one for one in others if after[one] != before[one]] == []
    assert _kept(settings) == (digest, digest)
    rebuilt(settings)
    settle(settings)
    assert everything_said(settings) == after
    assert NAME not in everything_kept(settings)
    assert command(settings, "fsck")[1]["findings"] == []


def _kept(settings: Settings) -> tuple[str, str]:
    """What the tombstone and the trail name: the version, and nobody."""
    engine = make_engine(settings.database_url)
    with make_sessions(engine)() as session:
        tombstone = session.scalars(select(Tombstone.subject).where(Tombstone.kind == "erased")).one()
        act = session.scalars(select(OperatorAct.subject).where(OperatorAct.what == "name-erase")).one()
    engine.dispose()
    return tombstone, act


def test_the_command_asks_for_the_name_and_her_pictures_go_on_being_suppressed(settings: Settings) -> None:
    """Jané Doe opted out; her name goes, and every row of hers stays in the row feeds and notices."""
    before = everything_said(settings)
    words = ["person", "erase", "--by", "operator", "--why", "asked by letter", "--json"]
    env = environment_of(settings.data_dir)
    done = CliRunner().invoke(main, words, input="JANÉ DOE\n", env=env)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["versions"] == 2
    settle(settings)
    after = everything_said(settings)
    assert [path for path, said in after.items() if "Jané Doe" in str(said)] == []
    assert after[NOTICES] == before[NOTICES]
    counts = [json.loads(said["feed/v1/head.json"]) for said in (before, after)]
    assert [one["coverage"]["opt_outs"] for one in counts] == [1, 1]
    assert counts[0]["keys"]["set_sha256"] == counts[1]["keys"]["set_sha256"]
    assert counts[0]["rows"]["index"] == counts[1]["rows"]["index"]


@pytest.mark.parametrize("at", ["before the commit", "after the commit", "before the extract goes"])
def test_killed_on_its_way_a_rebuild_ends_it_or_knows_nothing_of_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    where: dict[str, tuple[Any, str]] = {
        "before the commit": (erasing, "transaction"),
        "after the commit": (staged, "sha256_of"),
        "before the extract goes": (erasing, "drop_extract"),
    }
    with monkeypatch.context() as patch:
        patch.setattr(*where[at], _pull_the_plug)
        with pytest.raises(KeyboardInterrupt):
            erase(settings)
    committed = at != "before the commit"
    found = {one["code"] for one in command(settings, "fsck")[1]["findings"]}
    assert found >= ({"not-erased"} if committed else {"not-settled"})
    done = rebuilt(settings)
    assert (done.lost, NAME in everything_kept(settings)) == ((), not committed)
    if not committed:
        assert erase(settings) == Erased(1, 1)
    assert erase(settings) == Erased(0, 0)
    assert NAME not in " ".join(_texts(settings))


def _pull_the_plug(*_: Any, **__: Any) -> Any:
    raise KeyboardInterrupt


def test_a_rebuild_that_is_killed_where_the_index_is_the_only_copy_loses_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    erase(settings)
    for name in ("stage", "settle"):
        with monkeypatch.context() as patch:
            patch.setattr(f"registry.upkeep.versions.{name}", _after(getattr(staged, name)))
            with pytest.raises(KeyboardInterrupt):
                rebuilt(settings)
    assert rebuilt(settings).lost == ()
    settle(settings)
    assert NAME not in everything_kept(settings)
    assert "Jane D." in everything_said(settings)["/v1/search?q=jane"][1]


def _after(step: Callable[..., Any]) -> Callable[..., Any]:
    """Do it, then pull the plug."""

    def dying(*args: Any) -> Any:
        step(*args)
        raise KeyboardInterrupt

    return dying


def test_a_damaged_extract_is_not_taken_for_an_erasure(settings: Settings) -> None:
    store = open_store(settings.object_store)
    (key,) = store.list(f"extracts/{digest_of(settings)}/")
    store.put(key, store.get(key)[:-1])
    assert [one["code"] for one in command(settings, "fsck")[1]["findings"]] == ["extract-changed"]
    store.delete(key)
    assert [one["code"] for one in command(settings, "fsck")[1]["findings"]] == ["extract-lost"]


def test_a_name_nobody_has_changes_nothing(settings: Settings) -> None:
    before = everything_said(settings)
    assert erase(settings, "Nobody At All") == Erased(0, 0)
    assert everything_said(settings) == before
    assert command(settings, "fsck")[1]["findings"] == []
    with pytest.raises(Refused) as caught:
        erase(settings, "  ")
    assert caught.value.code == "no-name"


def test_who_erased_themselves_stays_erased_and_their_pictures_suppressed(
    settings: Settings, tmp_path: Path
) -> None:
    """By their own link, not by the operator: the wish goes on, and a rebuild knows no more of them than was left."""
    with world_from(settings.data_dir, tmp_path / "mine") as world:
        key = opened(world, "jane@example.org")
        with world.runtime.sessions() as session:
            one = session.scalars(select(OptOut).where(OptOut.state == "in-force")).one()
            secrets = [repr(one.salt), repr(one.request)]
        here = world.runtime.settings
        assert [one for one in secrets if one not in everything_kept(here)] == []
        done = world.client.post("/v1/mine/erase", json={"forever": True}, headers=key).get_json()
        assert done["suppressing"] == 1
        world.settle()
    before = everything_said(here)
    again = rebuilt(here)
    assert (again.opt_outs, again.lost) == (1, ())
    settle(here)
    assert everything_said(here) == before
    assert [one for one in secrets if one in everything_kept(here)] == []
    assert json.loads(before["feed/v1/head.json"])["coverage"]["opt_outs"] == 1


@pytest.mark.parametrize("account", ["flickr:87654321@N00", "https://www.flickr.com/people/87654321@N00/"])
def test_an_account_is_meant_by_its_id_or_its_address_whatever_name_it_has_there(
    settings: Settings, account: str
) -> None:
    digest = digest_of(settings)
    assert erase(settings, account) == Erased(1, 1)
    assert NAME not in " ".join(_texts(settings))
    assert _kept(settings) == (digest, digest)


def test_the_address_of_a_photo_is_nobodys_account(settings: Settings) -> None:
    with pytest.raises(Refused) as caught:
        erase(settings, "https://www.flickr.com/photos/87654321@N00/99/")
    assert caught.value.code == "not-a-maker"


def test_who_is_hidden_is_found_by_no_name_at_once_and_found_again_when_shown(settings: Settings) -> None:
    found = "/v1/search?q=jane"
    before = everything_said(settings)
    assert "Jané Doe" in before[found][1]
    said = told(settings, "hide", "https://www.flickr.com/photos/janedoe/\n")
    assert said["changed"] >= 1
    hidden = everything_said(settings)
    assert "Jané Doe" not in hidden[found][1]
    assert "Jané Doe" not in hidden["/v1/suggest?q=jane"][1]
    assert hidden[f"/v1/lookup?q={MAKER}"] == before[f"/v1/lookup?q={MAKER}"]
    assert told(settings, "hide", f"{MAKER}\n")["changed"] == 0
    assert told(settings, "show", f"{MAKER}\n")["changed"] == said["changed"]
    settle(settings)
    assert everything_said(settings)[found] == before[found]
    assert command(settings, "fsck")[1]["findings"] == []
    trail = [(one["what"], one["why"]) for one in command(settings, "operator", "trail")[1]["items"]]
    assert trail[:2] == [("maker-show", "order 4711"), ("maker-hide", "order 4711")]


def told(settings: Settings, what: str, account: str) -> dict[str, Any]:
    """`person hide` or `show`, the account on standard input."""
    words = ["person", what, "--by", "operator", "--why", "order 4711", "--json"]
    done = CliRunner().invoke(main, words, input=account, env=environment_of(settings.data_dir))
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


def test_a_name_alone_hides_nobody(settings: Settings) -> None:
    words = ["person", "hide", "--by", "operator", "--json"]
    done = CliRunner().invoke(main, words, input=f"{NAME}\n", env=environment_of(settings.data_dir))
    assert (done.exit_code, json.loads(done.stdout)["error"]["code"]) == (1, "no-account")
