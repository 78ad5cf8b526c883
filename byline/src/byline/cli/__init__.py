"""The `byline` command. Each group lives in a file of its own and is imported when it is asked for."""

from __future__ import annotations

from byline.cli.app import byline as main

__all__ = ["main"]
