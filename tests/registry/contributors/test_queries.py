from __future__ import annotations

import pytest

from byline.errors import NotFound
from registry.contributors import queries
from tests.registry.contributors.reading_room import NSID, Room, page

ALIAS = {"creator_url": "https://www.flickr.com/people/jane-doe/"}


def test_a_linked_handle_answers_for_all_of_them(room: Room) -> None:
    room.publish("alpha/faces", page(NSID, 1, creator_name="Jane", **ALIAS), page("jane-doe", 2))
    with room.registry.sessions() as session:
        by_alias = queries.contributor(session, room.contributor("flickr:jane-doe").public_id)
        by_number = queries.contributor(session, room.contributor(f"flickr:{NSID}").public_id)
    assert (by_alias, by_alias["records"]) == (by_number, 2)
    assert {handle["key"] for handle in by_alias["handles"]} == {f"flickr:{NSID}", "flickr:jane-doe"}


def test_records_come_in_pages_each_row_once(room: Room) -> None:
    rows = [page(NSID, at, title=f"No {at}", **(ALIAS if at % 3 else {})) for at in range(1, 13)]
    room.publish("alpha/faces", *rows, page("99999999@N00", 50))
    public_id = room.contributor(f"flickr:{NSID}").public_id
    seen: list[int] = []
    cursor: str | None = None
    while True:
        with room.registry.sessions() as session:
            answer = queries.contributor_records(
                session,
                store=room.registry.store,
                public_id=public_id,
                dataset="alpha/faces",
                limit=5,
                cursor=cursor,
            )
        seen += [row["row"] for row in answer["items"]]
        if (cursor := answer["next"]) is None:
            break
    assert sorted(seen) == list(range(12))


def test_a_public_registry_names_no_row_of_files_that_not_everybody_has(room: Room) -> None:
    room.publish("alpha/faces", page(NSID, 1, title="One"))
    public_id = room.contributor(f"flickr:{NSID}").public_id
    with room.registry.sessions() as session:
        answer = queries.contributor_records(
            session, store=room.registry.store, public_id=public_id, dataset="alpha/faces", shown="open"
        )
    [row] = answer["items"]
    assert (row["file"], row["row"], row["title"]) == (None, None, "One")
    assert row["url"] == row["landing_url"]
    assert "photo" not in row


def test_who_is_nowhere_is_not_found(room: Room) -> None:
    room.publish("alpha/faces", page(NSID, 1))
    with room.registry.sessions() as session, pytest.raises(NotFound) as caught:
        queries.contributor(session, "0" * 32)
    assert caught.value.code == "no-such-contributor"


def test_a_dataset_that_holds_nothing_of_theirs_is_not_found(room: Room) -> None:
    room.publish("alpha/faces", page(NSID, 1))
    room.publish("beta/birds", page("99999999@N00", 1))
    public_id = room.contributor(f"flickr:{NSID}").public_id
    with room.registry.sessions() as session, pytest.raises(NotFound) as caught:
        queries.contributor_records(
            session, store=room.registry.store, public_id=public_id, dataset="beta/birds"
        )
    assert caught.value.code == "no-records"
