"""A clock that tests turn."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

START = dt.datetime(2026, 5, 4, 12, 0, 0, tzinfo=dt.UTC)


@dataclass
class Clock:
    """Stands still unless told otherwise."""

    now: dt.datetime = field(default=START)

    def __call__(self) -> dt.datetime:
        """The present."""
        return self.now
