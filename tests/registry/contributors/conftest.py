from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.registry.contributors.reading_room import Room, room_in


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with room_in(tmp_path) as opened:
        yield opened
