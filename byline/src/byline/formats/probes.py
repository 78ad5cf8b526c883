"""What a filter asks the key feed about a column of URLs.

Four of five rows of the real sets are Flickr files as their own site writes them: these are read in one pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from byline.formats.hosts import host_chain
from byline.formats.platforms.columns import statics_of_column
from byline.formats.platforms.flickr import PLAIN_FILE
from byline.formats.regexes import extracted, matches
from byline.formats.selector_text import fingerprint, fingerprints
from byline.formats.url_columns import Mask, as_mask, canonical_urls, hosts_of_column, string_array
from byline.formats.urls import host_of

ROWS_AT_ONCE = 131_072
_PERHAPS_A_FILE = r"^[^/]*flickr\.com/"
_HOST = r"^https?://(?P<host>[^/]+)/"


@dataclass(frozen=True)
class Probes:
    """What to ask a key feed about each URL of a column."""

    k: npt.NDArray[np.int64]  # fs where `fs`, else u; -1 where unreadable
    fs: npt.NDArray[np.bool_]
    readable: npt.NDArray[np.bool_]
    host_index: npt.NDArray[np.int32] | None  # into host_ks; -1 where unreadable
    host_ks: list[tuple[int, ...]] | None  # of each distinct host: k of kind h of it and of its parents


class _Asked:
    """The columns of Probes while they are filled, block by block."""

    def __init__(self, rows: int, *, hosts: bool) -> None:
        self.k = np.full(rows, -1, dtype=np.int64)
        self.fs = np.zeros(rows, dtype=bool)
        self.host_index = np.full(rows, -1, dtype=np.int32) if hosts else None
        self.hosts: dict[str, int] = {}

    def note_hosts(self, rows: npt.NDArray[np.int64], names: list[str], codes: npt.NDArray[np.int32]) -> None:
        """Remember the hosts of some rows, a name once."""
        if self.host_index is not None:
            numbers = [
                self.hosts.setdefault(host_of(name), len(self.hosts)) if name else -1 for name in names
            ]
            self.host_index[rows] = np.array(numbers, dtype=np.int32)[codes]


def batch_probes(urls: pa.Array | pa.ChunkedArray, *, hosts: bool = False) -> Probes:
    """For each URL of a string column the one k to look for, and with `hosts` which distinct host it has.

    Every readable URL that is no Flickr file is asked for as `u`: what may be published is decided by who
    publishes.
    """
    asked = _Asked(len(urls), hosts=hosts)
    for start in range(0, len(urls), ROWS_AT_ONCE):
        texts = string_array(urls.slice(start, ROWS_AT_ONCE))
        plain = _plain_files(texts, start, asked)
        if not plain.all():
            _others(
                texts if not plain.any() else texts.filter(pa.array(~plain)),
                start + np.flatnonzero(~plain),
                asked,
            )
    host_ks = [_host_keys(host) for host in asked.hosts] if hosts else None
    return Probes(asked.k, asked.fs, asked.k >= 0, asked.host_index, host_ks)


def _plain_files(texts: pa.StringArray, start: int, asked: _Asked) -> Mask:
    caught = extracted(texts, PLAIN_FILE)
    plain = as_mask(caught.is_valid())
    if plain.any():
        rows = start + np.flatnonzero(plain)
        asked.k[rows], asked.fs[rows] = fingerprints("fs", caught.drop_null()), True
        if asked.host_index is not None:
            files = texts if plain.all() else texts.filter(pa.array(plain))
            named = extracted(files, _HOST).dictionary_encode()
            asked.note_hosts(rows, named.dictionary.to_pylist(), named.indices.to_numpy())
    return plain


def _others(texts: pa.StringArray, rows: npt.NDArray[np.int64], asked: _Asked) -> None:
    canonical = canonical_urls(texts)
    if asked.host_index is not None:
        named = hosts_of_column(canonical)
        asked.note_hosts(rows, named.names, named.codes)
    files = matches(canonical, _PERHAPS_A_FILE)
    if files.any():
        files[files] = _odd_files(canonical.filter(pa.array(files)), rows[files], asked)
    asked.k[rows[~files]] = fingerprints("u", canonical.filter(pa.array(~files)))


def _odd_files(canonical: pa.StringArray, rows: npt.NDArray[np.int64], asked: _Asked) -> Mask:
    """Files as the site once wrote them, or as others did: old hosts, no scheme, queries, doubled slashes."""
    static = statics_of_column(canonical, hosts_of_column(canonical))
    if static is None:
        return np.zeros(len(rows), dtype=bool)
    found = as_mask(static.is_valid())
    asked.k[rows[found]], asked.fs[rows[found]] = fingerprints("fs", static.filter(pa.array(found))), True
    return found


@lru_cache(maxsize=65_536)
def _host_keys(host: str) -> tuple[int, ...]:
    return tuple(fingerprint("h", name) for name in host_chain(host))
