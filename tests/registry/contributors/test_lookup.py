from __future__ import annotations

import pytest
from sqlalchemy import update

from byline.errors import Refused
from registry.database import transaction
from registry.models import Manifest
from tests.registry.contributors.reading_room import NSID, Room, page, static

OTHER = "99999999@N00"
PROFILE = "https://www.flickr.com/people/jane-doe/"


def test_a_number_that_is_there_is_a_yes_with_its_rows(room: Room) -> None:
    room.publish("alpha/faces", page(OTHER, 1), page(NSID, 2, title="Bridge", license="CC BY 2.0"))
    answer = room.lookup(NSID)
    assert (answer["answer"], answer["need"]) == ("yes", None)
    assert answer["items"] == [
        {
            "dataset": "alpha/faces",
            "version": "1.0.0",
            "answer": "yes",
            "records": 1,
            "rows": [
                {
                    "file": "part-0.csv",
                    "row": 1,
                    "url": f"https://www.flickr.com/photos/{NSID}/2/",
                    "landing_url": f"https://www.flickr.com/photos/{NSID}/2/",
                    "license": "CC-BY-2.0",
                    "title": "Bridge",
                    "creator_name": None,
                }
            ],
        }
    ]


def test_a_dataset_that_knows_all_makers_by_number_can_say_no_to_a_number(room: Room) -> None:
    room.publish("alpha/faces", page(OTHER, 1))
    assert room.lookup(NSID)["answer"] == "no"


def test_an_unlinked_alias_is_undecided_where_only_numbers_are_known(room: Room) -> None:
    room.publish("alpha/faces", page(OTHER, 1))
    answer = room.lookup(PROFILE)
    assert (answer["answer"], answer["need"]) == ("cannot-tell", "photo-link")


def test_an_unlinked_number_is_undecided_where_only_aliases_are_known(room: Room) -> None:
    room.publish("alpha/faces", page("somebody", 1))
    assert room.lookup(NSID)["answer"] == "cannot-tell"


def test_a_linked_alias_is_decided(room: Room) -> None:
    room.publish("alpha/faces", page(OTHER, 1))
    room.publish("beta/links", page(NSID, 2, creator_url=PROFILE))
    assert room.answers(PROFILE) == {"alpha/faces": "no", "beta/links": "yes"}


def test_one_photo_link_decides_what_an_alias_could_not(room: Room) -> None:
    room.publish("alpha/faces", page(NSID, 3072908271), page(OTHER, 5))
    link = "https://www.flickr.com/photos/jane-doe/{}/"
    assert [
        room.lookup(text)["answer"] for text in ("flickr:jane-doe", link.format(3072908271), link.format(77))
    ] == [
        "cannot-tell",
        "yes",
        "no",
    ]


def test_rows_that_name_nobody_leave_a_maker_undecided(room: Room) -> None:
    room.publish("alpha/links", static(1), static(2))
    answer = room.lookup(NSID)
    assert (answer["answer"], answer["need"]) == ("cannot-tell", "photo-link")


def test_a_photo_attributed_elsewhere_is_a_yes_through_the_photo(room: Room) -> None:
    room.publish("alpha/faces", page(NSID, 3072908271))
    room.publish("beta/links", static(5), static(3072908271))
    answer = room.lookup(NSID)
    (through,) = [item for item in answer["items"] if item["dataset"] == "beta/links"]
    assert (through["answer"], [row["row"] for row in through["rows"]]) == ("yes", [1])


def test_a_publisher_nobody_approved_bridges_nothing(room: Room) -> None:
    room.publish("alpha/faces", page(NSID, 3072908271))
    room.publish("beta/links", static(3072908271))
    room.unapprove_all()
    assert room.answers(NSID) == {"alpha/faces": "yes", "beta/links": "cannot-tell"}


def test_a_dataset_of_bare_names_leaves_an_account_undecided(room: Room) -> None:
    room.publish("alpha/names", {"url": "https://a.example/1.jpg", "creator_name": "Jane Doe"})
    assert room.lookup(NSID)["answer"] == "cannot-tell"


def test_a_name_asks_its_own_dataset_only(room: Room) -> None:
    room.publish("alpha/names", {"url": "https://a.example/1.jpg", "creator_name": "Jane Doe"})
    room.publish("beta/names", {"url": "https://b.example/1.jpg", "creator_name": "Jane Doe"})
    asked = [room.answers(f"name:alpha/names:{name}") for name in ("Jane Doe", "Max Roe")]
    assert asked == [{"alpha/names": "yes"}, {"alpha/names": "no"}]


@pytest.mark.parametrize(
    "text",
    [
        "https://www.flickr.com/photos/jane-doe/3072908271/",
        "photo:flickr:3072908271",
        "3072908271",
        "http://farm4.staticflickr.com/3185/3072908271_08764c732a_z.jpg",
        "(https://flic.kr/p/5Fxsz6)",
    ],
)
def test_a_photo_in_any_form_is_answered_exactly(room: Room, text: str) -> None:
    room.publish("alpha/faces", page(NSID, 3072908271), page(OTHER, 1))
    room.publish("beta/links", static(3072908271))
    room.publish("gamma/links", static(1))
    assert room.answers(text) == {"alpha/faces": "yes", "beta/links": "yes", "gamma/links": "no"}


def test_rows_without_photo_and_url_leave_a_photo_undecided(room: Room) -> None:
    room.publish("alpha/faces", page(OTHER, 1), {"creator_name": "Jane Doe", "item_id": "x.jpg"})
    answer = room.lookup("https://www.flickr.com/photos/jane-doe/3072908271/")
    assert (answer["answer"], answer["need"]) == ("cannot-tell", None)


def test_a_row_that_shows_two_photos_is_found_by_either(room: Room) -> None:
    room.publish("alpha/faces", static(11) | page(NSID, 22))
    assert [room.lookup(f"photo:flickr:{photo}")["answer"] for photo in (11, 22)] == ["yes", "yes"]


def test_a_plain_url_is_answered_exactly(room: Room) -> None:
    room.publish("alpha/web", {"url": "https://a.example/p/1.jpg", "creator_name": "Jane"})
    asked = [
        room.lookup(text)["answer"] for text in ("http://www.a.example/p/1.jpg", "https://a.example/p/2.jpg")
    ]
    assert asked == ["yes", "no"]


def test_a_digest_is_undecided_where_none_were_given(room: Room) -> None:
    room.publish("alpha/web", {"url": "https://a.example/1.jpg", "sha256": "ab" * 32})
    room.publish("beta/web", {"url": "https://b.example/1.jpg"})
    asked = {text: room.answers(f"sha256:{text * 32}") for text in ("ab", "cd")}
    assert asked == {
        "ab": {"alpha/web": "yes", "beta/web": "cannot-tell"},
        "cd": {"alpha/web": "no", "beta/web": "cannot-tell"},
    }


def test_a_profile_no_table_knows_is_a_maker(room: Room) -> None:
    room.publish(
        "alpha/web",
        {"url": "https://cdn.example/1.jpg", "creator_url": "https://artists.example/janedoe"},
        {"url": "https://cdn.example/2.jpg", "creator_url": "https://artists.example/maxroe"},
    )
    asked = [
        room.lookup(text)["answer"]
        for text in ("www.artists.example/janedoe/", "https://artists.example/nobody")
    ]
    assert asked == ["yes", "no"]


def test_a_word_that_could_be_a_photo_id_still_asks_for_the_maker(room: Room) -> None:
    room.publish("alpha/faces", page("janedoe_123", 1))
    answer = room.lookup("janedoe_123")
    assert (answer["answer"], len(answer["contributors"])) == ("yes", 1)


def test_what_a_photo_link_found_says_whose_it_is(room: Room) -> None:
    room.publish("alpha/faces", page(NSID, 3072908271, creator_name="Jane Doe"))
    answer = room.lookup("http://farm4.staticflickr.com/3185/3072908271_08764c732a_z.jpg")
    assert [maker["display_name"] for maker in answer["contributors"]] == ["Jane Doe"]


def test_an_older_version_that_holds_them_is_listed_too(room: Room) -> None:
    first = room.publish("alpha/faces", page(NSID, 1), page(OTHER, 2))
    room.registry.now = room.registry.now.replace(hour=13)
    room.publish("alpha/faces", page(OTHER, 2), version="2.0.0", previous=first, supersedes=first)
    answers = [(item["version"], item["answer"]) for item in room.lookup(NSID)["items"]]
    assert answers == [("1.0.0", "yes"), ("2.0.0", "no")]


def test_a_retracted_version_says_nothing(room: Room) -> None:
    digest = room.publish("alpha/faces", page(NSID, 1))
    desk = room.desks["alpha"]
    desk.retract(desk.retraction(digest, previous=digest, name="faces"))
    assert room.lookup(NSID)["items"] == []


def test_a_withheld_dataset_answers_without_its_rows(room: Room) -> None:
    digest = room.publish("alpha/faces", page(NSID, 1, creator_name="Jane"))
    with transaction(room.registry.sessions) as session:
        session.execute(update(Manifest).where(Manifest.digest == digest).values(visibility="withheld"))
    (item,) = room.lookup(NSID)["items"]
    assert (item["answer"], item["records"], item["rows"], room.names("jane")) == ("yes", 1, [], [])


def test_at_most_a_hundred_rows_are_shown_and_all_are_counted(room: Room) -> None:
    room.publish("alpha/faces", *(page(NSID, at) for at in range(1, 131)))
    (item,) = room.lookup(NSID)["items"]
    assert (item["records"], len(item["rows"])) == (130, 100)


@pytest.mark.parametrize("text", ["", "Jane Doe the photographer", "   "])
def test_what_is_no_link_and_no_handle_is_refused(room: Room, text: str) -> None:
    with pytest.raises(Refused) as caught:
        room.lookup(text)
    assert caught.value.code == "unknown-selector"
