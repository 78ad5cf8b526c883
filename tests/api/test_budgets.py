"""Budgets hold for all processes of a machine together."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

from flask.testing import FlaskClient

from api.app import create_app
from api.budgets import NEAR, SCHEME, SLOTS, SharedCounters
from registry.runtime import Runtime

KEY = bytes(32).hex()


def counters(path: Path, key: str = KEY) -> SharedCounters:
    return SharedCounters(f"{SCHEME}://{path}", key=key)


def count(path: Path, times: int) -> None:
    table = counters(path)
    for _ in range(times):
        table.incr("somebody", 600)


def test_processes_count_together(tmp_path: Path) -> None:
    path = tmp_path / "budgets"
    context = multiprocessing.get_context("fork")
    several = [context.Process(target=count, args=(path, 500)) for _ in range(3)]
    for one in several:
        one.start()
    for one in several:
        one.join()
    assert counters(path).get("somebody") == 1_500
    assert counters(path).get("somebody else") == 0


def test_a_window_ends(tmp_path: Path) -> None:
    table = counters(tmp_path / "budgets")
    assert [table.incr("a", 600), table.incr("a", 600)] == [1, 2]
    assert table.get_expiry("a") > 0
    table.clear("a")
    assert table.get("a") == 0
    assert table.incr("b", -2) == 1  # a window that is over already
    assert table.get("b") == 0
    assert table.incr("b", 600) == 1


def test_it_stays_as_large_as_it_is_and_counts_on_when_crowded(tmp_path: Path) -> None:
    path = tmp_path / "budgets"
    table = counters(path)
    for number in range(SLOTS // 4):
        table.incr(f"caller {number}", 600)
    assert path.stat().st_size == SLOTS * 16
    lost = sum(table.get(f"caller {number}") != 1 for number in range(SLOTS // 4))
    assert lost <= NEAR


def test_the_file_names_nobody(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    counters(one).incr("LIMITER/192.0.2.1/write", 600)
    counters(other, "01" * 32).incr("LIMITER/192.0.2.1/write", 600)
    assert b"192.0.2.1" not in one.read_bytes()
    assert one.read_bytes() != other.read_bytes()  # who has no key cannot try addresses


def test_two_servers_of_one_registry_share_what_one_address_may(
    client: FlaskClient, runtime: Runtime
) -> None:
    object.__setattr__(runtime.settings, "budget_lookup", "3/minute")
    first, second = (create_app(runtime).test_client() for _ in range(2))
    answers = [
        app.get("/v1/lookup?q=flickr:12345678@N00").status_code for app in (first, second, first, second)
    ]
    assert answers == [200, 200, 200, 429]
    del client
