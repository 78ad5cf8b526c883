"""A real registry in a folder (SQLite, files), and its app's test client."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import flask
import pytest
from flask.testing import FlaskClient

from api.app import create_app
from registry.config import Settings
from registry.runtime import Runtime, open_runtime, prepare

START = dt.datetime(2026, 5, 4, 12, 0, 0, tzinfo=dt.UTC)


@dataclass
class Clock:
    """A clock that tests turn."""

    now: dt.datetime = field(default=START)

    def __call__(self) -> dt.datetime:
        """The present."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder as `init` leaves it, to be copied: migrating takes longer than most tests."""
    folder = tmp_path_factory.mktemp("prepared") / "data"
    prepare(Settings(data_dir=folder))
    return folder


@pytest.fixture
def runtime(tmp_path: Path, prepared: Path, clock: Clock) -> Iterator[Runtime]:
    folder = tmp_path / "data"
    shutil.copytree(prepared, folder)
    opened = open_runtime(
        Settings(
            data_dir=folder,
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
