from __future__ import annotations

from collections.abc import Iterable

import pytest
from sqlalchemy import select

from registry.contributors import indexing
from registry.database import transaction
from registry.models import AliasLink, Follower, Suggestion
from search import Document, Gone
from tests.registry.contributors.reading_room import NSID, Room, page


def state(room: Room) -> tuple[object, ...]:
    with room.registry.sessions() as session:
        suggestions = session.execute(
            select(Suggestion.token, Suggestion.rank, Suggestion.contributor_id)
        ).all()
        number = session.scalar(select(Follower.number))
    return (
        sorted(map(tuple, suggestions)),
        number,
        room.engine.position(),
        room.engine.count(),
        room.search("jane")["items"],
    )


def fill(room: Room) -> None:
    room.publish(
        "alpha/faces",
        *(page(f"{10000000 + at}@N00", at + 1, creator_name=f"Jane Doe{at}") for at in range(7)),
    )
    room.publish(
        "beta/birds",
        page(NSID, 50, creator_name="Jane Birdwatcher"),
        page("10000001@N00", 51, creator_name="J. Doe"),
    )


def test_following_twice_changes_nothing(room: Room) -> None:
    fill(room)
    before = state(room)
    assert (room.follow(), state(room)) == (0, before)


def test_small_steps_and_small_pieces_give_the_same(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(room)
    before = state(room)
    monkeypatch.setattr(indexing, "PIECE", 2)
    room.engine.clear()
    room.follow(most=1)
    assert state(room) == before


def test_a_lost_index_is_made_again_from_number_zero(room: Room) -> None:
    fill(room)
    before = state(room)
    room.engine.clear()
    assert (room.follow() > 0, state(room)) == (True, before)


def test_setting_the_number_to_zero_rebuilds(room: Room) -> None:
    fill(room)
    before = state(room)
    room.engine.apply([Document(9999, ("Jane Nobody",))], position=room.engine.position())
    with transaction(room.registry.sessions) as session:
        session.get_one(Follower, indexing.NAME).number = 0
    room.follow()
    assert state(room) == before


@pytest.mark.parametrize("at", ["before", "after"])
def test_a_crash_around_the_commit_costs_a_repeat_only(
    room: Room, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(room)
    before = state(room)
    room.engine.clear()
    commit = room.engine.apply

    def killed(changes: Iterable[Document | Gone], *, position: int, bulk: bool = False) -> int:
        if at == "after":
            commit(changes, position=position, bulk=bulk)
        else:
            list(changes)
        raise RuntimeError("killed")

    monkeypatch.setattr(room.engine, "apply", killed)
    with pytest.raises(RuntimeError, match="killed"):
        room.follow()
    monkeypatch.undo()
    room.follow()
    assert state(room) == before


def test_a_suspended_publisher_parts_what_it_had_joined(room: Room) -> None:
    room.publish("alpha/faces", page("jane-doe", 1, creator_name="Jane"))
    room.publish("beta/birds", page(NSID, 2, creator_name="Jane"))
    room.publish(
        "gamma/links",
        page(NSID, 3, creator_url="https://www.flickr.com/photos/jane-doe/", creator_name="Jane"),
    )
    joined = [item["records"] for item in room.search("jane")["items"]]
    room.standing("gamma", approved=False)
    parted = sorted(item["records"] for item in room.search("jane")["items"])
    count = room.engine.count()
    room.standing("gamma", approved=True)
    assert (joined, parted, count, room.engine.count()) == ([3], [2, 2], 2, 1)


def test_a_photo_attributed_twice_joins_makers_of_two_datasets_in_the_index(room: Room) -> None:
    room.publish(
        "alpha/faces", page("jane-doe", 1, creator_name="Jane"), page("jane-doe", 2, creator_name="Jane")
    )
    room.publish("beta/birds", page(NSID, 2, creator_name="Jane D."))
    with room.registry.sessions() as session:
        links = session.scalars(select(AliasLink.how)).all()
    (item,) = room.search("jane")["items"]
    assert (list(links), item["records"], item["contributor"]["platform_id"], room.engine.count()) == (
        ["photo"],
        3,
        NSID,
        1,
    )
