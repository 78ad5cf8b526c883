"""Sorted columns looked up by many keys at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def ints(values: Collection[int]) -> Ints:
    """The values, ascending, each once."""
    return distinct(np.fromiter(values, np.int64, len(values)))


def distinct(values: Ints) -> Ints:
    """The values, ascending, each once: `np.unique`, which makes a hash table first, takes three times as long."""
    found = np.sort(values)
    if len(found) < 2:
        return found
    kept: Ints = found[np.concatenate(([True], found[1:] != found[:-1]))]
    return kept


def together(one: Ints, other: Ints) -> Ints:
    """What stands in either, ascending, each once."""
    return distinct(np.concatenate([one, other]))


@dataclass(frozen=True)
class Lookup:
    """Pairs (key, value), sorted by key: every value that stands under some keys."""

    keys: Ints
    values: Ints

    @classmethod
    def of(cls, keys: Ints, values: Ints) -> Lookup:
        """Sort the pairs."""
        order = np.argsort(keys, kind="stable")
        return cls(keys[order], values[order])

    def under(self, wanted: Ints) -> Ints:
        """The values under `wanted`, ascending, each once."""
        starts = np.searchsorted(self.keys, wanted, side="left")
        counts = np.searchsorted(self.keys, wanted, side="right") - starts
        return distinct(self.values[spans(starts, counts)])


@dataclass(frozen=True)
class Tally:
    """How often each key stands in a column."""

    keys: Ints
    counts: Ints

    @classmethod
    def of(cls, values: Ints) -> Tally:
        """Count them."""
        return cls(*np.unique(values, return_counts=True))

    def at(self, wanted: Ints) -> Ints:
        """The counts of `wanted`, 0 for what does not stand there."""
        if len(self.keys) == 0:
            return np.zeros(len(wanted), np.int64)
        places = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where(self.keys[places] == wanted, self.counts[places], 0)


def spans(starts: Ints, counts: Ints) -> Ints:
    """`start, start+1, …` for each start, `count` long, one after the other."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total, dtype=np.int64) + np.repeat(starts - ends + counts, counts)
