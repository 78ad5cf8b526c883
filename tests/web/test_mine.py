"""My page: the same answer for every address, a link that a scanner cannot use up, and its buttons without script."""

from __future__ import annotations

import json
import re

from registry.contributors import claim as claims
from registry.database import transaction
from tests.web.looking import parse, words
from tests.web.world import World

MAKER = "flickr:70000001@N01"
ME = "me@example.org"


def _claimed(world: World) -> None:
    answer = world.send("/this-is-me", form="/this-is-me", identity=MAKER, email=ME)
    key = parse(answer.text).css_first("#key").text().strip()  # type: ignore[union-attr]
    with transaction(world.runtime.sessions) as session:
        claims.confirm(session, claim_id=key.partition(".")[0], who="t", why="t", now=world.runtime.clock())
    uses = ["train-generative", "train-other", "data-mining", "ai-search"]
    world.send("/status/opt-out", form="/status", existing="remove", whom="all", categories=uses)
    world.settle()


def _link(world: World) -> str:
    world.send("/mine", form="/mine", email=ME)
    world.settle()
    folder = world.runtime.settings.data_dir / "mail"
    newest = max(folder.iterdir(), key=lambda path: path.stat().st_mtime).read_text()
    found = re.search(r"/confirm/([A-Za-z0-9_-]+)", newest.replace("=\n", ""))
    assert found, newest
    return found[1]


def _open(world: World) -> str:
    _claimed(world)
    token = _link(world)
    assert "Open my page" in words(world.page(f"/confirm/{token}"))
    assert world.send("/mine/open", form=f"/confirm/{token}", token=token).status_code == 303
    return token


def test_the_door_says_the_same_to_everybody(world: World) -> None:
    _claimed(world)
    known = world.send("/mine", form="/mine", email=ME)
    unknown = world.send("/mine", form="/mine", email="nobody@example.org")
    assert known.status_code == unknown.status_code == 200
    assert words(known.text) == words(unknown.text)


def test_the_page_shows_who_one_is_and_each_opt_out(world: World) -> None:
    _open(world)
    said = words(world.page("/mine"))
    assert "70000001@N01 on Flickr confirmed" in said
    assert "In force" in said
    assert "lab/faces" in said


def test_a_used_link_leads_to_the_door_with_the_reason(world: World) -> None:
    token = _open(world)
    world.send("/mine/close", form="/mine")
    again = world.send("/mine/open", form="/mine", token=token)
    assert again.status_code == 422
    assert "not good any more" in again.text


def test_all_of_it_is_one_file(world: World) -> None:
    _open(world)
    answer = world.send("/mine/export", form="/mine")
    found = json.loads(answer.text)
    assert [one["identity"] for one in found["claims"]] == [MAKER]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found["opt_outs"][0]["made_at"])
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_hide_and_be_found_again(world: World) -> None:
    _open(world)
    world.send("/mine/hide", form="/mine", hidden="yes")
    assert "hidden from name search" in words(world.page("/mine"))
    world.send("/mine/hide", form="/mine", hidden="no")
    assert "hidden from name search" not in words(world.page("/mine"))


def test_take_back(world: World) -> None:
    _open(world)
    form = parse(world.page("/mine")).css_first('form[action="/mine/withdraw"]')
    ident = form.css_first('[name="id"]').attributes["value"]  # type: ignore[union-attr]
    world.send("/mine/withdraw", form="/mine", id=ident)
    assert "Withdrawn" in words(world.page("/mine"))


def test_closed_means_closed(world: World) -> None:
    _open(world)
    world.send("/mine/close", form="/mine")
    assert "Mail me the link" in world.page("/mine")


def test_erasing_asks_for_the_box_and_then_closes(world: World) -> None:
    _open(world)
    unticked = world.send("/mine/erase", form="/mine")
    assert "cannot be undone" in unticked.text
    assert "In force" in words(world.page("/mine"))
    done = world.send("/mine/erase", form="/mine", forever="yes")
    assert "1 opt-out goes on without you" in words(done.text)
    assert "Mail me the link" in world.page("/mine")


def test_what_one_is_told_of_is_asked_on_a_makers_page_and_ended_on_ones_own(world: World) -> None:
    found = world.client.get("/v1/lookup", query_string={"q": MAKER}).get_json()["contributors"]
    page = f"/makers/{found[0]['id']}"
    asked = world.send("/watches/maker", form=page, maker=found[0]["id"], email=ME)
    assert "Look into your mail" in words(asked.text)
    world.settle()
    mails = sorted(
        (world.runtime.settings.data_dir / "mail").iterdir(), key=lambda path: path.stat().st_mtime
    )
    link = re.search(r"/confirm/([A-Za-z0-9_-]+)", mails[-1].read_text().replace("=\n", ""))
    assert link
    assert "70000001@N01 on Flickr" in words(world.page(f"/confirm/{link[1]}"))
    world.send("/confirm", form=f"/confirm/{link[1]}", token=link[1])
    _open(world)
    shown = parse(world.page("/mine"))
    assert "New datasets that name 70000001@N01 on Flickr" in words(shown.html or "")
    ident = shown.css_first('form[action="/mine/unwatch"] input[name="id"]')
    assert ident is not None
    world.send("/mine/unwatch", form="/mine", id=ident.attributes["value"] or "")
    assert "New datasets that name" not in words(world.page("/mine"))
