"""Fetch the feed and believe only what is proved.

A head is believed if it is signed, stands in a log that only grew, and follows the last one; its files, by digest.
Everything is checked before, in one step, and until then the feed before stays whole.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from byline.client import verified
from byline.client.log import Log
from byline.client.state import Believed, State
from byline.client.transport import Transport
from byline.errors import NotFound, Refused, Unavailable, Untrusted
from byline.formats import checkpoint as checkpoints
from byline.formats import keyfeed, receipt, rowfeed
from byline.formats.feedhead import (
    MAX_HEAD,
    MAX_INDEX,
    FeedFile,
    Head,
    noted,
    parse_head,
    parse_index,
    verify_head,
)
from byline.formats.feedkeys import read_pieces
from byline.formats.keyset import whole
from byline.formats.note import MAX_NOTE, parse_vkey
from byline.formats.tiles import node_reader

ROOT = "/feed/v1/"
MOST_BITMAP = 2 << 30
_AT_ONCE = 8

Say = Callable[[str], None]


@dataclass(frozen=True)
class Synced:
    """What is believed now, and what it took."""

    head: Head
    vkey: str
    fetched_files: int
    fetched_bytes: int
    changed: bool


def sync(
    transport: Transport,
    state: State,
    *,
    now: Callable[[], dt.datetime],
    vkey: str | None = None,
    max_age: dt.timedelta | None = None,
    say: Say = lambda _: None,
    patience: float = 30.0,
) -> Synced:
    """Bring the state to the registry's present head, at least to the one the registry tells of.

    Untrusted, with the state as it was: "key-changed", "bad-signature", "head-mismatch", "feed-went-back",
    "feed-forked", "feed-expired", "feed-stale", "wrong-file"; "head-not-logged", "not-in-log", "log-went-back",
    "log-forked", "log-tiles-wrong", "log-truncated". What contradicts what was signed before is kept as evidence in the
    state. NotFound("no-feed-yet") before the first feed.
    """
    about = transport.get("/v1")
    told = _trusted(state, about, vkey)
    last = state.last()
    before = parse_head(last.json) if last else None
    found, head = _fetch_head(transport, told, at_least=_told_seq(about), patience=patience)
    verified.check_follows(before, head)
    verified.check_fresh(head, now=now(), max_age=max_age)
    checkpoint = _logged(Log(transport), state, told, head=head, patience=patience)
    fetcher = _Fetcher(transport, state, say)
    needed = fetcher.everything(head)
    _check_keys(state, head)
    state.pin(told, registry=transport.url)
    state.believe(found, checkpoint=checkpoint)
    state.sweep(needed | {path for one in state.heads() if one.seq != head.seq for path in _kept(state, one)})
    return Synced(
        head, told, fetcher.files, fetcher.bytes, changed=before is None or before.sha256 != head.sha256
    )


def _trusted(state: State, about: object, vkey: str | None) -> str:
    """The key to go by: the pinned one, the one given, or (first use) the one the registry shows."""
    shown = about.get("vkey") if isinstance(about, dict) else None
    if not isinstance(shown, str):
        raise Untrusted("bad-answer", "the registry does not show its log key", at="/v1")
    pinned = state.vkey()
    if vkey is not None:
        verified.check_key(pinned, vkey)
        pinned = vkey.strip()
    verified.check_key(pinned, shown)
    return shown.strip()


def _told_seq(about: dict[str, object]) -> int:
    told = about.get("feed_seq")
    return told if isinstance(told, int) else 0


def _fetch_head(transport: Transport, vkey: str, *, at_least: int, patience: float) -> tuple[Believed, Head]:
    """The head now served; a registry that tells of a newer one than it serves is given a moment."""
    until = time.monotonic() + patience
    while True:
        try:
            found, head = _served_head(transport, vkey)
            if head.seq >= at_least:
                return found, head
        except NotFound as error:
            if not at_least:
                raise NotFound("no-feed-yet", "this registry has not built a feed yet; try again") from error
        if time.monotonic() >= until:
            raise Unavailable(
                "feed-behind", f"the registry tells of head {at_least} and does not serve it yet"
            )
        time.sleep(0.2)


def _served_head(transport: Transport, vkey: str) -> tuple[Believed, Head]:
    # The note commits: head.json may be the one before or after it, but its bytes lie under their digest, too.
    signed = transport.fetch(f"{ROOT}head.note", max_bytes=MAX_NOTE)
    digest = noted(signed, vkey)
    data = transport.fetch(f"{ROOT}head.json", max_bytes=MAX_HEAD)
    if hashlib.sha256(data).hexdigest() != digest:
        data = transport.fetch(f"{ROOT}files/{digest}.json", max_bytes=MAX_HEAD)
    head = verify_head(data, signed, vkey)
    return Believed(head.seq, data, signed), head


def _logged(log: Log, state: State, vkey: str, *, head: Head, patience: float) -> bytes:
    """The checkpoint of a log that holds this head and goes on from the log believed last."""
    found = receipt.read(_receipt(log, head, patience))
    proved = receipt.verify(found, vkey=vkey)
    verified.check_logged(head, proved)
    before = state.checkpoint()
    last = checkpoints.read(before, parse_vkey(vkey)) if before else None
    try:
        verified.check_log_follows(last, proved.checkpoint, node_reader(proved.checkpoint.size, log.tiles))
    except Untrusted as error:
        kept = state.keep_evidence(error.code, before or b"", found.checkpoint)
        raise Untrusted(error.code, f"{error.message}; both signed notes are kept in {kept}") from error
    return found.checkpoint


def _receipt(log: Log, head: Head, patience: float) -> bytes:
    """A head that was built just now is in the log a moment later."""
    until = time.monotonic() + patience
    while True:
        try:
            return log.receipt(head.sha256)
        except NotFound as error:
            raise Untrusted("head-not-logged", f"the log does not hold the feed's head {head.seq}") from error
        except Unavailable:
            if time.monotonic() >= until:
                raise
        time.sleep(0.2)


class _Fetcher:
    """Brings files into the state, each once."""

    def __init__(self, transport: Transport, state: State, say: Say) -> None:
        self._transport, self._state, self._say = transport, state, say
        self.files, self.bytes = 0, 0

    def everything(self, head: Head) -> set[str]:
        """All files a head leads to; their paths."""
        first = [
            *((one, one.bytes) for one in (*head.base, *head.deltas)),
            *((one, MAX_INDEX) for one in head.index.values()),
        ]
        self._fetch(first)
        bitmaps = [(one, MOST_BITMAP) for one in _bitmaps(self._state, head)]
        self._fetch(bitmaps)
        return {one.path for one, _ in (*first, *bitmaps)}

    def _fetch(self, wanted: list[tuple[FeedFile, int]]) -> None:
        missing = {one.path: (one, most) for one, most in wanted if not self._state.has(one.path)}
        if not missing:
            return
        self._say(f"fetching {len(missing):,} files of the feed")
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for size in pool.map(lambda pair: self._one(*pair), missing.values()):
                self.files += 1
                self.bytes += size

    def _one(self, file: FeedFile, most: int) -> int:
        data = self._transport.fetch(f"{ROOT}{file.path}", max_bytes=most)
        if hashlib.sha256(data).hexdigest() != file.sha256:
            raise Untrusted("wrong-file", f"{file.path} has another digest than its name says", at=file.path)
        if file.path.endswith(".puffin"):
            rowfeed.read(data)
        self._state.put(file.path, data)
        return len(data)


def _bitmaps(state: State, head: Head) -> Iterator[FeedFile]:
    for part, file in head.index.items():
        for digest, entries in parse_index(state.bytes_of(file.path, file.sha256)).items():
            if digest[:2] != part:
                raise Refused("bad-row-index", "a file stands in the wrong part of the row index", at=digest)
            for entry in entries:
                yield from (bitmap.file for bitmap in entry.bitmaps.values() if bitmap.file is not None)


def _kept(state: State, one: Believed) -> set[str]:
    """What an earlier head leads to, as far as it is still there."""
    head = parse_head(one.json)
    paths = {file.path for file in (*head.base, *head.deltas, *head.index.values())}
    if all(state.has(file.path) for file in head.index.values()):
        paths |= {file.path for file in _bitmaps(state, head)}
    return paths


def _check_keys(state: State, head: Head) -> None:
    read_keys(state, head)


def read_keys(state: State, head: Head) -> tuple[keyfeed.Keys, keyfeed.Bits]:
    """The key feed of a head; Untrusted("wrong-key-set") unless it is the set the head names."""
    found = whole(read_pieces(head, lambda file: state.bytes_of(file.path, file.sha256)))
    return found.k, found.c
