"""How old something may be, as an option: `45d`, `12h`, `30m`, `90s`; a bare number is days."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import click

_AGE = re.compile(r"(\d{1,9})([dhms]?)")
_SECONDS = {"": 86_400, "d": 86_400, "h": 3_600, "m": 60, "s": 1}


class _Age(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 only
    """A length of time."""

    name = "age"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.timedelta:
        """Read it, or fail with what is wanted."""
        if isinstance(value, dt.timedelta):
            return value
        found = _AGE.fullmatch(str(value).strip().lower())
        if not found:
            self.fail(f"{value!r} is no age; write 45d, 12h or 30m", param, ctx)
        try:
            return dt.timedelta(seconds=int(found[1]) * _SECONDS[found[2]])
        except OverflowError:
            self.fail(f"{value!r} is longer than anything", param, ctx)


AGE = _Age()
