"""Asked because of what it was made from: page, commands, mail and zip each say so in words, and name the parent."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import json
import zipfile
from collections.abc import Iterator
from email import message_from_string, policy
from pathlib import Path

import pytest
from click.testing import CliRunner

from byline.cli.app import byline
from registry.contributors import claim as claims
from registry.database import transaction
from tests.plugins.parts import copy_registry
from tests.web.looking import parse, words
from tests.web.served import serving
from tests.web.world import SAID, World, world_in

MAKER, ME = "flickr:70000001@N01", "me@example.org"
CHILD, PARENT = "lab/cuts", "lab/faces"
IN_WORDS = f"asked by lineage: its publisher says it was made from {PARENT} , where you are listed"


@dataclasses.dataclass
class Asked:
    """Somebody who opted out: the opt-out's id, and the key that opens it."""

    world: World
    id: str
    key: str


@pytest.fixture(scope="module")
def asked(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """A dataset in which no row names anybody, made from one with their rows; they opted out, its publisher was written to."""
    folder = tmp_path_factory.mktemp("lineage") / "data"
    copy_registry(published, folder)
    with world_in(folder) as world:
        said = dataclasses.replace(SAID, dataset=CHILD, title="Cuts", derived_from=[f"{PARENT}@2.0.0"])
        world.publish(said, [{"url": f"https://cuts.example/{number}.jpg"} for number in range(3)])
        answer = world.send("/this-is-me", form="/this-is-me", identity=MAKER, email=ME)
        ident, _, token = parse(answer.text).css_first("#key").text().strip().partition(".")  # type: ignore[union-attr]
        with transaction(world.runtime.sessions) as session:
            claims.confirm(session, claim_id=ident, who="t", why="t", now=world.runtime.clock())
        made = world.client.post("/v1/opt-outs", json={"claims": [{"id": ident, "token": token}]}).get_json()
        world.settle()
        world.runtime.clock.now += dt.timedelta(hours=2)  # type: ignore[attr-defined]
        world.settle()
        yield Asked(world, made["id"], token)


def run(asked: Asked, *said: str) -> str:
    """What a command shows."""
    with serving(asked.world.client.application) as url:
        done = CliRunner().invoke(byline, [*said, "--registry", url])
    assert done.exit_code == 0, done.output
    return done.stdout


def mails(asked: Asked) -> list[str]:
    """What was written, as it is read."""
    folder = asked.world.runtime.settings.data_dir / "mail"
    found = (message_from_string(path.read_text(), policy=policy.default) for path in folder.iterdir())
    return [f"{one['subject']}\n{one.get_content()}" for one in found]


def opened(asked: Asked) -> str:
    """The token of a new link to their own page."""
    before = set(mails(asked))
    asked.world.send("/mine", form="/mine", email=ME)
    asked.world.settle()
    [new] = set(mails(asked)) - before
    return next(line for line in new.splitlines() if "/confirm/" in line).rpartition("/")[2]


def test_the_status_page_and_ones_own_page_name_the_parent(asked: Asked) -> None:
    said = words(asked.world.page("/status"))
    assert f"{CHILD} {IN_WORDS}. We found no record of yours in this list itself" in said
    token = opened(asked)
    assert asked.world.send("/mine/open", form=f"/confirm/{token}", token=token).status_code == 303
    assert said.count("asked by lineage") == 1
    assert words(asked.world.page("/mine")).count(IN_WORDS) == 1


def test_the_persons_commands_name_it(asked: Asked) -> None:
    status = run(asked, "opt-out", "status", asked.id, "--token", asked.key)
    assert f"  {CHILD} 1.0.0: by lineage, made from {PARENT}; no record found in it, sent\n" in status
    opening = json.loads(run(asked, "mine", "open", opened(asked), "--json"))
    mine = ["mine", "show", "--token", opening["token"]]
    assert f"  {CHILD}: sent, by lineage, made from {PARENT}\n" in run(asked, *mine)
    kept = json.loads(run(asked, *mine, "--json"))["opt_outs"][0]["datasets"]
    assert {one["dataset"]: one["parent"] for one in kept} == {CHILD: PARENT, PARENT: None, "lab/crops": None}


def test_the_publishers_command_and_its_mail_name_it(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        asked.world.runtime.clock, "now", dt.datetime.now(dt.UTC)
    )  # commands sign by the machine's
    (tmp_path / "key.pem").write_bytes(asked.world.key.to_pem())
    lines = run(asked, "notices", "--key", str(tmp_path / "key.pem"), "--keep").splitlines()
    [line] = [one for one in lines if f"  {CHILD}  " in one]
    assert f"  by lineage from {PARENT}  " in line
    [letter] = [one for one in mails(asked) if one.startswith(f"Requests about {CHILD}\n")]
    assert f"By lineage: 1 from {PARENT}." in letter
    [direct] = [one for one in mails(asked) if one.startswith(f"Requests about {PARENT}\n")]
    assert "lineage" not in direct.lower()


def test_the_zip_to_print_names_it(asked: Asked) -> None:
    answer = asked.world.client.get(
        f"/v1/opt-outs/{asked.id}/evidence", headers={"Authorization": f"Bearer {asked.key}"}
    )
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        told = {one["dataset"]: one["parent"] for one in json.loads(archive.read("notices.json"))}
        sheet = parse(archive.read("index.html").decode()).body
    assert (told[CHILD], told[PARENT]) == (PARENT, None)
    assert sheet is not None
    said = " ".join(sheet.text(separator=" ").split())
    assert (
        f"By lineage its publisher says it was made from {PARENT}, where records matched; none was found in this list"
    ) in said
