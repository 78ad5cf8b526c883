"""Rows at a host.

Canonical hosts are what a browser would ask for, so a row's URL is parsed where it is not plain.
"""

from __future__ import annotations

import re
from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from byline.formats.urls import canonical_url, host_of
from registry.optouts.rule import covered_host
from registry.storage import ObjectStore
from registry.storage.record_index import scan_entries

# An authority of plain characters and nothing to decode: its host can be looked for as text.
_PLAIN = r"^(?:https?:)?//[a-z0-9.-]+(?::[0-9]*)?(?:[/?#]|$)"


def hosts_of(*urls: str | None) -> frozenset[str]:
    """The canonical hosts of URLs; those that are no URL have none."""
    shown = (canonical_url(url) for url in urls)
    return frozenset(host_of(url) for url in shown if url is not None)


def host_positions(store: ObjectStore, digest: str, hosts: Collection[str]) -> set[int]:
    """Positions of the rows of one record index whose URL or landing page is at one of these hosts."""
    found: set[int] = set()
    for table in scan_entries(store, digest, ("url", "landing_url")):
        near = pc.or_(_near(table["url"], hosts), _near(table["landing_url"], hosts))
        rows = table.filter(near).select(["position", "url", "landing_url"]).to_pylist()
        found.update(
            row["position"] for row in rows if covered_host(hosts_of(row["url"], row["landing_url"]), hosts)
        )
    return found


def _near(urls: pa.ChunkedArray, hosts: Collection[str]) -> pa.ChunkedArray:
    """Where a URL may be at one of the hosts: it holds its text, or would have to be parsed to say no."""
    named = pc.match_substring_regex(
        urls, "|".join(re.escape(host) for host in sorted(hosts)), ignore_case=True
    )
    odd = pc.invert(pc.match_substring_regex(urls, _PLAIN, ignore_case=True))
    return pc.fill_null(pc.or_(named, odd), False)
