"""Rows at a host. Canonical hosts are what a browser would ask for, whatever way a URL is written."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pyarrow as pa

from byline.formats.url_columns import Mask, canonical_urls, hosts_of_column
from byline.formats.urls import canonical_url, host_of
from registry.optouts.rule import covered_host
from registry.storage import ObjectStore
from registry.storage.record_index import scan_entries


def hosts_of(*urls: str | None) -> frozenset[str]:
    """The canonical hosts of URLs; those that are no URL have none."""
    shown = (canonical_url(url) for url in urls)
    return frozenset(host_of(url) for url in shown if url is not None)


def host_positions(store: ObjectStore, digest: str, hosts: Collection[str]) -> set[int]:
    """Positions of the rows of one record index whose URL or landing page is at one of these hosts."""
    found: set[int] = set()
    for table in scan_entries(store, digest, ("url", "landing_url")):
        at = _covered(table["url"], hosts) | _covered(table["landing_url"], hosts)
        found.update(table["position"].to_numpy()[at].tolist())
    return found


def _covered(urls: pa.ChunkedArray, hosts: Collection[str]) -> Mask:
    """Which URLs are at one of the hosts; each distinct host is asked about once."""
    shown = hosts_of_column(canonical_urls(urls))
    covered = [bool(name) and covered_host([host_of(name)], hosts) for name in shown.names]
    at: Mask = np.array(covered, dtype=np.bool_)[shown.codes]
    return at
