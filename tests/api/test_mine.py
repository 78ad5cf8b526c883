"""What stands under one mail address, by a mailed link: for its owner alone, and nobody learns whether it is known."""

from __future__ import annotations

import datetime as dt
import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import event, func, select
from werkzeug.serving import make_server

from api.app import create_app
from byline.cli.app import byline
from registry.contributors.claim import confirm
from registry.database import transaction
from registry.models import Contributor, MailToken
from tests.api.world import World

ME, OTHER = "me@example.org", "other@example.org"
MAKER = "flickr:12345678@N00"


def claim(world: World, identity: str = MAKER, email: str = ME, *, proved: bool = True) -> dict[str, str]:
    made = world.client.post("/v1/claims", json={"identity": identity, "email": email}).get_json()
    if proved:
        with transaction(world.runtime.sessions) as session:
            confirm(session, claim_id=made["id"], who="op", why="", now=world.runtime.clock())
    return {"id": made["id"], "token": made["token"]}


def opt_out(world: World, identity: str = MAKER, email: str = ME) -> str:
    made = world.client.post("/v1/opt-outs", json={"claims": [claim(world, identity, email)]}).get_json()
    world.settle()
    return str(made["id"])


def ask(world: World, email: str = ME) -> Any:
    world.settle()
    later(world, seconds=1)  # mails are told apart by when they were written
    answer = world.client.post("/v1/mine", json={"email": email})
    world.settle()
    return answer


def link(world: World) -> str:
    mail = world.mails()[-1].replace("=\n", "")
    found = re.search(r"/confirm/([A-Za-z0-9_-]+)", mail)
    assert found, mail
    return found[1]


def opened(world: World, email: str = ME) -> dict[str, str]:
    ask(world, email)
    answer = world.client.post("/v1/mine/open", json={"token": link(world)})
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.get_json()['token']}"}


def later(world: World, **time: float) -> None:
    world.runtime.clock.now += dt.timedelta(**time)  # type: ignore[attr-defined]


def found_by_name(world: World) -> bool:
    world.settle()
    return bool(world.get("/v1/search?q=jane")["items"])


def test_everything_of_the_address_is_shown_and_nothing_of_anothers(world: World) -> None:
    mine, theirs = opt_out(world), opt_out(world, "flickr:87654321@N00", OTHER)
    items = {"selectors": ["https://example.org/pictures/000001.jpg"], "email": ME.upper()}
    waiting = world.client.post("/v1/opt-outs", json=items).get_json()["id"]
    shown = world.get("/v1/mine", **opened(world))
    assert [one["identity"] for one in shown["claims"]] == [MAKER]
    assert {one["id"]: one["state"] for one in shown["opt_outs"]} == {
        mine: "in-force",
        waiting: "awaiting-mail",
    }
    [whole] = [one for one in shown["opt_outs"] if one["id"] == mine]
    assert [(one["dataset"], one["records"]) for one in whole["datasets"]] == [("ibm-research/faces", 2)]
    assert theirs not in json.dumps(shown)


def test_nobody_learns_whether_an_address_is_known(world: World) -> None:
    opt_out(world)
    known, unknown = ask(world), ask(world, "nobody@example.org")
    assert (known.status_code, known.data) == (unknown.status_code, unknown.data) == (202, known.data)
    assert [mail for mail in world.mails() if "nobody@example.org" in mail] == []
    assert len([mail for mail in world.mails() if ME in mail]) == 1


def test_the_request_itself_does_the_same_for_both(world: World) -> None:
    opt_out(world)
    said: list[list[str]] = []
    event.listen(world.runtime.engine, "before_cursor_execute", lambda *how: said[-1].append(how[2]))
    for email in (ME, "nobody@example.org"):
        said.append([])
        world.client.post("/v1/mine", json={"email": email})
    assert said[0] == said[1]


def test_fetching_the_link_opens_nothing_and_the_button_works_once(world: World) -> None:
    opt_out(world)
    ask(world)
    token = link(world)
    for _ in range(3):
        page = world.client.get(f"/confirm/{token}")
        assert (page.status_code, "Open my page" in page.text) == (200, True)
    assert world.client.post("/v1/mine/open", json={"token": token}).status_code == 201
    again = world.client.post("/v1/mine/open", json={"token": token})
    assert again.get_json()["code"] == "link-lapsed"


def test_a_link_of_another_kind_opens_no_page_and_this_one_confirms_nothing(world: World) -> None:
    items = {"selectors": ["https://example.org/pictures/000001.jpg"], "email": ME}
    world.client.post("/v1/opt-outs", json=items)
    world.settle()
    refused = world.client.post("/v1/mine/open", json={"token": link(world)})
    assert refused.get_json()["code"] == "no-such-link"
    ask(world)
    refused = world.client.post("/v1/opt-outs/confirm", json={"token": link(world)})
    assert refused.get_json()["code"] == "no-such-link"


def test_a_link_lapses_after_a_week_and_a_key_after_half_an_hour(world: World) -> None:
    opt_out(world)
    key = opened(world)
    ask(world)
    old = link(world)
    later(world, minutes=30)
    assert world.client.get("/v1/mine", headers=key).get_json()["code"] == "wrong-token"
    later(world, days=8)
    assert world.client.post("/v1/mine/open", json={"token": old}).get_json()["code"] == "link-lapsed"


def test_one_address_gets_five_mails_a_day(world: World) -> None:
    opt_out(world)
    for _ in range(9):
        ask(world)
    assert len(world.mails()) == 5
    with world.runtime.sessions() as session:
        assert session.scalar(select(func.count()).select_from(MailToken)) == 5


def test_hiding_holds_at_once_and_can_be_undone(world: World) -> None:
    opt_out(world)
    assert found_by_name(world)
    key = opened(world)
    done = world.client.post("/v1/mine/hide", json={"hidden": True}, headers=key)
    assert done.get_json() == {"hidden": True, "identities": [MAKER]}
    assert world.get("/v1/search?q=jane")["items"] == []  # before any index could follow
    assert not found_by_name(world)
    assert world.get("/v1/suggest?q=jan")["items"] == []
    assert world.get("/v1/mine", **key)["claims"][0]["hidden"] is True
    assert world.get(f"/v1/lookup?q={MAKER}")["answer"] == "yes"
    world.client.post("/v1/mine/hide", json={"hidden": False}, headers=key)
    assert found_by_name(world)


def test_who_stands_in_no_dataset_yet_is_hidden_in_tomorrows(world: World) -> None:
    claim(world, "flickr:55555555@N00")
    world.client.post("/v1/mine/hide", json={"hidden": True}, headers=opened(world))
    with world.runtime.sessions() as session:
        one = session.scalars(select(Contributor).where(Contributor.key == "flickr:55555555@N00")).one()
    assert (one.hidden, one.root_id, one.handle, one.kind) == (True, one.id, "55555555@N00", "number")


def test_a_mail_address_alone_hides_nobody(world: World) -> None:
    made = claim(world, proved=False)
    bearer = {"Authorization": f"Bearer {made['token']}"}
    world.client.post(f"/v1/claims/{made['id']}/verify", json={"by_mail": True}, headers=bearer)
    world.settle()
    page = world.client.get(f"/confirm/{link(world)}")
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert csrf
    world.client.post("/confirm", data={"token": link(world), "csrf_token": csrf[1]})
    key = opened(world)
    assert world.get("/v1/mine", **key)["claims"][0]["state"] == "confirmed"
    refused = world.client.post("/v1/mine/hide", json={"hidden": True}, headers=key)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "not-proved")
    assert found_by_name(world)


def test_an_opt_out_is_taken_back_without_its_key_but_not_anothers(world: World) -> None:
    mine, theirs = opt_out(world), opt_out(world, "flickr:87654321@N00", OTHER)
    key = opened(world)
    done = world.client.post("/v1/mine/withdraw", json={"opt_out": mine}, headers=key)
    assert done.get_json() == {"id": mine, "state": "withdrawn"}
    refused = world.client.post("/v1/mine/withdraw", json={"opt_out": theirs}, headers=key)
    assert refused.get_json()["code"] == "no-such-opt-out"
    assert world.get(f"/v1/opt-outs/{theirs}")["state"] == "in-force"


def test_closing_ends_the_key(world: World) -> None:
    opt_out(world)
    key = opened(world)
    assert world.client.post("/v1/mine/close", headers=key).status_code == 204
    assert world.client.get("/v1/mine", headers=key).status_code == 403
    assert world.client.get("/v1/mine").status_code == 401


def test_the_number_of_queries_does_not_grow(world: World) -> None:
    opt_out(world)
    key = opened(world)
    seen: list[str] = []
    event.listen(world.runtime.engine, "before_cursor_execute", lambda *how: seen.append(how[2]))

    def count() -> int:
        seen.clear()
        world.get("/v1/mine", **key)
        return len(seen)

    few = count()
    for at in range(4):
        opt_out(world, f"flickr:9000000{at}@N00")
    assert count() == few


def test_the_commands_lead_through_it(world: World, tmp_path: Path) -> None:
    mine = opt_out(world)
    server = make_server("127.0.0.1", 0, create_app(world.runtime), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def run(*words: str) -> Any:
        where = ["--registry", f"http://127.0.0.1:{server.server_port}", "--json"]
        done = CliRunner().invoke(byline, ["mine", *words, *where])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    try:
        assert run("ask", ME) == {"state": "mailed-if-known"}
        world.settle()
        token = run("open", f"https://here.example/confirm/{link(world)}")["token"]
        kept = tmp_path / "mine.json"
        shown = run("show", "--token", token, "-o", str(kept))
        assert json.loads(kept.read_text()) == shown
        assert run("hide", "--token", token)["hidden"] is True
        assert run("hide", "--undo", "--token", token)["hidden"] is False
        assert run("withdraw", mine, "--token", token)["state"] == "withdrawn"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("body", [{"email": "nothing"}, {"email": ""}, {}])
def test_what_is_no_address_is_told(world: World, body: dict[str, str]) -> None:
    assert world.client.post("/v1/mine", json=body).status_code in {400, 422}
