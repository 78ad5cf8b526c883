"""Makers in their order, cut into stretches of about the same weight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Stretch:
    """Makers from `low` (itself not, where `above`) to before `high`; None is no bound. `one`: just `low`, all its rows."""

    low: str | None
    above: bool
    high: str | None
    one: bool = False

    def where(self) -> tuple[str, dict[str, str]]:
        """A condition on `contributor` in SQL, and what it names; not for `one`."""
        parts = [
            (f"contributor {'>' if self.above else '>='} $low", "low", self.low),
            ("contributor < $high", "high", self.high),
        ]
        given = [(text, name, value) for text, name, value in parts if value is not None]
        words = " AND ".join(["contributor IS NOT NULL", *(text for text, _, _ in given)])
        return words, {name: value for _, name, value in given}


def stretches(weights: Counter[str], *, most: int) -> Iterator[Stretch]:
    """Stretches that weigh at most `most`, in order; a maker as heavy stands alone; rows without a maker come last."""
    low, above, held = None, False, 0
    for maker, weight in sorted(weights.items()):
        if weight >= most:
            yield Stretch(low, above, maker)
            yield Stretch(maker, above=False, high=None, one=True)
            low, above, held = maker, True, 0
        elif held + weight > most:
            yield Stretch(low, above, maker)
            low, above, held = maker, False, weight
        else:
            held += weight
    yield Stretch(low, above, None)
    yield Stretch(None, above=False, high=None, one=True)
