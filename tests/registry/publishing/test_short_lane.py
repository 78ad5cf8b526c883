"""Nothing short waits for an ingest: a writer gets between its chunks."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable

import pytest
from sqlalchemy import text

from benchmarks.photos import photos
from registry.database import transaction
from registry.models import Act
from tests.registry.publishing.desk import Desk, Registry, extract_of

ROWS = 60_000
LONGEST_WAIT = 0.2  # seconds
TRIES = 3  # a machine that is busy with other things may be slow once


def waits_during(work: Callable[[], None], write: Callable[[int], None]) -> list[float]:
    """How long each of many small writes took while `work` ran."""
    done, waited = threading.Event(), []

    def keep_writing() -> None:
        number = 0
        while not done.is_set():
            began = time.perf_counter()
            write(number)
            waited.append(time.perf_counter() - began)
            number += 1
            time.sleep(0.01)

    thread = threading.Thread(target=keep_writing)
    thread.start()
    try:
        work()
    finally:
        done.set()
        thread.join()
    return waited


def longest_wait(registry: Registry, write: Callable[[int], None]) -> float:
    """Of the best of a few tries, each over an ingest of its own."""
    extract = extract_of(photos(ROWS))
    longest = []
    for attempt in range(TRIES):
        desk = Desk(registry, slug=f"lab-{attempt}")
        desk.register()
        submission = desk.submit(desk.manifest(extract))
        desk.send(submission, extract)
        waited = waits_during(lambda: registry.ingest(submission), write)  # noqa: B023 - used at once
        assert registry.view(submission)["state"] == "published"
        assert len(waited) > 10
        assert statistics.median(waited) < LONGEST_WAIT
        longest.append(max(waited))
        if longest[-1] <= LONGEST_WAIT:
            break
    return min(longest)


@pytest.mark.slow
def test_a_short_writer_of_the_application_never_waits_long(registry: Registry) -> None:
    def write(number: int) -> None:
        with transaction(registry.sessions) as session:
            session.add(Act(kind="test", subject=f"s{number}", ref="", leaf=None, made_at=registry.now))

    assert longest_wait(registry, write) <= LONGEST_WAIT


@pytest.mark.slow
def test_a_short_writer_of_item_keys_never_waits_long(registry: Registry) -> None:
    def write(number: int) -> None:
        with registry.items.begin() as connection:
            connection.execute(
                text("INSERT INTO item_key VALUES (:k, 0, 0)"), {"k": -1 - time.time_ns() - number}
            )

    assert longest_wait(registry, write) <= LONGEST_WAIT
