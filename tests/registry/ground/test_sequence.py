from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sqlalchemy import select

from byline.errors import Refused
from registry.database import Sessions, transaction
from registry.models import Act
from registry.tlog import sequence
from registry.tlog.append import append, hash_leaf
from registry.tlog.sequence import assign_numbers, last_number, log_size

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


def act(sessions: Sessions, leaf: bytes | None) -> int:
    with transaction(sessions) as session:
        return append(
            session,
            kind="test",
            subject="s",
            ref="r" if leaf is None else leaf.hex()[:64],
            leaf=leaf,
            now=NOW,
        ).id


def number_all(sessions: Sessions) -> int:
    total = 0
    while True:
        with transaction(sessions) as session:
            given = assign_numbers(session)
        total += given
        if not given:
            return total


def acts(sessions: Sessions) -> list[Act]:
    with sessions() as session:
        return list(session.scalars(select(Act).order_by(Act.id)))


def test_numbers_follow_ids_and_indexes_count_public_acts_only(sessions: Sessions) -> None:
    for leaf in (b"a", None, b"b", None, None, b"c"):
        act(sessions, leaf)
    assert number_all(sessions) == 6
    assert [(a.number, a.log_index) for a in acts(sessions)] == [
        (0, 0),
        (1, None),
        (2, 1),
        (3, None),
        (4, None),
        (5, 2),
    ]


def test_numbers_go_on_where_they_ended(sessions: Sessions) -> None:
    for leaf in (b"a", b"b"):
        act(sessions, leaf)
        number_all(sessions)
    assert [(a.number, a.log_index) for a in acts(sessions)] == [(0, 0), (1, 1)]
    with sessions() as session:
        assert (last_number(session), log_size(session)) == (2, 2)


def test_an_act_that_was_rolled_back_leaves_no_gap(sessions: Sessions) -> None:
    act(sessions, b"a")
    with suppress(ValueError), transaction(sessions) as session:
        append(session, kind="test", subject="s", ref="r", leaf=b"lost", now=NOW)
        raise ValueError
    act(sessions, b"b")
    number_all(sessions)
    assert [a.number for a in acts(sessions)] == [0, 1]


def test_a_number_given_in_a_rolled_back_transaction_is_given_again(sessions: Sessions) -> None:
    act(sessions, b"a")
    with suppress(ValueError), transaction(sessions) as session:
        assign_numbers(session)
        raise ValueError
    number_all(sessions)
    assert [a.number for a in acts(sessions)] == [0]


def test_the_number_of_an_act_that_is_gone_is_never_given_again(sessions: Sessions) -> None:
    act(sessions, None)
    number_all(sessions)
    with transaction(sessions) as session:
        session.delete(session.scalars(select(Act)).one())
    act(sessions, None)
    number_all(sessions)
    assert [a.number for a in acts(sessions)] == [1]


def test_two_sequencers_racing_with_writers_leave_no_gap(sessions: Sessions) -> None:
    writing = threading.Event()
    writing.set()

    def write(n: int) -> None:
        for m in range(15):
            act(sessions, b"%d/%d" % (n, m) if m % 3 else None)

    def give(_: int) -> None:
        while writing.is_set():
            with transaction(sessions) as session:
                assign_numbers(session)

    with ThreadPoolExecutor(5) as pool:
        sequencers = [pool.submit(give, n) for n in range(2)]
        writers = [pool.submit(write, n) for n in range(3)]
        for writer in writers:
            writer.result()
        writing.clear()
        for sequencer in sequencers:
            sequencer.result()
    number_all(sessions)
    found = acts(sessions)
    assert sorted(a.number for a in found if a.number is not None) == list(range(45))
    by_number = sorted(found, key=lambda a: a.number or 0)
    assert [a.log_index for a in by_number if a.leaf is not None] == list(range(30))
    assert {a.log_index for a in found if a.leaf is None} == {None}


def test_more_than_one_batch_is_numbered_in_order(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequence, "BATCH", 3)
    for n in range(8):
        act(sessions, b"%d" % n)
    number_all(sessions)
    assert [a.log_index for a in acts(sessions)] == list(range(8))


def test_the_same_leaf_again_is_the_act_that_stands(sessions: Sessions) -> None:
    assert act(sessions, b"same") == act(sessions, b"same")
    assert len(acts(sessions)) == 1


def test_a_leaf_hash_is_rfc_6962s(sessions: Sessions) -> None:
    act(sessions, b"")
    # RFC 6962 test vector: the hash of the empty leaf
    assert acts(sessions)[0].leaf_hash == hash_leaf(b"")
    assert hash_leaf(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


def test_a_leaf_that_no_bundle_can_hold_is_refused(sessions: Sessions) -> None:
    act(sessions, b"x" * 65_535)
    with pytest.raises(Refused) as caught:
        act(sessions, b"x" * 65_536)
    assert caught.value.code == "entry-too-long"
