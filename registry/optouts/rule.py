"""The matching rule, design section 5: whether one row is reached by one opt-out.

Pure, and the only place that says so.

A row is reached by what it shows of itself (an item selector, a host, its own makers in its own dataset), or
**through its photo**: by what counting sources say of who made that photo. A source counts where the operator
approved its publisher; an uncounted one can neither add nor contradict.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from byline.formats.hosts import host_chain

Strength = Literal["full", "asserted"]

# Only these are an identity beyond one dataset: a name or a bare id neither joins nor contradicts anybody.
IDENTITY_KINDS = frozenset({"number", "alias", "web"})


@dataclass(frozen=True)
class Row:
    """One row of one manifest, as the rule sees it.

    `own`: roots of its makers in its own manifest. `photo`: the one photo it shows, else None. `items`: its
    item keys (photo, photo2, url, sha256). `hosts`: the hosts of its URL and landing page.
    """

    own: frozenset[int]
    photo: int | None
    items: frozenset[int] = frozenset()
    hosts: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Wish:
    """What one opt-out points at: roots of makers, item keys, hosts."""

    makers: frozenset[int]
    items: frozenset[int] = frozenset()
    hosts: frozenset[str] = frozenset()


def reaches(wish: Wish, row: Row, attributions: Collection[frozenset[int]]) -> Strength | None:
    """How the opt-out reaches the row: full, asserted (counting sources disagree), or not at all.

    `attributions`: what counting sources say of the row's photo, one set of roots for each attributing row (a
    row may show two makers: of several, one suffices).
    """
    if row.own & wish.makers or row.items & wish.items or covered_host(row.hosts, wish.hosts):
        return "full"
    return through_photo(wish.makers, attributions) if row.photo is not None else None


def through_photo(makers: frozenset[int], attributions: Collection[frozenset[int]]) -> Strength | None:
    """What counting sources say of a photo: all for these makers, some, or none."""
    agreeing = sum(not makers.isdisjoint(roots) for roots in attributions)
    if not agreeing:
        return None
    return "full" if agreeing == len(attributions) else "asserted"


def covered_host(hosts: Iterable[str], wished: Collection[str]) -> bool:
    """Whether a host is one of those wished for or stands under one, never across a public suffix."""
    return bool(wished) and any(parent in wished for host in hosts for parent in host_chain(host))
