"""What an audit keeps of a log's entries: a few bytes each, however many there are."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import numpy as np

_DIGEST = 32


class Digests:
    """Digests in the order of their entries, each with a number beside it: 40 bytes an entry."""

    def __init__(self) -> None:
        """None yet."""
        self._digests, self._numbers = bytearray(), array("Q")

    def add(self, digest: str, number: int) -> None:
        """One more, in hex."""
        self._digests += bytes.fromhex(digest)
        self._numbers.append(number)

    def __len__(self) -> int:
        """How many."""
        return len(self._numbers)

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """Each number and its digest, in hex."""
        for at, number in enumerate(self._numbers):
            yield number, self._digests[at * _DIGEST : (at + 1) * _DIGEST].hex()

    @property
    def last(self) -> tuple[int, str] | None:
        """The newest number and digest."""
        return (self._numbers[-1], self._digests[-_DIGEST:].hex()) if self._numbers else None

    @property
    def numbers(self) -> array[int]:
        """The numbers alone."""
        return self._numbers

    def numbers_of(self, digest: str) -> list[int]:
        """The numbers beside one digest."""
        wanted, found = bytes.fromhex(digest), []
        at = self._digests.find(wanted)
        while at >= 0:
            if at % _DIGEST == 0:
                found.append(self._numbers[at // _DIGEST])
            at = self._digests.find(wanted, at + 1)
        return found

    def without(self, others: Digests) -> int:
        """How many different digests stand here and not among the others."""
        return len(np.setdiff1d(self._table(), others._table()))

    def _table(self) -> np.ndarray[tuple[int], np.dtype[np.bytes_]]:
        # A digest that ends in a zero byte is shortened by this type, and so is its twin: equal ones stay equal.
        return np.unique(np.frombuffer(bytes(self._digests), dtype=f"S{_DIGEST}"))
