"""`python -m registry.cli`."""

from __future__ import annotations

from registry.cli import main

main()
