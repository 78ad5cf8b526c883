"""What an operator sees: numbers that answer questions, and a log without a word of whom it is about."""

from __future__ import annotations

import datetime as dt
import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import flask
import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from byline.formats import entries
from registry import logs
from registry.database import transaction
from registry.jobs import LONG, MAIL, claim, enqueue, fail
from registry.runtime import Runtime
from registry.tlog.append import append
from registry.worker import Worker
from tests.api.clock import Clock

SECRET = "jane.doe@mail.example"


def numbers(client: FlaskClient) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels."""
    text = client.get("/metrics").text
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_an_empty_registry_waits_for_nothing(client: FlaskClient) -> None:
    seen = numbers(client)
    assert {seen["byline_jobs", lane, "ready"] for lane in ("short", "long", "mail", "out")} == {0.0}
    assert seen["byline_log_waiting",] == seen["byline_log_lag_seconds",] == 0.0
    assert seen["byline_disk_free_bytes",] > 0


def test_what_waits_is_counted_with_its_age_and_what_was_given_up_by_kind(
    client: FlaskClient, runtime: Runtime, clock: Clock
) -> None:
    with transaction(runtime.sessions) as session:
        enqueue(session, lane=LONG, kind="ingest", key="1", payload={}, now=clock.now)
        enqueue(session, lane=MAIL, kind="mail", key="2", payload={}, now=clock.now)
        work = claim(session, lane=MAIL, now=clock.now)
        assert work is not None
        fail(session, work, now=clock.now, error="no", jitter=0, final=True)
    clock.now += dt.timedelta(minutes=7)
    seen = numbers(client)
    assert seen["byline_jobs", "long", "ready"] == 1
    assert seen["byline_job_wait_seconds", "long"] == 420
    assert seen["byline_job_wait_seconds", "mail"] == 0
    assert seen["byline_jobs_dead", "mail"] == 1


def test_the_log_lags_until_it_is_integrated(client: FlaskClient, runtime: Runtime, clock: Clock) -> None:
    act(runtime, clock, 1)
    Worker(runtime).settle()
    before = numbers(client)
    assert before["byline_log_entries",] >= 1
    assert before["byline_log_waiting",] == before["byline_log_lag_seconds",] == 0
    act(runtime, clock, 2)
    clock.now += dt.timedelta(seconds=30)
    seen = numbers(client)
    assert (seen["byline_log_waiting",], seen["byline_log_lag_seconds",]) == (1, 30)
    Worker(runtime).settle()
    assert numbers(client)["byline_log_entries",] > before["byline_log_entries",]


def act(runtime: Runtime, clock: Clock, number: int) -> None:
    digest = f"{number:064x}"
    leaf = entries.feed_entry(number, digest, clock.now)
    with transaction(runtime.sessions) as session:
        append(session, kind="feed", subject=f"feed:{number}", ref=digest, leaf=leaf, now=clock.now)


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """The log as JSON, in memory; logging stays as it was."""
    root, stream, before = logging.getLogger(), io.StringIO(), sys.stderr
    kept = (root.level, root.handlers[:])
    sys.stderr = stream
    try:
        logs.configure("json")
        yield stream
    finally:
        sys.stderr = before
        root.level, root.handlers[:] = kept
        logging.getLogger("byline.requests").setLevel(logging.NOTSET)


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_request_is_logged_by_its_route(client: FlaskClient, written: io.StringIO) -> None:
    client.get(f"/v1/search?q={SECRET}")
    client.post("/v1/claims", json={"identity": "flickr:12345678@N00", "email": SECRET})
    [search, claim] = [line for line in lines(written) if line["logger"] == "byline.requests"]
    assert (search["method"], search["route"], search["status"]) == ("GET", "/v1/search", 200)
    assert (claim["route"], claim["status"], claim["level"]) == ("/v1/claims", 201, "info")
    assert SECRET not in written.getvalue()
    assert "12345678" not in written.getvalue()
    assert "127.0.0.1" not in written.getvalue()


def test_an_error_is_logged_by_type_and_place_and_never_by_what_it_quotes(
    app: flask.Flask, written: io.StringIO
) -> None:
    def breaks(secret: str) -> str:
        try:
            return {"known": "x"}[secret]
        except KeyError as error:
            raise ValueError(f"cannot send to {secret}") from error

    app.add_url_rule("/breaks/<secret>", view_func=breaks, endpoint="breaks")
    assert app.test_client().get(f"/breaks/{SECRET}").status_code == 500
    [line] = [one for one in lines(written) if one["level"] == "error"]
    assert line["message"] == "GET /breaks/<secret> failed"
    assert line["error"][-1] == "builtins.ValueError"
    assert "builtins.KeyError" in line["error"]
    assert any("test_operations.py" in place for place in line["error"])
    assert SECRET not in written.getvalue()


def test_a_failed_job_is_logged_by_number(runtime: Runtime, clock: Clock, written: io.StringIO) -> None:
    def breaks(*_: Any) -> None:
        raise OSError(f"550 {SECRET} is unknown")

    with transaction(runtime.sessions) as session:
        enqueue(session, lane=MAIL, kind="mail", key=SECRET, payload={"to": SECRET}, now=clock.now)
    Worker(runtime, does={"mail": breaks}).run_once(MAIL)
    assert "job 1 (mail) failed (attempt 1): builtins.OSError" in written.getvalue()
    assert SECRET not in written.getvalue()
