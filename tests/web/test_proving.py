"""Showing that it is you: the places, the two buttons, and what each state of a claim says."""

from __future__ import annotations

import re

import pytest

from registry.contributors.deciding import decide
from registry.contributors.looking import Seen
from registry.contributors.places import places_of
from registry.contributors.proofs import keep
from registry.database import transaction
from registry.models import Claim
from tests.web.looking import parse, words
from tests.web.world import World, photo

FLICKR = "flickr:70000001@N01"


def claimed(world: World, identity: str, *, email: str = "me@example.org") -> str:
    """The page that shows the key."""
    answer = world.send("/this-is-me", form="/this-is-me", identity=identity, email=email)
    assert answer.status_code == 200, answer.text
    return answer.text


def ident(page: str) -> str:
    """The claim's id on it."""
    return parse(page).css_first("#key").text().strip().partition(".")[0]  # type: ignore[union-attr]


def test_a_profile_is_named_and_linked_beside_the_line(world: World) -> None:
    page = claimed(world, FLICKR)
    assert re.search(r"byline-proof=[0-9a-f]{32}", words(page))
    places = [link.attributes["href"] for link in parse(page).css("ol.steps a")]
    assert places == ["https://www.flickr.com/people/70000001@N01/"]


def test_a_host_is_told_both_places(world: World) -> None:
    said = words(claimed(world, "host:evelyn.example.org"))
    assert "_byline.evelyn.example.org" in said
    assert "https://evelyn.example.org/.well-known/byline.txt" in said


def test_a_page_elsewhere_is_given_the_whole_tag(world: World) -> None:
    page = claimed(world, "https://social.example.org/@eve")
    line = parse(page).css_first("[data-copy='the line']")
    assert line is not None
    assert re.fullmatch(r'<link rel="me" href="https?://[^"]+/proof/[0-9a-f]{32}">', line.text().strip())


def test_a_name_in_one_dataset_has_the_mail_alone(world: World) -> None:
    page = claimed(world, "name:lab/faces:前田 幹")
    assert parse(page).css('form[action="/status/check"]') == []
    assert "confirmed by mail, or by whoever runs this registry" in words(page)


def test_the_status_says_that_somebody_looks_and_the_script_looks_again(world: World) -> None:
    claimed(world, FLICKR)
    assert world.send("/status/check", form="/status").status_code == 303
    page = world.page("/status")
    assert "Looking for your line now" in words(page)
    assert parse(page).css_first("[data-again]").attributes["href"] == "/status"  # type: ignore[union-attr]


@pytest.mark.parametrize("link", [photo(1), "https://flic.kr/p/2kQ1"])
def test_a_photo_of_theirs_is_looked_at_instead(world: World, link: str) -> None:
    claimed(world, FLICKR)
    assert world.send("/status/check", form="/status", photo=link).status_code == 303


@pytest.mark.parametrize("link", ["https://unsplash.com/photos/aBcDeFgHiJk", "my best one", FLICKR])
def test_what_is_no_page_of_a_photo_is_said_so(world: World, link: str) -> None:
    claimed(world, FLICKR)
    answer = world.send("/status/check", form="/status", photo=link)
    assert "That is no link of a photo" in words(answer.text)


def test_looking_twice_at_once_is_asked_to_wait(world: World) -> None:
    page = claimed(world, FLICKR)
    (place,) = places_of(FLICKR)
    seen = Seen(place, ("I take pictures",), (), "description: I take pictures", answered=True)
    with transaction(world.runtime.sessions) as session:
        keep(session, claim_id=ident(page), seen=[seen], found=[], now=world.runtime.clock())
    said = words(world.page("/status"))
    assert "The line is not there yet." in said
    assert "and saw: “ description: I take pictures ”" in said
    assert "looked for just now" in words(world.send("/status/check", form="/status").text)


def test_a_mailed_link_says_who_and_confirms_as_ones_word(world: World) -> None:
    claimed(world, FLICKR)
    sent = world.send("/status/by-mail", form="/status")
    assert "Look into your mail" in words(world.page(sent.headers["Location"]))
    world.settle()
    folder = world.runtime.settings.data_dir / "mail"
    found = re.search(r"/confirm/[\w-]+", next(folder.iterdir()).read_text().replace("=\n", ""))
    assert found
    page = world.page(found[0])
    assert "They say they are 70000001@N01 on Flickr" in words(page)
    token = parse(page).css_first("input[name=token]").attributes["value"]  # type: ignore[union-attr]
    done = world.send("/confirm", form=found[0], token=token)
    assert "Now opt out on your status page" in words(done.text)
    said = words(world.page("/status"))
    assert "Confirmed." in said
    assert "Show that it is you as well" in said


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("disputed", "Somebody else has shown the same."),
        ("rejected", "opt out single photos by their links"),
    ],
)
def test_each_other_end_has_its_words(world: World, state: str, said: str) -> None:
    found = ident(claimed(world, FLICKR))
    with transaction(world.runtime.sessions) as session:
        claim = session.get(Claim, found)
        assert claim is not None
        decide(session, claim, state=state, assurance=None, who="t", why="<b>", now=world.runtime.clock())
    assert said in words(world.page("/status"))


def test_a_line_that_went_is_asked_for_again(world: World) -> None:
    found = ident(claimed(world, FLICKR))
    with transaction(world.runtime.sessions) as session:
        claim = session.get(Claim, found)
        assert claim is not None
        for state in ("confirmed", "lapsed"):
            decide(
                session, claim, state=state, assurance="verified", who="t", why="t", now=world.runtime.clock()
            )
    page = world.page("/status")
    assert "Your line is no longer there." in words(page)
    assert parse(page).css('form[action="/status/check"]')


def test_without_a_key_the_buttons_lead_to_the_door(world: World) -> None:
    for button in ("check", "by-mail"):
        answer = world.send(f"/status/{button}", form="/status/open")
        assert answer.headers["Location"] == "/status/open"
