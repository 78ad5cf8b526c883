"""Full text over contributors: what a document is, what a hit is, and what any engine must do.

An engine is a view: it knows documents and the number of the last act they stand for, never tables.
Whatever happens to it, following the sequence again from number 0 makes it whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol


class Match(IntEnum):
    """How a document came to be a hit; the order is the order of an answer."""

    exact = 0
    folded = 1
    prefix = 2
    fuzzy = 3


@dataclass(frozen=True)
class Document:
    """One contributor: every name as it was written, every handle (`12345678@N00`, `somebody`).

    `weight` is coarse (0 to 255, the bits of a count): whom to keep where there are more hits than were
    asked for.
    """

    id: int
    names: tuple[str, ...]
    handles: tuple[str, ...] = ()
    weight: int = 0


@dataclass(frozen=True)
class Gone:
    """A document that is no more."""

    id: int


@dataclass(frozen=True)
class Hit:
    """One document found. `closeness` orders hits of one match, nearest (highest) first: 0 to 100."""

    id: int
    match: Match
    closeness: int


@dataclass(frozen=True)
class Found:
    """The hits of one query, nearest first; `more` says that the engine stopped at its limit."""

    hits: tuple[Hit, ...]
    more: bool


class SearchEngine(Protocol):
    """What every engine can do; tests/search/test_engine_contract.py runs over all of them."""

    def search(self, text: str, *, limit: int = 500) -> Found:
        """Find documents by name or handle: every script, accents or none, one typo in a longer word."""
        ...

    def apply(self, changes: Iterable[Document | Gone], *, position: int, bulk: bool = False) -> int:
        """Take in a stream of changes in one commit that also keeps `position`; say how many there were.

        A document replaces the one of its id. `bulk` is for many (more processes, segments merged at the
        end); without it a commit costs what the changes cost. Unavailable("search-busy") while another
        writer is at work.
        """
        ...

    def position(self) -> int:
        """Give the position of the last commit: the next act to follow; 0 for an empty index."""
        ...

    def count(self) -> int:
        """Count the documents."""
        ...

    def merge(self) -> bool:
        """Merge segments where there are many; False where there was nothing to do. For the long lane."""
        ...

    def clear(self) -> None:
        """Forget everything; the position is 0 again."""
        ...

    def close(self) -> None:
        """Let go of files."""
        ...
