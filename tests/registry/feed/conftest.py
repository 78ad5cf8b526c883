"""A small registry for each test of the feed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.registry.optouts.small_registry import SmallRegistry, small_registry


@pytest.fixture
def here(tmp_path: Path) -> Iterator[SmallRegistry]:
    """With an approved museum and archive, and a stranger nobody approved."""
    with small_registry(tmp_path) as made:
        made.publisher("museum")
        made.publisher("archive")
        made.publisher("stranger", approved=False)
        yield made
