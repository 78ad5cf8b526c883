"""The feed that is published now, as those ask it who have not synced it: key by key, by prefix, by what changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from byline.errors import NotFound, Refused
from byline.formats.feedhead import FeedFile, Head, parse_head
from byline.formats.feedkeys import needed_since, read_change, read_pieces
from byline.formats.keyset import Bits, Keys, KeySet, bits_at, whole
from byline.formats.ranges import bucket, digits_for, padding
from registry.feed.head import ROOT, read_head
from registry.models import FeedHead
from registry.storage import ObjectStore


@dataclass(frozen=True)
class Present:
    """A head and its whole set: 9 bytes a key, once a process."""

    head: Head
    keys: KeySet

    def bits_at(self, wanted: Keys) -> Bits:
        """The category bits of each; 0 where it is not in the feed."""
        return bits_at(self.keys, wanted)


@dataclass(frozen=True)
class Changes:
    """A piece of what changed up to head `to`; `after`: the last `k` of it, None where nothing follows."""

    to: int
    rows: KeySet
    after: int | None


@dataclass(frozen=True)
class _Files:
    """The feed's files in a store; equal where the store is the same."""

    store: ObjectStore

    def __call__(self, file: FeedFile) -> bytes:
        return self.store.get(f"{ROOT}/{file.path}")

    def head(self, digest: str) -> Head:
        return parse_head(self.store.get(f"{ROOT}/files/{digest}.json"))


def read_present(store: ObjectStore) -> Present:
    """The feed as it is now; NotFound("no-feed-yet")."""
    return _loaded(_Files(store), parse_head(read_head(store)[0]).sha256)


def in_range(present: Present, prefix: str) -> KeySet:
    """Every key that begins so, among padding with `c` 0; Refused("wrong-prefix-length")."""
    digits = digits_for(present.head.keys)
    if len(prefix) != digits:
        words = f"Prefixes have {digits} hex digits while the feed has {present.head.keys:,} keys."
        raise Refused("wrong-prefix-length", words, at="prefix", details={"digits": digits})
    real = bucket(present.keys, prefix)
    filling = padding(prefix, len(real.k))
    k = np.concatenate([real.k, filling])
    c = np.concatenate([real.c, np.zeros(len(filling), np.uint8)])
    order = np.argsort(k, kind="stable")
    return KeySet(k[order], c[order])


def changes_since(
    session: Session, store: ObjectStore, *, since: int, to: int | None, after: int, limit: int
) -> Changes:
    """What stands now at each key that was touched after head `since`, by `k`; `c` 0 = nothing any more.

    `to`, `after`: where the page before ended. Refused("since-from-the-future"), NotFound("changes-too-old", "no-feed-yet").
    """
    last = parse_head(read_head(store)[0])
    if since > last.seq or (to is not None and to > last.seq):
        raise Refused(
            "since-from-the-future",
            f"The feed is at head {last.seq}; a later one was never made here. If one was signed, keep it as evidence.",
            at="since",
            details={"seq": last.seq},
        )
    head = last if to in {None, last.seq} else _head(session, store, to or 0)
    if needed_since(head, since) is None:
        raise NotFound(
            "changes-too-old",
            f"What changed since head {since} is not kept any more; take the whole feed, at head {last.seq}.",
            at="since",
            details={"seq": last.seq},
        )
    rows = _changed(_Files(store), head.sha256, since)
    start = int(np.searchsorted(rows.k, after, side="right"))
    page = KeySet(rows.k[start : start + limit], rows.c[start : start + limit])
    more = start + limit < len(rows.k)
    return Changes(head.seq, page, int(page.k[-1]) if more else None)


def _head(session: Session, store: ObjectStore, seq: int) -> Head:
    digest = session.scalar(select(FeedHead.sha256).where(FeedHead.seq == seq))
    if digest is None:
        raise Refused("bad-cursor", "This cursor does not belong to this list.", at="cursor")
    return _Files(store).head(digest)


@lru_cache(maxsize=1)
def _loaded(files: _Files, digest: str) -> Present:
    head = files.head(digest)
    return Present(head, whole(read_pieces(head, files)))


@lru_cache(maxsize=4)
def _changed(files: _Files, digest: str, since: int) -> KeySet:
    return read_change(files.head(digest), since, files)


def host_bits(present: Present, hosts: Sequence[Sequence[int]]) -> Bits:
    """The bits of each host: those of whichever of its names are listed, joined."""
    found = [present.bits_at(np.array(ks, dtype=np.int64)) for ks in hosts]
    return np.array([np.bitwise_or.reduce(one) if len(one) else 0 for one in found], dtype=np.uint8)
