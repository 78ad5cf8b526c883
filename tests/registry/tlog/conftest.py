"""A log in a database of each kind and a store in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.database import make_engine, make_sessions, migrate
from tests.registry.tlog.keeper import Keeper


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def keeper(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Keeper]:
    """An empty log."""
    url = (
        f"sqlite:///{tmp_path}/app.sqlite"
        if request.param == "sqlite"
        else request.getfixturevalue("postgres_url")
    )
    engine = make_engine(url)
    migrate(engine)
    yield Keeper(make_sessions(engine))
    engine.dispose()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Keeper]:
    """An empty log on SQLite alone."""
    engine = make_engine(f"sqlite:///{tmp_path}/app.sqlite")
    migrate(engine)
    yield Keeper(make_sessions(engine))
    engine.dispose()
