"""One world to look at, one to change, one that is empty."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from byline.formats.keys import PrivateKey
from registry.runtime import prepare
from tests.plugins.parts import copy_registry, settings_in
from tests.web.world import World, publish_in, world_in


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder to be copied."""
    folder = tmp_path_factory.mktemp("pages") / "data"
    publish_in(folder)
    return folder


@pytest.fixture(scope="session")
def seen(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world that no test changes."""
    folder = tmp_path_factory.mktemp("seen") / "data"
    copy_registry(published, folder)
    with world_in(folder) as world:
        yield world


@pytest.fixture
def world(published: Path, tmp_path: Path) -> Iterator[World]:
    """A world of the test's own."""
    copy_registry(published, tmp_path / "data")
    with world_in(tmp_path / "data") as made:
        yield made


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A registry in which nothing is registered."""
    folder = tmp_path_factory.mktemp("empty") / "data"
    prepare(settings_in(folder))
    with world_in(folder, key=PrivateKey.generate()) as made:
        yield made
