"""The matching rule, design section 5: which rows an opt-out reaches. Pure, and the only place that says so.

A row is reached by what it shows of itself (its own makers in its own dataset, an item somebody points at, a
host), or **through its photo**: by what counting sources say of who made that photo. A source counts where
the operator approved its publisher; an uncounted one can neither add nor contradict. Of several makers in a
row, one suffices.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from byline.formats.hosts import host_chain

Strength = Literal["full", "asserted"]
Bools = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]

# Only these are an identity beyond one dataset: a name or a bare id neither joins nor contradicts anybody.
IDENTITY_KINDS = frozenset({"number", "alias", "web"})


class Reach(NamedTuple):
    """Row by row: reached for certain; reached, but counting sources disagree, so its publisher decides."""

    full: Bools
    asserted: Bools


def reach_rows(itself: Bools, agreeing: Counts, saying: Counts) -> Reach:
    """Apply the rule to rows, one element each.

    `itself`: the row shows a maker, an item or a host the opt-out points at. `saying`: how many counting rows
    attribute its one photo to anybody; `agreeing`: how many of those to a maker the opt-out points at. Both
    are 0 for a row that does not show exactly one photo.
    """
    unanimous = agreeing_photos(agreeing, saying)
    full = itself | unanimous
    return Reach(full, ~full & (agreeing > 0))


def agreeing_photos(agreeing: Counts, saying: Counts) -> Bools:
    """Where counting sources name these makers and nobody else: only there a fingerprint may be made."""
    unanimous: Bools = (agreeing > 0) & (agreeing == saying)
    return unanimous


def covered_host(hosts: Iterable[str], wished: Collection[str]) -> bool:
    """Whether a host is one of those wished for or stands under one, never across a public suffix."""
    return bool(wished) and any(parent in wished for host in hosts for parent in host_chain(host))
