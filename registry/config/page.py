"""docs/settings.md, written from the settings."""

from __future__ import annotations

import dataclasses

from registry.config.reading import variable
from registry.config.settings import Settings


def describe() -> str:
    """docs/settings.md, whole."""
    lines = [
        "# Settings",
        "",
        "Written by `python -m registry.config > docs/settings.md`; a test compares them.",
        "An unknown one is an error that names the nearest. Sizes take KiB, MiB, GiB; times s, m, h, d, w.",
        "`BYLINE_REGISTRY`, `BYLINE_VKEY`, `BYLINE_STATE` are the client's; the server ignores them.",
        "",
        "| variable | default | what it is |",
        "|---|---|---|",
    ]
    for f in dataclasses.fields(Settings):
        default = f.metadata["shown"] or f"`{f.default}`"
        lines.append(f"| `{variable(f.name)}` | {default} | {f.metadata['doc']} |")
    return "\n".join(lines) + "\n"
