"""What a look through a registry found, and what is told of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be: a stable code, the place, a sentence, and whether a rebuild mends it."""

    code: str
    at: str
    message: str
    rebuild: bool = False


Findings = Iterator[Finding]
