"""Rows asked in bulk: what the published key feed says of a URL or a digest, and nothing else.

Whoever opted out without standing in the key feed is not told here: "not-in-feed" is no "no".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from byline.formats.categories import labels
from byline.formats.keyset import Bits
from byline.formats.publishable import batch_probes
from byline.formats.selectors import digest_text, fingerprints
from registry.feed.present import Present, host_bits

OPTED_OUT, NOT_IN_FEED, CANNOT_TELL = "opted-out", "not-in-feed", "cannot-tell"
LONGEST = 8_192  # characters of a URL


def check(present: Present, asked: Sequence[object]) -> list[dict[str, Any]]:
    """An answer for each: asked as a URL, or `{"url"}`, `{"sha256"}` or both; anything else is `cannot-tell`."""
    urls, digests = zip(*(_asked(one) for one in asked), strict=True) if asked else ((), ())
    by_url, kinds, readable = _urls(present, urls)
    k = fingerprints("sha256", pa.array(digests, pa.string()))
    by_digest = np.where(k >= 0, present.bits_at(k), 0).astype(np.uint8)
    tellable = readable | (k >= 0)
    return [
        _answer(bool(tellable[at]), int(by_url[at]), str(kinds[at]), int(by_digest[at]))
        for at in range(len(asked))
    ]


def _asked(one: object) -> tuple[str | None, str | None]:
    said = {"url": one} if isinstance(one, str) else one if isinstance(one, dict) else {}
    if set(said) - {"url", "sha256"}:
        return None, None
    url, digest = said.get("url"), said.get("sha256")
    text = digest_text(digest) if isinstance(digest, str) else None
    return (url if isinstance(url, str) and len(url) <= LONGEST and _utf8(url) else None), text


def _utf8(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _urls(present: Present, urls: Sequence[str | None]) -> tuple[Bits, Any, Any]:
    """Bits, kind and whether it could be read, of each."""
    listed = bool(present.head.hosts)
    probes = batch_probes(pa.array(urls, pa.string()), hosts=listed)
    found = np.where(probes.readable, present.bits_at(probes.k), 0).astype(np.uint8)
    kinds = np.where(probes.fs, "fs", "u")
    if listed and probes.host_index is not None and probes.host_ks:
        bits = np.append(host_bits(present, probes.host_ks), np.uint8(0))  # the last one is for -1
        hosts = bits[probes.host_index]
        kinds = np.where((found == 0) & (hosts > 0), "h", kinds)
        found |= hosts
    return found, kinds, probes.readable


def _answer(tellable: bool, by_url: int, kind: str, by_digest: int) -> dict[str, Any]:  # noqa: FBT001 - columns of one row
    if not tellable:
        return {"answer": CANNOT_TELL}
    if not by_url | by_digest:
        return {"answer": NOT_IN_FEED}
    by = [name for name, bits in ((kind, by_url), ("sha256", by_digest)) if bits]
    return {"answer": OPTED_OUT, "by": by, "categories": labels(by_url | by_digest)}
