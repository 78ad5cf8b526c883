"""The `byline` command. Each group lives in a file of its own and is imported when it is asked for."""

from __future__ import annotations

from typing import Any

from byline.cli.app import byline
from byline.client.lean import lean

__all__ = ["main"]


def main(*words: Any, **how: Any) -> None:
    """The command, as a process of its own; called as click's commands are."""
    lean()
    byline(*words, **how)
