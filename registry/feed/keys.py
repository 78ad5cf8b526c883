"""The key feed: what anybody may test an item against, out of the fingerprints the matcher allowed."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from byline.formats.categories import EVERYTHING
from byline.formats.keyfeed import LIMIT
from byline.formats.keyset import EMPTY, KeySet, bits_at, joined, whole
from registry.models import Fingerprint, OptOut

FEWEST = 1_024  # three opt-outs alone would tell who they are (research: small n identifies people)
FEWEST_NEW = 64  # and so would three that came together
_AT_ONCE = 50_000


def read_keys(session: Session) -> KeySet:
    """Every fingerprint that stands, with the bits of whoever stands behind it."""
    rows = (
        select(Fingerprint.k, OptOut.categories)
        .join(OptOut, OptOut.id == Fingerprint.opt_out_id)
        .where(OptOut.state == "in-force")
        .execution_options(yield_per=_AT_ONCE)
    )
    pieces = [
        joined(
            np.array([row.k for row in piece], dtype=np.int64),
            np.array([row.categories & EVERYTHING for row in piece], dtype=np.uint8),
        )
        for piece in session.execute(rows).partitions()
    ]
    found = whole(pieces)
    return joined(found.k, found.c)


def count_hosts(session: Session) -> int:
    """How many listed hosts stand."""
    hosts = select(Fingerprint.k).join(OptOut, OptOut.id == Fingerprint.opt_out_id)
    return len(
        set(session.scalars(hosts.where(Fingerprint.kind == "h", OptOut.state == "in-force").distinct()))
    )


def padded(real: KeySet, before: KeySet, *, padding_key: bytes) -> KeySet:
    """With keys that mean nothing among them, so that few do not stand alone, nor few that come at once.

    One that was published stays for ever: if they left when others come, what left would be known to mean nothing.
    """
    standing, following = _standing(before, padding_key)
    new = int((bits_at(before, real.k) == 0).sum())
    wanted = max(FEWEST - len(real.k) - len(standing.k), FEWEST_NEW - new if new else 0, 0)
    filling = [following(at) for at in range(wanted)]
    k = np.array([k for k, _ in filling], dtype=np.int64)
    c = np.array([c for _, c in filling], dtype=np.uint8)
    together = whole([real, standing, KeySet(k, c)])
    return joined(together.k, together.c)


class _Following:
    """The keys that mean nothing, from a place on."""

    def __init__(self, padding_key: bytes, start: int) -> None:
        self._key, self._start = padding_key, start

    def __call__(self, at: int) -> tuple[int, int]:
        digest = hmac.digest(self._key, (self._start + at).to_bytes(8, "big"), hashlib.sha256)
        return int.from_bytes(digest[:8], "big") % LIMIT, _plausible(digest[8])


def _standing(before: KeySet, padding_key: bytes) -> tuple[KeySet, _Following]:
    """Those that were published: no number of them is kept anywhere, they tell it themselves."""
    found = list(_published(before, _Following(padding_key, 0)))
    if not found:
        return EMPTY, _Following(padding_key, 0)
    k, c = zip(*found, strict=True)
    return joined(np.array(k, dtype=np.int64), np.array(c, dtype=np.uint8)), _Following(
        padding_key, len(found)
    )


def _published(before: KeySet, following: _Following) -> Iterator[tuple[int, int]]:
    standing = set(before.k.tolist()) if len(before.k) < _AT_ONCE else None
    at = 0
    while True:
        k, c = following(at)
        if k not in standing if standing is not None else not bits_at(before, np.array([k]))[0]:
            return
        yield k, c
        at += 1


def _plausible(byte: int) -> int:
    """Bits as people choose them: most object to everything, some keep what exists, some mean training."""
    return (EVERYTHING, EVERYTHING, EVERYTHING, 15, EVERYTHING, EVERYTHING, 19, EVERYTHING)[byte % 8]
