"""A disk that fills up: big things are refused first, small ones last, reads go on, and nothing is kept half."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from registry import disk
from registry.database import transaction
from registry.jobs import enqueue
from registry.models import Job
from registry.runtime import Runtime
from registry.worker import Worker
from tests.api.clock import START, Clock

CLAIM = {"identity": "flickr:12345678@N00", "email": "jane@mail.example"}


def reserve(runtime: Runtime, part: float) -> None:
    """As if so many times the free space had to stay free."""
    free = shutil.disk_usage(runtime.settings.data_dir).free
    object.__setattr__(runtime.settings, "disk_reserve", int(free * part))


def test_wishes_are_taken_while_extracts_are_not(client: FlaskClient, runtime: Runtime) -> None:
    reserve(runtime, 4)
    assert client.post("/v1/claims", json=CLAIM).status_code == 201
    assert not disk.has_room(runtime.settings)


def test_a_full_disk_takes_no_write_and_answers_reads(client: FlaskClient, runtime: Runtime) -> None:
    reserve(runtime, disk.LAST * 2)
    refused = client.post("/v1/claims", json=CLAIM)
    assert (refused.status_code, refused.get_json()["code"]) == (503, "disk-full")
    assert int(refused.headers["Retry-After"]) > 0
    for address in ("/v1/search?q=jane", "/v1/lookup?q=flickr:12345678@N00", "/v1/datasets", "/healthz", "/"):
        assert client.get(address).status_code == 200
    reserve(runtime, 0)
    assert client.post("/v1/claims", json=CLAIM).status_code == 201


def test_an_ingest_waits_for_room_and_is_never_given_up(runtime: Runtime, clock: Clock) -> None:
    tries: list[Any] = []
    with transaction(runtime.sessions) as session:
        enqueue(session, lane="long", kind="ingest", key="1", payload={"submission": "0" * 32}, now=START)
    reserve(runtime, 4)
    worker = Worker(runtime, rand=lambda: 0.0)
    for _ in range(20):
        clock.now += dt.timedelta(minutes=10)
        tries.append(worker.run_once("long"))
    with runtime.sessions() as session:
        [job] = session.query(Job).all()
    assert (tries, job.state, job.attempts) == ([True] * 20, "ready", 20)
    assert job.last_error is not None
    assert job.last_error.startswith("disk-full")
    reserve(runtime, 0)
    clock.now += dt.timedelta(minutes=10)
    worker.run_once("long")
    with runtime.sessions() as session:
        assert session.query(Job).all() == []


def test_the_fullest_of_the_disks_counts(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = {runtime.settings.data_dir: 5, tmp_path / "store": 3}
    (tmp_path / "store").mkdir()
    object.__setattr__(runtime.settings, "object_store", f"file://{tmp_path / 'store'}")
    object.__setattr__(runtime.settings, "database_url", "postgresql+psycopg:///x")
    usage = type("Usage", (), {})

    def seen(place: Path) -> Any:
        one = usage()
        one.free = free[place]
        return one

    monkeypatch.setattr(shutil, "disk_usage", seen)
    assert disk.left(runtime.settings) == 3
