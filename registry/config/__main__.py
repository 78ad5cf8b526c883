"""`python -m registry.config > docs/settings.md`."""

from __future__ import annotations

from registry.config.page import describe

print(describe(), end="")  # noqa: T201 - this is its whole purpose
