"""A real registry in a folder (SQLite, files), and its app's test client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import flask
import pytest
from flask.testing import FlaskClient

from api.app import create_app
from registry.runtime import Runtime, open_runtime, prepare
from tests.api.clock import Clock
from tests.api.world import World, publish_in, world_from
from tests.plugins.parts import copy_registry, settings_in


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder as `init` leaves it, to be copied: migrating takes longer than most tests."""
    folder = tmp_path_factory.mktemp("prepared") / "data"
    prepare(settings_in(folder))
    return folder


@pytest.fixture
def runtime(tmp_path: Path, prepared: Path, clock: Clock) -> Iterator[Runtime]:
    folder = tmp_path / "data"
    copy_registry(prepared, folder)
    opened = open_runtime(
        settings_in(
            folder,
            budget_read="100000/minute",
            budget_lookup="100000/minute",
            budget_write="100000/minute",
        ),
        clock=clock,
    )
    yield opened
    opened.close()


@pytest.fixture
def app(runtime: Runtime) -> flask.Flask:
    return create_app(runtime)


@pytest.fixture
def client(app: flask.Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def published(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one published dataset in it, to be copied."""
    folder = tmp_path_factory.mktemp("published") / "data"
    copy_registry(prepared, folder)
    publish_in(folder)
    return folder


@pytest.fixture
def world(published: Path, tmp_path: Path) -> Iterator[World]:
    with world_from(published, tmp_path / "data") as made:
        yield made
