from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, event, func, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

import registry.database
from byline.errors import Conflict, Refused, Unavailable
from registry.database import (
    Sessions,
    check_migrated,
    make_engine,
    make_sessions,
    migrate,
    one_at_a_time,
    only_one,
    presence,
    transaction,
)
from registry.models import Follower


def names(sessions: Sessions) -> list[str]:
    with sessions() as session:
        return list(session.scalars(select(Follower.name).order_by(Follower.name)))


def test_a_transaction_commits(sessions: Sessions) -> None:
    with transaction(sessions) as session:
        session.add(Follower(name="a"))
    assert names(sessions) == ["a"]


def test_an_error_rolls_everything_back(sessions: Sessions) -> None:
    with suppress(ValueError), transaction(sessions) as session:
        session.add(Follower(name="a"))
        session.flush()
        raise ValueError
    assert names(sessions) == []


def test_a_session_outside_a_transaction_cannot_flush(sessions: Sessions) -> None:
    with sessions() as session:
        session.add(Follower(name="a"))
        with pytest.raises(RuntimeError, match="only reads"):
            session.commit()


@pytest.mark.parametrize("change", [delete(Follower), update(Follower).values(number=1)])
def test_a_session_outside_a_transaction_cannot_change_rows(sessions: Sessions, change: object) -> None:
    with sessions() as session, pytest.raises(RuntimeError, match="only reads"):
        session.execute(change)  # type: ignore[call-overload]


def test_what_contradicts_a_constraint_is_a_conflict(sessions: Sessions) -> None:
    with transaction(sessions) as session:
        session.add(Follower(name="a"))
    with pytest.raises(Conflict) as caught, transaction(sessions) as session:
        session.add(Follower(name="a"))
    assert caught.value.code == "changed-meanwhile"


def test_a_reader_goes_on_while_a_writer_writes(sessions: Sessions) -> None:
    with transaction(sessions) as writing:
        writing.add(Follower(name="a"))
        writing.flush()
        assert names(sessions) == []
    assert names(sessions) == ["a"]


def test_two_that_read_then_write_do_not_lose_an_update(sessions: Sessions) -> None:
    with transaction(sessions) as session:
        session.add(Follower(name="n", number=0))

    def add_one(_: int) -> None:
        with transaction(sessions) as session:
            one_at_a_time(session, "n")
            session.get_one(Follower, "n").number += 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add_one, range(40)))
    with sessions() as session:
        assert session.scalar(select(Follower.number)) == 40


@pytest.mark.postgres
def test_a_writer_that_waits_too_long_on_postgresql_is_told_to_come_again(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry.database, "BUSY_MS", 50)
    engine = make_engine(postgres_url)
    sessions = make_sessions(engine)
    with transaction(sessions) as first:
        one_at_a_time(first, "subject")
        with pytest.raises(Unavailable) as caught, transaction(sessions) as second:
            one_at_a_time(second, "subject")
    engine.dispose()
    assert caught.value.code == "database-busy"


def test_a_duty_may_hold_the_lock_of_its_name_in_its_transactions(engine: Engine, sessions: Sessions) -> None:
    with only_one(engine, "sequence") as mine, transaction(sessions) as session:
        one_at_a_time(session, "sequence")
    assert mine


def test_a_writer_that_waits_too_long_is_told_to_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry.database, "BUSY_MS", 50)
    engine = make_engine(f"sqlite:///{tmp_path}/a.sqlite")
    migrate(engine)
    sessions = make_sessions(engine)
    with transaction(sessions), pytest.raises(Unavailable) as caught, transaction(sessions):
        raise AssertionError("two writers at once")
    engine.dispose()
    assert caught.value.code == "database-busy"


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("foreign_keys", 1), ("synchronous", 2), ("busy_timeout", 15_000)],
)
def test_sqlite_is_set_up_to_lose_nothing(tmp_path: Path, pragma: str, value: object) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/a.sqlite")
    with engine.connect() as connection:
        assert connection.scalar(text(f"PRAGMA {pragma}")) == value
    engine.dispose()


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "sqlite:///:memory:", "nonsense"])
def test_a_database_that_will_not_do_is_refused(url: str) -> None:
    with pytest.raises(Refused) as caught:
        make_engine(url)
    assert caught.value.code == "bad-database-url"


def test_a_plain_postgresql_url_means_psycopg_3() -> None:
    engine = make_engine("postgresql://somewhere/db")
    assert engine.url.drivername == "postgresql+psycopg"


def test_a_duty_is_held_by_one(engine: Engine) -> None:
    with (
        only_one(engine, "index") as first,
        only_one(engine, "index") as second,
        only_one(engine, "other") as third,
    ):
        assert (first, second, third) == (True, False, True)
    with only_one(engine, "index") as again:
        assert again


def test_a_duty_is_held_by_one_of_many_threads(engine: Engine) -> None:
    gate = threading.Barrier(6)

    def attend(_: int) -> bool:
        gate.wait()
        with only_one(engine, "index") as mine:
            gate.wait()
            return mine

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(attend, range(6))).count(True) == 1


def test_only_the_first_living_worker_of_a_lane_is_alone(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/a.sqlite")
    with (
        presence(engine, "short") as first,
        presence(engine, "short") as second,
        presence(engine, "long") as other,
    ):
        assert (first, second, other) == (True, False, True)
    with presence(engine, "short") as again:
        assert again
    engine.dispose()


@pytest.mark.postgres
def test_many_machines_never_know_that_they_are_alone(postgres_url: str) -> None:
    engine = make_engine(postgres_url)
    with presence(engine, "short") as alone:
        assert not alone
    engine.dispose()


def test_an_unmigrated_database_names_the_command(database_url: str) -> None:
    engine = make_engine(database_url)
    with pytest.raises(Refused, match="byline-registry init") as caught:
        check_migrated(engine)
    migrate(engine)
    check_migrated(engine)
    engine.dispose()
    assert caught.value.code == "not-migrated"


def test_sessions_are_closed_after_a_transaction(engine: Engine, sessions: Sessions) -> None:
    held: list[Session] = []
    with transaction(sessions) as session:
        held.append(session)
        session.scalar(select(func.count()).select_from(Follower))
    assert not held[0].in_transaction()


def test_a_writer_that_waited_leaves_its_connection_as_it_was(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/a.sqlite")
    migrate(engine)
    sessions, begun = make_sessions(engine), threading.Event()

    def hold() -> None:
        with transaction(sessions):
            begun.set()
            time.sleep(0.1)

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(hold)
        begun.wait(60)
        with transaction(sessions) as session:
            assert session.scalar(text("PRAGMA busy_timeout")) == 15_000
        held.result()
    engine.dispose()


def test_a_database_that_may_not_be_written_is_no_busy_one(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/a.sqlite")
    sessions = make_sessions(engine)
    event.listen(engine, "connect", lambda raw, _record: raw.execute("PRAGMA query_only=ON"))
    with pytest.raises(OperationalError, match="readonly"), transaction(sessions) as session:
        session.execute(text("CREATE TABLE a (b)"))
    engine.dispose()


def test_a_write_that_kept_others_waiting_is_said_by_its_place(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(registry.database, "LONG_WRITE", -1.0)
    with caplog.at_level("INFO", logger="registry.database"), transaction(sessions):
        pass
    [said] = [vars(record)["write"] for record in caplog.records]
    assert (said["module"], said["function"]) == (
        "test_database",
        "test_a_write_that_kept_others_waiting_is_said_by_its_place",
    )
    assert said.keys() >= {"held", "waited"}
