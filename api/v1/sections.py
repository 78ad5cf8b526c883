"""Every subject of /v1, in the order the description shows them."""

from __future__ import annotations

from api.section import Section
from api.v1 import (
    check,
    claims,
    contributors,
    datasets,
    lookup,
    manifests,
    mine,
    notices,
    optouts,
    publishers,
    receipts,
    registry,
    search,
    statements,
    watches,
)

SECTIONS: tuple[Section, ...] = tuple(
    room.section
    for room in (
        registry,
        search,
        lookup,
        check,
        contributors,
        datasets,
        publishers,
        manifests,
        claims,
        optouts,
        mine,
        watches,
        notices,
        receipts,
        statements,
    )
)
