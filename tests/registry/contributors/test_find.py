from __future__ import annotations

import pytest
from sqlalchemy import select

from byline.errors import Refused
from registry.database import transaction
from registry.models import Contributor, Dataset
from registry.tlog import append
from tests.registry.contributors.reading_room import NSID, Room, page, static


def test_one_search_goes_over_all_datasets_and_shows_what_each_discloses(room: Room) -> None:
    room.publish(
        "alpha/faces", page(NSID, 101, creator_name="Jane Doe", license="CC BY 2.0", title="Bridge, 2011")
    )
    room.publish(
        "beta/birds", page(NSID, 102, creator_name="Jane Doe"), page(NSID, 103, creator_name="Jane Doe")
    )
    (item,) = room.search("jane doe")["items"]
    assert (item["records"], item["match"], item["contributor"]["key"]) == (3, "exact", f"flickr:{NSID}")
    assert [(held["dataset"], held["records"]) for held in item["datasets"]] == [
        ("beta/birds", 2),
        ("alpha/faces", 1),
    ]
    assert item["datasets"][1] == {
        "dataset": "alpha/faces",
        "version": "1.0.0",
        "role": "holder",
        "publisher_status": "self-declared",
        "records": 1,
        "licenses": {"CC-BY-2.0": 1},
        "annotations": [{"name": "landmarks", "category": "biometric", "method": "machine"}],
        "purposes": ["face-recognition"],
        "access": "research-only",
        "samples": [{"title": "Bridge, 2011", "year": 2011}],
    }


def test_a_contributor_says_where_they_are_at_home(room: Room) -> None:
    room.publish(
        "alpha/faces", page(NSID, 101, creator_name="Jane Doe"), page(NSID, 102, creator_name="jdoe")
    )
    maker = room.search("jdoe")["items"][0]["contributor"]
    assert maker | {"id": ""} == {
        "id": "",
        "key": f"flickr:{NSID}",
        "display_name": "Jane Doe",
        "platform": "flickr",
        "platform_id": NSID,
        "profile_url": f"https://www.flickr.com/people/{NSID}/",
        "names": ["Jane Doe", "jdoe"],
    }


def test_one_platform_id_in_many_spellings_is_one_contributor(room: Room) -> None:
    names = ["Łucja Żak", "Lucja Zak", "Żak, Łucja", "lucja z."]
    room.publish("alpha/faces", *(page(NSID, 100 + at, creator_name=name) for at, name in enumerate(names)))
    room.publish("beta/birds", page(NSID.replace("@", "%40").lower(), 200, creator_name="LUCJA"))
    (item,) = room.search("lucja")["items"]
    assert (item["records"], set(item["contributor"]["names"])) == (5, {*names, "LUCJA"})


def test_alike_names_are_never_merged(room: Room) -> None:
    room.publish(
        "alpha/faces",
        *(page(f"1234567{at}@N00", 100 + at, creator_name="John Smith") for at in range(3)),
        {"url": "https://a.example/1.jpg", "creator_name": "John Smith"},
    )
    room.publish("beta/birds", {"url": "https://b.example/1.jpg", "creator_name": "John Smith"})
    found = room.search("John Smith")["items"]
    assert (len(found), {item["records"] for item in found}) == (5, {1})


def test_more_records_come_first_among_equals(room: Room) -> None:
    few, many = "11111111@N00", "22222222@N00"
    rows = [page(few, 1, creator_name="Ann Lee")] + [
        page(many, 10 + at, creator_name="Ann Lee") for at in range(4)
    ]
    room.publish("alpha/faces", *rows)
    assert [item["records"] for item in room.search("ann lee")["items"]] == [4, 1]


def test_exact_comes_before_folded_before_prefix_before_fuzzy_whatever_there_is(room: Room) -> None:
    names = {
        "11111111@N00": "Müllerova",
        "22222222@N00": "Muller",
        "33333333@N00": "Müller",
        "44444444@N00": "Mulier",
    }
    rows = [page(owner, at, creator_name=name) for at, (owner, name) in enumerate(names.items(), 1)]
    extra = [page("44444444@N00", 50 + at, creator_name="Mulier") for at in range(5)]
    room.publish("alpha/faces", *rows, *extra)
    found = [(item["contributor"]["display_name"], item["match"]) for item in room.search("müller")["items"]]
    assert found == [("Müller", "exact"), ("Muller", "folded"), ("Müllerova", "prefix"), ("Mulier", "fuzzy")]


@pytest.mark.parametrize(
    "text",
    [
        "Jane Doering",
        "jane doerign",
        "doering, jane",
        "Jane Doe",
        NSID,
        "12345678%40N00",
        f"flickr:{NSID}",
        f"https://www.flickr.com/people/{NSID}/",
        f"www.flickr.com/photos/{NSID}",
        f"https://flickr.com/photos/{NSID}/3072908271/in/photostream/",
        "photo:flickr:3072908271",
        "https://live.staticflickr.com/3185/3072908271_08764c732a_z.jpg",
        "https://flic.kr/p/5Fxsz6",
    ],
)
def test_one_box_finds_a_person_however_they_are_named(room: Room, text: str) -> None:
    room.publish(
        "alpha/faces",
        page(NSID, 3072908271, creator_name="Jane Doering"),
        page("99999999@N00", 7, creator_name="Max"),
    )
    found = room.search(text, items=room.registry.items)["items"]
    assert [item["contributor"]["key"] for item in found][:1] == [f"flickr:{NSID}"]


def test_a_record_with_two_handles_is_one_contributor_counted_once(room: Room) -> None:
    both = {
        "creator_url": "https://www.flickr.com/photos/jane-doe/",
        "creator_name": "Jane",
        "license": "CC0",
    }
    room.publish(
        "alpha/faces",
        *(page(NSID, 100 + at, **both) for at in range(3)),
        page(NSID, 200, creator_name="Jane"),
    )
    (item,) = room.search("jane")["items"]
    held = item["datasets"][0]
    assert (item["records"], held["records"], held["licenses"]) == (4, 4, {"CC0-1.0": 3, "not-stated": 1})


def test_pages_cover_every_hit_once_in_order(room: Room) -> None:
    room.publish(
        "alpha/faces",
        *(page(f"{10000000 + at}@N00", at + 1, creator_name=f"Ann Lee{at % 3}") for at in range(25)),
    )
    whole = [item["contributor"]["id"] for item in room.search("ann", limit=100)["items"]]
    paged: list[str] = []
    cursor: str | None = None
    while True:
        answer = room.search("ann", limit=7, cursor=cursor)
        paged += [item["contributor"]["id"] for item in answer["items"]]
        if (cursor := answer["next"]) is None:
            break
    assert (paged, len(set(paged))) == (whole, 25)


def test_the_number_of_statements_does_not_depend_on_what_is_found(room: Room) -> None:
    room.publish(
        "alpha/faces",
        *(page(f"{10000000 + at}@N00", at + 1, creator_name=f"Ann Lee{at}") for at in range(30)),
    )
    room.publish(
        "beta/birds",
        page("20000000@N00", 99, creator_name="Solitary"),
        page("10000001@N00", 98, creator_name="Ann"),
    )
    with room.counted() as many:
        room.search("ann", limit=30)
    with room.counted() as one:
        room.search("solitary", limit=30)
    assert len(many) == len(one) <= 12


def test_a_hidden_contributor_is_in_no_name_search(room: Room) -> None:
    room.publish(
        "alpha/faces",
        page(NSID, 1, creator_name="Jane Doe"),
        page("99999999@N00", 2, creator_name="Jane Roe"),
    )
    with transaction(room.registry.sessions) as session:
        one = session.scalars(select(Contributor).where(Contributor.key == f"flickr:{NSID}")).one()
        one.hidden = True
        append.append(
            session, kind="hidden", subject="contributor", ref=one.public_id, leaf=None, now=room.registry.now
        )
    before = room.names("jane")
    room.follow()
    assert (before, room.names("jane"), room.suggest("jane"), room.engine.count()) == (
        ["Jane Roe"],
        ["Jane Roe"],
        ["Jane Roe"],
        1,
    )


def test_a_hidden_dataset_shows_nobody(room: Room) -> None:
    room.publish("alpha/faces", page(NSID, 1, creator_name="Jane Doe"))
    with transaction(room.registry.sessions) as session:
        session.scalars(select(Dataset)).one().hidden = True
    assert room.names("jane") == []


def test_a_retracted_manifest_leaves_search(room: Room) -> None:
    digest = room.publish("alpha/faces", page(NSID, 1, creator_name="Jane Doe"))
    desk = room.desks["alpha"]
    desk.retract(desk.retraction(digest, previous=digest, name="faces"))
    gone_at_once = room.names("jane")
    room.follow()
    assert (gone_at_once, room.engine.count(), room.suggest("jane")) == ([], 0, [])


def test_of_several_versions_the_newest_that_holds_them_is_shown(room: Room) -> None:
    first = room.publish(
        "alpha/faces", page(NSID, 1, creator_name="Jane Doe"), page("99999999@N00", 2, creator_name="Max Roe")
    )
    room.registry.now = room.registry.now.replace(hour=13)
    rows = [page(NSID, at, creator_name="Jane Doe") for at in range(1, 4)]
    room.publish("alpha/faces", *rows, version="2.0.0", previous=first, supersedes=first)
    shown = {
        name: [(held["version"], held["records"]) for held in room.search(name)["items"][0]["datasets"]]
        for name in ("jane doe", "max roe")
    }
    assert shown == {"jane doe": [("2.0.0", 3)], "max roe": [("1.0.0", 1)]}


def test_an_answer_says_how_much_of_the_log_it_knows(room: Room) -> None:
    room.publish("alpha/faces", page(NSID, 1, creator_name="Jane Doe"))
    assert room.search("jane")["as_of"] == {"log_size": 2}  # the publisher, the manifest


def test_a_dataset_without_makers_adds_nobody(room: Room) -> None:
    room.publish("alpha/faces", static(1), static(2))
    assert room.engine.count() == 0


@pytest.mark.parametrize("text", ["", "  \n "])
def test_an_empty_query_is_refused(room: Room, text: str) -> None:
    with pytest.raises(Refused) as caught:
        room.search(text)
    assert caught.value.code == "empty-query"


@pytest.mark.parametrize("cursor", ["x", "W10", "WzEsMiwzXQ", "ÄÖ", "bnVsbA", "WzEsMiwzLCJ4Il0"])
def test_a_strange_cursor_is_refused(room: Room, cursor: str) -> None:
    with pytest.raises(Refused) as caught:
        room.search("jane", cursor=cursor)
    assert caught.value.code == "bad-cursor"
