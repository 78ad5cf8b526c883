"""The forms: this is me, one click, single links, the mailed link, taking it back."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile

import pytest
from werkzeug.test import TestResponse

from registry.contributors import claim as claims
from registry.database import transaction
from registry.models import Notice
from tests.web.looking import parse, words
from tests.web.world import World, photo

MAKER = "flickr:70000001@N01"
USES = ["train-generative", "train-other", "data-mining", "ai-search"]
CHOICES = {"existing": "remove", "whom": "all", "categories": USES}


def _claim(world: World) -> str:
    """Say `this is me`; the key that is shown."""
    answer = world.send("/this-is-me", form="/this-is-me", identity=MAKER, email="me@example.org")
    assert answer.status_code == 200, answer.text
    return parse(answer.text).css_first("#key").text().strip()  # type: ignore[union-attr]


def _confirmed(world: World) -> str:
    key = _claim(world)
    with transaction(world.runtime.sessions) as session:
        claims.confirm(session, claim_id=key.partition(".")[0], who="t", why="t", now=world.runtime.clock())
    return key


def _opt_out(world: World, **changes: object) -> TestResponse:
    answer = world.send("/status/opt-out", form="/status", **{**CHOICES, **changes})
    world.settle()
    return answer


def _mailed(world: World) -> str:
    world.settle()
    folder = world.runtime.settings.data_dir / "mail"
    newest = max(folder.iterdir(), key=lambda path: path.stat().st_mtime).read_text()
    found = re.search(r"/confirm/[A-Za-z0-9_-]+", newest.replace("=\n", ""))
    assert found, newest
    return found[0]


def test_one_click_reaches_each_dataset_and_the_page_has_a_line_for_each(world: World) -> None:
    _confirmed(world)
    assert "One click, and it holds for every registered dataset" in words(world.page("/status"))
    assert _opt_out(world).status_code == 303
    said = words(world.page("/status"))
    assert "Your opt-out is in force" in said
    assert [row for row in ("lab/faces", "lab/crops") if row not in said] == []
    assert "take it out" in said
    assert "“gone from the list” means" in said


def test_choices_are_kept_as_they_were_made(world: World) -> None:
    _confirmed(world)
    _opt_out(world, categories=["train-other"], existing="keep", whom="publisher")
    said = words(world.page("/status"))
    assert "training other machines, such as face recognition What is there already it may stay" in said
    assert "Who is told the publishers only" in said


def test_unticking_everything_is_asked_about_and_taken_for_nothing(world: World) -> None:
    _confirmed(world)
    answer = _opt_out(world, categories=[])
    assert "Tick at least one use" in words(answer.text)
    assert "in force" not in words(world.page("/status"))


def test_what_files_give_away_is_said_before_anybody_opts_out(world: World) -> None:
    _confirmed(world)
    for address in ("/status", "/opt-out-a-link"):
        assert "Whoever already has a dataset’s files can see which rows went" in words(world.page(address))


def test_taking_it_back(world: World) -> None:
    _confirmed(world)
    _opt_out(world)
    ident = parse(world.page("/status")).css_first('input[name="id"]').attributes["value"]  # type: ignore[union-attr]
    assert world.send("/status/withdraw", form="/status", id=ident).status_code == 303
    assert "Withdrawn" in words(world.page("/status"))


def test_all_that_it_can_show_is_one_file_by_a_button(world: World) -> None:
    _confirmed(world)
    _opt_out(world)
    page = parse(world.page("/status"))
    form = page.css_first('form[action="/status/evidence"]')
    ident = form.css_first('[name="id"]').attributes["value"]  # type: ignore[union-attr]
    answer = world.send("/status/evidence", form="/status", id=ident)
    assert (answer.status_code, answer.content_type) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        cover = archive.read("index.html").decode()
    assert "lab/faces" in words(cover.replace("<body>", "<body><main>"))
    assert parse(cover).css("script, img") == []


def test_another_opt_outs_number_gives_nothing(world: World) -> None:
    _confirmed(world)
    _opt_out(world)
    answer = world.send("/status/evidence", form="/status", id="0" * 32)
    assert answer.content_type.startswith("text/html")
    assert "That did not work" in answer.text


def test_a_claim_that_waits_shows_the_line_to_put_up(world: World) -> None:
    _claim(world)
    said = words(world.page("/status"))
    assert "Waiting for you to show that it is you" in said
    assert "byline-proof=" in said


def test_a_claim_that_was_rejected_says_what_else_one_can_do(world: World) -> None:
    ident = _claim(world).partition(".")[0]
    with transaction(world.runtime.sessions) as session:
        claims.reject(
            session, claim_id=ident, who="t", why="The line is not there.", now=world.runtime.clock()
        )
    said = words(world.page("/status"))
    assert "Not confirmed. The line is not there." in said
    assert "opt out single photos by their links" in said


def test_what_is_no_identity_is_told_beside_what_was_typed(world: World) -> None:
    answer = world.send("/this-is-me", form="/this-is-me", identity=photo(1), email="")
    assert answer.status_code == 422
    assert "opt out by its link instead" in words(answer.text)
    assert parse(answer.text).css_first("#identity").attributes["value"] == photo(1)  # type: ignore[union-attr]


def test_a_link_waits_for_the_button_behind_the_mailed_link(world: World) -> None:
    sent = {"urls": photo(3), "email": "me@example.org", "relation": "maker", "datasets": "", **CHOICES}
    assert "Look into your mail" in words(world.send("/opt-out-a-link", form="/opt-out-a-link", **sent).text)
    link = _mailed(world)
    shown = words(world.page(link))
    assert "Was it not you" in shown
    assert "every registered dataset" in shown
    assert "Waiting: open the link we mailed you" in words(world.page("/status"))
    done = world.send("/confirm", form=link, token=link.rpartition("/")[2])
    assert "Your opt-out is in force" in words(done.text)


def test_a_form_that_did_not_work_comes_back_filled_in(world: World) -> None:
    sent = {"urls": f"{photo(3)}\nnonsense", "email": "no address", "relation": "pictured", **CHOICES}
    answer = world.send("/opt-out-a-link", form="/opt-out-a-link", **sent)
    assert answer.status_code == 422
    tree = parse(answer.text)
    assert tree.css_first('[role="alert"]') is not None
    assert photo(3) in tree.css_first("#urls").text()  # type: ignore[union-attr]
    assert "checked" in tree.css_first("#rel-pictured").attributes  # type: ignore[union-attr]


@pytest.mark.parametrize(("field", "size"), [("urls", 20_001), ("email", 255), ("datasets", 5_001)])
def test_too_much_is_told_in_words(world: World, field: str, size: int) -> None:
    answer = world.send(
        "/opt-out-a-link", form="/opt-out-a-link", **{"urls": photo(1), **CHOICES, field: "x" * size}
    )
    assert answer.status_code == 422
    assert "too long" in words(answer.text)


def test_a_key_opens_the_page_on_another_device(world: World) -> None:
    key = _confirmed(world)
    world.send("/status/close", form="/status")
    assert "Your key" in words(world.page("/status/open"))
    wrong = world.send("/status/open", form="/status/open", key=key[:-3] + "xyz")
    assert wrong.status_code == 303
    assert "Is it whole?" in words(world.client.get("/status").text)
    assert "two parts with a dot" in words(world.send("/status/open", form="/status/open", key="abc").text)
    world.send("/status/open", form="/status/open", key=key)
    assert "Confirmed." in words(world.page("/status"))


def test_silence_is_shown_with_its_date(world: World) -> None:
    _confirmed(world)
    _opt_out(world)
    now = world.runtime.clock()
    with transaction(world.runtime.sessions) as session:
        for notice in session.query(Notice):
            notice.state, notice.sent_at, notice.answer_by = (
                "sent",
                now - dt.timedelta(days=31),
                now - dt.timedelta(days=1),
            )
    said = words(world.page("/status"))
    assert "The publisher was told, 3 April 2026" in said
    assert "no answer ; one was asked for by 3 May 2026" in said
