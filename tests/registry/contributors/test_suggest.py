from __future__ import annotations

from tests.registry.contributors.reading_room import NSID, Room, page


def test_the_beginning_of_a_word_offers_makers_most_records_first(room: Room) -> None:
    room.publish(
        "alpha/faces",
        page("11111111@N00", 1, creator_name="Jana Novák"),
        *(page("22222222@N00", 10 + at, creator_name="Max Janda") for at in range(3)),
        page("33333333@N00", 2, creator_name="Peter Pan"),
    )
    assert room.suggest("jan") == ["Max Janda", "Jana Novák"]


def test_the_words_before_must_be_theirs(room: Room) -> None:
    room.publish(
        "alpha/faces",
        page("11111111@N00", 1, creator_name="Jana Novák"),
        page("22222222@N00", 2, creator_name="Petra Novák"),
    )
    assert room.suggest("jana nov") == ["Jana Novák"]


def test_another_script_is_offered_by_its_own_letters_and_by_latin_ones(room: Room) -> None:
    room.publish("alpha/faces", page(NSID, 1, creator_name="Пётр Чайковский"))
    assert (room.suggest("чайк"), room.suggest("chayk")) == (["Пётр Чайковский"], ["Пётр Чайковский"])


def test_one_letter_offers_nothing(room: Room) -> None:
    room.publish("alpha/faces", page(NSID, 1, creator_name="Jana Novák"))
    assert (room.suggest("j"), room.suggest("")) == ([], [])


def test_a_contributor_is_offered_once(room: Room) -> None:
    room.publish(
        "alpha/faces", page(NSID, 1, creator_name="Jana Janda Janov"), page(NSID, 2, creator_name="Jan J.")
    )
    assert room.suggest("ja") == ["Jan J."]
