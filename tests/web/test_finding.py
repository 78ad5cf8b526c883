"""The box and what it found, in plain words."""

from __future__ import annotations

import pytest

from tests.web.looking import parse, words
from tests.web.world import NAMES, World, photo


def test_the_first_page_says_what_it_cannot_do(seen: World) -> None:
    said = words(seen.page("/"))
    assert "We cannot search faces" in said
    assert "Finding nothing does not mean there is nothing" in said
    assert "2 datasets registered" in said


def test_an_empty_registry_says_that_one_can_opt_out_all_the_same(empty: World) -> None:
    assert "You can opt out all the same" in words(empty.page("/"))
    assert "None yet" in words(empty.page("/datasets"))
    assert "The log has no entry yet" in words(empty.page("/transparency"))
    assert "No dataset is registered here yet" in words(empty.page("/in-a-picture"))


@pytest.mark.parametrize("name", [NAMES[0], NAMES[4], NAMES[5], NAMES[6][:60], "前田 幹"])
def test_hard_names_are_found_and_shown_as_they_are_written(seen: World, name: str) -> None:
    page = seen.client.get("/search", query_string={"q": name}).text
    shown = [node.text() for node in parse(page).css("article h2")]
    assert any(name in one for one in shown), shown


def test_namesakes_are_told_apart_by_titles_years_and_platform(seen: World) -> None:
    said = words(seen.page("/search?q=Eve"))
    assert "Flickr" in said
    assert "titles name 2004" in said
    assert "for example" in said


def test_nobody_found_says_what_that_means_and_what_to_do(seen: World) -> None:
    said = words(seen.page("/search?q=Zzyzx+Nobody"))
    assert "That does not mean your photos are in none" in said
    assert "Paste the link of one of your photos" in said
    assert "opt out all the same" in said


def test_a_beginning_of_a_name_is_offered_as_suggestions(seen: World) -> None:
    page = seen.page("/search?q=Wolfesch")
    assert [
        node.attributes["value"] for node in parse(page).css("datalist option")
    ] or "similar spelling" in page


def test_a_photos_link_answers_for_that_photo(seen: World) -> None:
    said = words(seen.client.get("/search", query_string={"q": photo(3)}).text)
    assert said.startswith("Your name") and "Yes. This link is in 2 datasets." in said  # noqa: PT018
    assert "Opt out this link" in said


def test_a_photo_nobody_has_is_a_no_that_says_its_limits(seen: World) -> None:
    said = words(seen.client.get("/search", query_string={"q": photo(77)}).text)
    assert "No. None of the registered datasets holds this link." in said
    assert "not registered here we cannot see" in said


def test_a_user_name_that_cannot_be_decided_asks_for_one_photo(seen: World) -> None:
    said = words(
        seen.client.get("/search", query_string={"q": "https://www.flickr.com/people/some-alias/"}).text
    )
    assert "Cannot tell" in said
    assert "Paste the link of one of your photos" in said


def test_too_long_a_question_is_cut_or_refused_and_never_breaks(seen: World) -> None:
    assert seen.client.get("/search", query_string={"q": "ä" * 5000}).status_code in {200, 422}


def test_an_empty_question_leads_back(seen: World) -> None:
    assert seen.client.get("/search?q=+").headers["Location"] == "/"


def test_a_makers_page_lists_every_record_and_where_it_is(seen: World) -> None:
    maker = seen.maker("Eve")
    said = words(seen.page(f"/makers/{maker}"))
    assert "lab/faces" in said
    assert "It does not say whether this maker has opted out" in said
    page = seen.page(f"/makers/{maker}/records?dataset=lab/faces")
    assert photo(0) in words(page)
    assert [
        node for node in parse(page).css("main a") if "flickr.com" in (node.attributes["href"] or "")
    ] == []


def test_many_records_come_page_by_page(seen: World) -> None:
    maker = seen.maker("Eve")
    first = seen.client.get(f"/v1/contributors/{maker}/records?dataset=lab/faces").get_json()
    shown = parse(seen.page(f"/makers/{maker}/records?dataset=lab/faces")).css("ul.rows > li")
    assert len(shown) == min(25, len(first["items"]))
