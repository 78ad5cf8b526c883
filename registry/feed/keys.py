"""The key feed: what anybody may test an item against, out of the fingerprints the matcher allowed."""

from __future__ import annotations

import hashlib
import hmac
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from byline.formats.categories import EVERYTHING
from byline.formats.keyfeed import LIMIT, Bits, Keys
from registry.models import Fingerprint, OptOut

FEWEST = 1_024  # three opt-outs alone would tell who they are (research: small n identifies people)


@dataclass(frozen=True)
class KeyFeed:
    """`k` ascending with the category bits `c` of whoever stands behind each.

    `hosts` of them are listed hosts.
    """

    k: Keys
    c: Bits
    hosts: int


def read_keys(session: Session) -> dict[int, tuple[str, int]]:
    """Every fingerprint that stands: k -> (kind, category bits joined over the opt-outs behind it)."""
    rows = (
        select(Fingerprint.k, Fingerprint.kind, OptOut.categories)
        .join(OptOut, OptOut.id == Fingerprint.opt_out_id)
        .where(OptOut.state == "in-force")
    )
    bits: dict[int, int] = defaultdict(int)
    kinds: dict[int, str] = {}
    for k, kind, categories in session.execute(rows.execution_options(yield_per=10_000)):
        bits[k] |= categories & EVERYTHING
        kinds[k] = kind
    return {k: (kinds[k], c) for k, c in bits.items() if c}


def key_feed(found: dict[int, tuple[str, int]], *, padding_key: bytes) -> KeyFeed:
    """Sorted, and filled up to 1,024 keys with ones that mean nothing and stay the same from feed to feed."""
    keys = {k: c for k, (_, c) in found.items()}
    count = 0
    while len(keys) < FEWEST:
        digest = hmac.digest(padding_key, count.to_bytes(8, "big"), hashlib.sha256)
        keys.setdefault(int.from_bytes(digest[:8], "big") % LIMIT, _plausible(digest[8]))
        count += 1
    k = np.array(sorted(keys), dtype=np.int64)
    c = np.array([keys[int(one)] for one in k], dtype=np.uint8)
    return KeyFeed(k, c, sum(kind == "h" for kind, _ in found.values()))


def _plausible(byte: int) -> int:
    """Bits as people choose them: most object to everything, some keep what exists, some mean training."""
    return (EVERYTHING, EVERYTHING, EVERYTHING, 15, EVERYTHING, EVERYTHING, 19, EVERYTHING)[byte % 8]
