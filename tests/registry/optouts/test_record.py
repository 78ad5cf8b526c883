"""A publisher's record is what a plain count of its notices gives, and names nobody: below ten nothing is told apart."""

from __future__ import annotations

import datetime as dt
import math
import random
import statistics
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from byline.errors import NotFound
from registry.database import transaction
from registry.models import Answer, Notice, OptOut
from registry.optouts.record import publisher_record, stats
from tests.registry.optouts.small_registry import NOW, SmallRegistry, small_registry

DAY = dt.timedelta(days=1)


def add(here: SmallRegistry, dataset: str, count: int, **said: Any) -> None:
    """Notices of one dataset, as they stand; `waited`: when the publisher's answers came after the delivery."""
    waited, dataset_id = said.pop("waited", ()), here.dataset(dataset)
    with transaction(here.sessions) as session:
        for at in range(count):
            opt_out, notice = (here.token_bytes(16).hex() for _ in range(2))
            session.add(
                OptOut(
                    id=opt_out, state="in-force", assurance="verified", relation="maker", scope="all", categories=1,
                    vocabulary=[], salt=b"", commitment=here.token_bytes(32).hex(), made_at=NOW,
                )
            )  # fmt: skip
            session.flush()
            told: dict[str, Any] = {"state": "pending", "sent_at": None, "answer_by": None, **said}
            if waited:
                told["answered_at"] = told["sent_at"] + waited[at]
            session.add(
                Notice(
                    id=notice, opt_out_id=opt_out, dataset_id=dataset_id, assurance="verified", versions=["1"],
                    records=1, word_of=[], made_at=NOW, **told,
                )
            )  # fmt: skip
            session.flush()
            if waited:
                for late in (
                    dt.timedelta(),
                    9 * DAY,
                ):  # a later answer amends the first; it is no slower for that
                    session.add(
                        Answer(
                            notice_id=notice, by="publisher", outcome="x", at=told["answered_at"] + late,
                        )
                    )  # fmt: skip


def record(here: SmallRegistry, slug: str = "museum", *, days: int = 0) -> dict[str, Any]:
    with here.sessions() as session:
        return publisher_record(session, slug=slug, now=NOW + days * DAY)


def test_figures_below_ten_are_not_told_apart_from_none(here: SmallRegistry) -> None:
    nothing = record(here)
    add(here, "museum/a", 9, state="exempt", reason="press", sent_at=NOW, waited=[DAY] * 9)
    assert record(here) == nothing
    assert set(nothing["notices"].values()) == {"<10"}
    assert nothing["answer_time"] is nothing["silent_since"] is None
    assert nothing["exempted"] == []


def test_nothing_is_learned_by_subtracting_one_dataset_from_all(here: SmallRegistry) -> None:
    add(here, "museum/large", 12)
    before = record(here)
    add(here, "museum/small", 9)
    assert record(here) == before
    assert before["notices"]["made"] == 12
    with here.sessions() as session:
        assert stats(session, now=NOW)["notices"]["made"] == 12


def test_delivered_answered_gone_and_withdrawn_are_counted(here: SmallRegistry) -> None:
    add(here, "museum/a", 10)
    add(here, "museum/a", 11, state="sent", sent_at=NOW, answer_by=NOW + 30 * DAY)
    add(here, "museum/a", 12, state="unlisted", sent_at=NOW)
    add(here, "museum/b", 13, state="withdrawn", sent_at=NOW)
    add(here, "museum/b", 14, state="said-deleted", sent_at=NOW, waited=[DAY] * 14)
    assert record(here)["notices"] == {
        "made": 60, "delivered": 50, "answered": 14, "gone": 12, "silent": "<10", "withdrawn": 13,
    }  # fmt: skip


def test_silence_begins_when_the_time_is_over(here: SmallRegistry) -> None:
    add(here, "museum/a", 10, state="sent", sent_at=NOW, answer_by=NOW + 30 * DAY)
    add(here, "museum/a", 10, state="acknowledged", sent_at=NOW, answer_by=NOW, waited=[DAY] * 10)
    assert record(here, days=30)["notices"]["silent"] == "<10"
    over = record(here, days=31)
    assert (over["notices"]["silent"], over["silent_since"]) == (10, "2026-12-22")


def test_a_dataset_with_few_silent_ones_does_not_date_the_silence(here: SmallRegistry) -> None:
    add(here, "museum/a", 9, state="sent", sent_at=NOW, answer_by=NOW)
    add(here, "museum/b", 10, state="sent", sent_at=NOW, answer_by=NOW + 7 * DAY)
    assert record(here, days=31)["silent_since"] == "2026-11-29"


@pytest.mark.parametrize("count", [10, 11, 19, 20, 101])
def test_how_fast_is_the_median_and_the_ninetieth_percentile(here: SmallRegistry, count: int) -> None:
    dice = random.Random(count)  # noqa: S311 - repeatable on purpose
    waited = sorted(dice.randrange(1, 10**6) for _ in range(count))
    shuffled = dice.sample(waited, count)
    add(
        here, "museum/a", count, state="sent", sent_at=NOW, waited=[dt.timedelta(seconds=s) for s in shuffled]
    )
    assert record(here)["answer_time"] == {
        "median": statistics.median_low(waited), "p90": waited[math.ceil(count * 0.9) - 1],
    }  # fmt: skip


def test_only_reasons_that_many_got_are_shown(here: SmallRegistry) -> None:
    add(here, "museum/a", 10, state="exempt", reason="press archive")
    add(here, "museum/b", 12, state="exempt", reason="press archive")
    add(here, "museum/b", 11, state="exempt", reason="public domain")
    add(here, "museum/b", 9, state="exempt", reason="we know this person")
    assert record(here)["exempted"] == [
        {"reason": "press archive", "notices": 22},
        {"reason": "public domain", "notices": 11},
    ]


def test_observers_notices_do_not_count(here: SmallRegistry) -> None:
    before = record(here)
    add(here, "museum/a", 20, observed=True)
    assert record(here) == before


def test_of_a_publisher_nobody_approved_nothing_is_told(here: SmallRegistry) -> None:
    before = record(here, "stranger")
    add(here, "stranger/bait", 20, state="exempt", reason="bait", sent_at=NOW)
    assert record(here, "stranger") == before
    with here.sessions() as session:
        assert stats(session, now=NOW)["notices"]["made"] == "<10"


def test_all_publishers_are_added_up(here: SmallRegistry) -> None:
    add(here, "museum/a", 10)
    add(here, "archive/a", 11)
    with here.sessions() as session:
        found = stats(session, now=NOW)
    assert (found["opt_outs"], found["publishers"], found["notices"]["made"]) == (21, 2, 21)


def test_who_is_not_there_is_not_found(here: SmallRegistry) -> None:
    with pytest.raises(NotFound) as caught:
        record(here, "nobody")
    assert caught.value.code == "no-such-publisher"


def test_the_number_of_queries_does_not_grow(here: SmallRegistry) -> None:
    seen: list[str] = []
    with here.sessions() as session:
        event.listen(session.get_bind(), "before_cursor_execute", lambda *said: seen.append(said[2]))

    def count() -> int:
        seen.clear()
        with here.sessions() as session:
            stats(session, now=NOW)
        return sum(one.startswith("SELECT") for one in seen)

    few = count()
    for at in range(5):
        add(here, f"museum/{at}", 10, state="exempt", reason=f"r{at}", sent_at=NOW, waited=[DAY] * 10)
    assert count() == few == 5


@pytest.mark.postgres
def test_postgresql_gives_the_same_figures(here: SmallRegistry, tmp_path: Path, postgres_url: str) -> None:
    with small_registry(tmp_path / "other", database_url=postgres_url) as there:
        there.publisher("museum")
        found = []
        for one in (here, there):
            waited = [at * at * dt.timedelta(seconds=977) for at in range(1, 24)]
            add(one, "museum/a", 23, state="exempt", reason="press", sent_at=NOW, waited=waited)
            add(one, "museum/b", 12, state="sent", sent_at=NOW, answer_by=NOW)
            found.append(record(one, days=1))
    assert found[0] == found[1]
    assert found[0]["notices"]["silent"] == 12
