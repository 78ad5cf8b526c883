"""Fetch the feed and believe only what is proved.

A head is believed if it is signed, stands in a log that only grew, and follows the last one; its files, by digest.
Everything is checked before, in one step, and until then the feed before stays whole.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from byline.client import verified
from byline.client.catching_up import catch_up
from byline.client.evidence import Keeper, Witness, keeping
from byline.client.fetching import ROOT, Fetcher, Say, bitmaps_of, items_of
from byline.client.log import Log, Source
from byline.client.rows_left import check_rows_left
from byline.client.state import Believed, State
from byline.client.transport import Transport
from byline.errors import NotFound, Refused, Unavailable, Untrusted
from byline.formats import checkpoint as checkpoints
from byline.formats import receipt
from byline.formats.feedhead import MAX_HEAD, Head, noted, parse_head, verify_head
from byline.formats.note import MAX_NOTE, parse_vkey
from byline.formats.tiles import node_reader


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
    jobs: int = 8,
) -> Synced:
    """Bring the state to the registry's present head, at least to the one the registry tells of.

    Untrusted, with the state as it was: "key-changed", "bad-signature", "head-mismatch", "feed-went-back",
    "feed-forked", "feed-expired", "feed-stale", "wrong-file"; "head-not-logged", "not-in-log", "log-went-back",
    "log-forked", "log-tiles-wrong", "log-truncated"; "wrong-key-set", "removed-unsaid". What was shown is kept as evidence
    in the state, beside what was believed; the error names the file. NotFound("no-feed-yet") before the first feed;
    Unavailable("state-busy") where another process is at it. What an interrupted run has fetched is not fetched again;
    `jobs` files come at once.
    """
    witness = Witness(transport)
    with (
        state.alone(patience=max(patience, 1.0)),
        keeping(Keeper(state.folder, witness, lambda: _believed(state))),
    ):
        told, found, head = _believable(transport, witness, state, now(), (vkey, max_age, patience))
        last = state.last()
        before = parse_head(last.json) if last else None
        verified.check_follows(before, head)
        checkpoint = _logged(Log(witness), state, told, head=head, patience=patience)
        fetcher = Fetcher(transport, state, say, jobs=jobs)
        recipe = catch_up(state, head, before, fetcher.keys)
        fetcher.rows(head, since=before.seq if before else 0)
        check_rows_left(state, before, head)
        state.pin(told, registry=transport.url)
        state.believe(found, recipe, checkpoint=checkpoint)
        _sweep(state)
    changed = before is None or before.sha256 != head.sha256
    return Synced(head, told, fetcher.files, fetcher.bytes, changed)


def _believed(state: State) -> dict[str, bytes]:
    """What evidence is held against, under the paths it came from."""
    vkey, last, checkpoint = state.vkey(), state.last(), state.checkpoint()
    found = {
        "/log/vkey": vkey.encode() if vkey else None,
        "/log/checkpoint": checkpoint,
        f"{ROOT}head.note": last.note if last else None,
        f"{ROOT}head.json": last.json if last else None,
    }
    return {path: data for path, data in found.items() if data}


def _believable(
    transport: Transport,
    witness: Witness,
    state: State,
    now: dt.datetime,
    said: tuple[str | None, dt.timedelta | None, float],
) -> tuple[str, Believed, Head]:
    """The key to go by, and a fresh head that it signed."""
    vkey, max_age, patience = said
    about = _about(transport, state, vkey)
    witness.remember("/v1", json.dumps(about).encode())
    told = _trusted(state, about, vkey)
    found, head = _fetch_head(witness, told, at_least=_told_seq(about), patience=patience)
    verified.check_fresh(head, now=now, max_age=max_age)
    return told, found, head


def _about(transport: Transport, state: State, vkey: str | None) -> dict[str, object]:
    """What the registry says of itself. A mirror says nothing, or lists a folder: who has the key needs none of it."""
    try:
        about = transport.get("/v1")
    except (NotFound, Untrusted, Refused):
        key = vkey or state.vkey()
        if key is None:
            raise
        return {"vkey": key}
    return about if isinstance(about, dict) else {}


def _trusted(state: State, about: dict[str, object], vkey: str | None) -> str:
    """The key to go by: the pinned one, the one given, or (first use) the one the registry shows."""
    shown = about.get("vkey")
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


def _fetch_head(source: Source, vkey: str, *, at_least: int, patience: float) -> tuple[Believed, Head]:
    """The head now served; a registry that tells of a newer one than it serves is given a moment."""
    until = time.monotonic() + patience
    while True:
        try:
            found, head = _served_head(source, vkey)
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


def _served_head(source: Source, vkey: str) -> tuple[Believed, Head]:
    # The note commits: head.json may be the one before or after it, but its bytes lie under their digest, too.
    signed = source.fetch(f"{ROOT}head.note", max_bytes=MAX_NOTE)
    digest = noted(signed, vkey)
    data = source.fetch(f"{ROOT}head.json", max_bytes=MAX_HEAD)
    if hashlib.sha256(data).hexdigest() != digest:
        data = source.fetch(f"{ROOT}files/{digest}.json", max_bytes=MAX_HEAD)
    head = verify_head(data, signed, vkey)
    return Believed(head.seq, data, signed), head


def _logged(log: Log, state: State, vkey: str, *, head: Head, patience: float) -> bytes:
    """The checkpoint of a log that holds this head and goes on from the log believed last."""
    found = receipt.read(_receipt(log, head, patience))
    proved = receipt.verify(found, vkey=vkey)
    verified.check_logged(head, proved)
    before = state.checkpoint()
    last = checkpoints.read(before, parse_vkey(vkey)) if before else None
    verified.check_log_follows(last, proved.checkpoint, node_reader(proved.checkpoint.size, log.tiles))
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


def _sweep(state: State) -> None:
    """Forget what no kept head leads to. The set of the last head stays, and those that others are made of."""
    needed: set[str] = set()
    heads = [parse_head(one.json) for one in state.heads()]
    sets = {head.set_sha256 for head in heads[-1:]}
    for head in heads:
        recipe = state.recipe(head.seq)
        needed |= _leads_to(state, head)
        needed |= (
            {*recipe.base, *recipe.deltas} if recipe else {one.path for one in (*head.base, *head.deltas)}
        )
        sets |= {recipe.set_sha256} if recipe and recipe.set_sha256 else set()
    state.sweep(needed, sets=sets)


def _leads_to(state: State, head: Head) -> set[str]:
    """The files of a kept head's row feeds, as far as they are still there."""
    paths = {file.path for file in head.index.values()}
    if all(state.has(path) for path in paths):
        paths |= {file.path for file in (*bitmaps_of(state, head), *items_of(state, head))}
    return paths
