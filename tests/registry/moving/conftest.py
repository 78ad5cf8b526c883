"""A small registry with all there is in one, and empty places on the other kind of database and store."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from registry.config import Settings
from registry.contributors import claim as claims
from registry.database import transaction
from registry.runtime import open_runtime, prepare
from registry.worker import Worker
from tests.api.clock import Clock
from tests.api.world import PHOTO, publish_in, world_from
from tests.plugins.parts import copy_registry, settings_in
from tests.plugins.postgres import Postgres
from tests.plugins.s3 import Seaweed

MAKER = "flickr:12345678@N00"


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published dataset, a claim, an opt-out, its notice and its feed."""
    empty = tmp_path_factory.mktemp("filled") / "data"
    prepare(settings_in(empty))
    publish_in(empty)
    folder = empty.with_name("with-opt-out")
    with world_from(empty, folder) as world:
        claim = world.client.post(
            "/v1/claims", json={"identity": MAKER, "email": "jane@example.org"}
        ).get_json()
        with transaction(world.runtime.sessions) as session:
            claims.confirm(
                session, claim_id=claim["id"], who="operator", why="seen", now=world.runtime.clock()
            )
        own = {"id": claim["id"], "token": claim["token"]}
        asked = world.client.post("/v1/opt-outs", json={"claims": [own]})
        assert asked.status_code == 201, asked.text
        world.settle()
    return folder


@pytest.fixture
def settings(filled: Path, tmp_path: Path) -> Settings:
    """A copy of it, which nobody has open."""
    copy_registry(filled, tmp_path / "data")
    return settings_in(tmp_path / "data")


@pytest.fixture
def elsewhere(
    settings: Settings,
    postgres: Postgres,
    s3_server: Seaweed,
    s3_prefix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Settings:
    """PostgreSQL and S3, both empty."""
    for name, value in s3_server.environ.items():
        monkeypatch.setenv(name, value)
    return dataclasses.replace(
        settings, database_url=postgres.new_database(), object_store=s3_server.url(s3_prefix), search=""
    )


@pytest.fixture
def answers(settings: Settings) -> dict[str, Any]:
    """What the registry said before anything was done to it."""
    return said_by(settings)


def said_by(settings: Settings) -> dict[str, Any]:
    """What it answers once its worker has caught up."""
    runtime = open_runtime(settings, clock=Clock())
    try:
        Worker(runtime).settle()
        client = create_app(runtime).test_client()
        paths = (
            "/v1/search?q=jane+doe", f"/v1/lookup?q={PHOTO}", "/v1/datasets", "/v1/datasets/ibm-research/faces",
            "/v1/datasets/ibm-research/faces/notices", "/v1", "/feed/v1/head.json", "/log/checkpoint",
        )  # fmt: skip
        found = {path: client.get(path) for path in paths}
        assert {answer.status_code for answer in found.values()} == {200}, found
        return {path: answer.get_data(as_text=True) for path, answer in found.items()}
    finally:
        runtime.close()
