"""The feed over time: who follows it by small files has what who fetches it whole has, and nothing leaves unsaid."""

from __future__ import annotations

import datetime as dt
import io
import random
import tarfile
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from byline.formats import canonical, keyfeed
from byline.formats.feedhead import FeedFile, Head, parse_head
from byline.formats.feedkeys import check_removals, needed_since, read_change, read_pieces
from byline.formats.keyset import KeySet, applied, changed, joined, latest, lost, whole
from byline.formats.selectors import fingerprint
from registry.database import transaction
from registry.feed.batches import Moment, Why, key_files
from registry.feed.before import Before
from registry.feed.head import Files
from registry.feed.periods import Span, merged
from registry.models import Match, WithdrawnKey, WithdrawnRows
from registry.publishing.retract import void_dataset
from registry.storage.memory import MemoryStore
from tests.registry.feed.reading import Read, build, read
from tests.registry.optouts.small_registry import Line, SmallRegistry, static

OWNER = "flickr:11@N00"
FILE = "ab" * 32
FS = fingerprint("fs", "101_abcdef0123")
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
SETS = st.dictionaries(st.integers(0, 20), st.integers(1, 31), max_size=10)


def key_set(keys: dict[int, int]) -> KeySet:
    k = np.array(sorted(keys), dtype=np.int64)
    return KeySet(k, np.array([keys[int(one)] for one in k], dtype=np.uint8))


def pairs(keys: KeySet) -> list[tuple[int, int]]:
    return list(zip(keys.k.tolist(), keys.c.tolist(), strict=True))


class History:
    """Heads of a key feed, one after another, in a store."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.heads: list[Head] = []
        self.sets: list[KeySet] = []

    def read(self, file: FeedFile) -> bytes:
        return self.store.get(f"feed/v1/{file.path}")

    def add(self, keys: KeySet, now: dt.datetime, why: Why | None = None) -> Head:
        """The next head."""
        last = self.heads[-1] if self.heads else None
        before = Before(self.store, last, self.sets[-1] if self.sets else key_set({}))
        files = Files(self.store, ())
        seq = len(self.heads) + 1
        why = why or Why(np.zeros(0, np.int64), voided=False)
        named = {"n": len(keys.k), "set_sha256": keyfeed.set_sha256(*keys)}
        content: dict[str, Any] = {
            "v": 1, "canon": "b1", "origin": "a.example", "seq": seq, "time": canonical.timestamp(now),
            "expires": canonical.timestamp(now), "log_size": 1, "hosts_n": 0, "rows": {"parts": 256, "index": {}},
            "keys": named | key_files(files, before, keys, why, at=Moment(seq, now)),
            "coverage": dict.fromkeys(
                ("opt_outs", "as_fingerprints", "rows_only", "publisher_only", "not_expressible"), 0
            ),
        }  # fmt: skip
        self.heads.append(parse_head(canonical.dumps(content)))
        self.sets.append(keys)
        return self.heads[-1]


@settings(max_examples=60)
@given(st.lists(st.tuples(SETS, st.integers(0, 40)), min_size=1, max_size=12))
def test_any_head_is_reached_from_any_other_and_from_its_base(
    steps: list[tuple[dict[int, int], int]],
) -> None:
    history, now = History(), START
    for said, days in steps:
        now += dt.timedelta(days=days)
        history.add(key_set(said), now)
    head = history.heads[-1]
    assert pairs(whole(read_pieces(head, history.read))) == pairs(history.sets[-1])
    for earlier, keys in zip(history.heads, history.sets, strict=True):
        if needed_since(head, earlier.seq) is None:
            continue
        change = read_change(head, earlier.seq, history.read)
        assert pairs(whole(applied([keys], change))) == pairs(history.sets[-1])
        check_removals(head, lost(keys, changed(keys, history.sets[-1])), seq=earlier.seq, read=history.read)


@given(st.lists(SETS, min_size=2, max_size=8), st.integers(1, 5))
def test_changes_joined_are_changes_applied(history: list[dict[int, int]], size: int) -> None:
    sets = [key_set(one) for one in history]
    changes = [changed(before, after) for before, after in pairwise(sets)]
    pieces = [KeySet(sets[0].k[at : at + size], sets[0].c[at : at + size]) for at in range(0, 10, size)]
    assert pairs(whole(applied(pieces, latest(changes)))) == pairs(sets[-1])


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 31)), max_size=30))
def test_the_same_key_twice_joins_its_bits(found: list[tuple[int, int]]) -> None:
    wanted: dict[int, int] = {}
    for k, c in found:
        wanted[k] = wanted.get(k, 0) | c
    keys = np.array([k for k, _ in found], dtype=np.int64)
    bits = np.array([c for _, c in found], dtype=np.uint8)
    assert pairs(joined(keys, bits)) == sorted((k, c) for k, c in wanted.items() if c)


def test_a_client_of_any_age_needs_fewer_than_60_files_after_six_years() -> None:
    history = History()
    rng = random.Random(6)  # noqa: S311
    keys: dict[int, int] = {}
    for day in range(0, 6 * 365, 2):
        keys = keys | {rng.randrange(1 << 60): 31}
        history.add(key_set(keys), START + dt.timedelta(days=day))
    head = history.heads[-1]
    most = len(head.base) + len(head.deltas)
    oldest = next(one.seq for one in history.heads if needed_since(head, one.seq) is not None)
    assert (most < 20, head.seq - oldest > 350, head.seq - head.base_seq < 35) == (True, True, True)


def test_deltas_removals_and_packs_of_any_age_are_fewer_than_60_files() -> None:
    spans, most = list[Span](), 0
    for day in range(8 * 365):
        now = START + dt.timedelta(days=day)
        spans = merged([*spans, Span(day, day + 1, now, ({"n": day},))], now)
        most = max(most, len(spans))
    assert 3 * most + 4 < 60  # and the note, the head, a receipt, a tile


def test_a_day_is_one_file_however_many_heads_it_has() -> None:
    history = History()
    for hour in range(20):
        history.add(key_set(dict.fromkeys(range(hour + 1), 31)), START + dt.timedelta(hours=hour))
    assert [(one.since, one.to) for one in history.heads[-1].deltas] == [(1, 20)]


@given(st.lists(st.integers(0, 500), min_size=1, max_size=200))
def test_spans_that_were_merged_leave_no_gap(days: list[int]) -> None:
    spans, now = list[Span](), START
    for seq, more in enumerate(days, 1):
        now += dt.timedelta(days=more)
        spans = merged([*spans, Span(seq - 1, seq, now, ({"n": seq},))], now)
        assert [span.since for span in spans] == [0, *[span.to for span in spans[:-1]]]
    assert spans[-1].to == len(days)


def owned(here: SmallRegistry) -> tuple[str, str]:
    """A photo in a dataset, and its owner's opt-out, both in the feed."""
    here.publish(
        "museum/a", "1", [Line(makers=(OWNER,), photos=("flickr:101",), url=static(101))], files={0: FILE}
    )
    asked, token = here.opt_out(OWNER)
    build(here)
    return asked, token


def removed(found: Read) -> dict[int, tuple[int, str]]:
    """k -> the bits that left, and why."""
    names = {number: name for name, number in keyfeed.REASONS.items()}
    read_ = [keyfeed.read_removals(found.file(one)) for one in found.head["keys"]["removals"]]
    rows = [row for one in read_ for row in zip(*one, strict=True)]
    return {int(k): (int(c), names[int(reason)]) for k, c, reason in rows}


def test_what_is_taken_back_leaves_with_a_removal(here: SmallRegistry) -> None:
    asked, token = owned(here)
    here.withdraw(asked, token)
    build(here)
    [entry] = read(here).entries(FILE)
    assert (removed(read(here)), list(entry["removed"]), entry["removed"]["withdrawn"]["n"]) == (
        {FS: (31, "withdrawn")},
        ["withdrawn"],
        1,
    )


def test_what_a_voided_dataset_caused_leaves_with_that_reason(here: SmallRegistry) -> None:
    here.publish("museum/a", "1", [Line(makers=(OWNER,), photos=("flickr:101",), url=static(101))])
    here.publish("archive/b", "1", [Line(photos=("flickr:101",), url=static(101))], files={0: FILE})
    here.opt_out(OWNER)
    build(here)
    with transaction(here.sessions) as session:
        void_dataset(session, dataset="museum/a", who="operator", why="a hoax", now=here.now)
    here.drain()
    build(here)
    [entry] = read(here).entries(FILE)
    assert (removed(read(here))[FS], list(entry["removed"])) == ((31, "voided"), ["voided"])


def test_fewer_bits_are_a_removal_of_the_others(here: SmallRegistry) -> None:
    asked, token = owned(here)
    here.opt_out(OWNER, categories=["ai-search"], remove_existing=False)
    here.withdraw(asked, token)
    build(here)
    assert (read(here).fingerprints()[FS], removed(read(here))) == (8, {FS: (31 - 8, "withdrawn")})


def test_a_removal_is_never_forgotten(here: SmallRegistry) -> None:
    asked, token = owned(here)
    here.withdraw(asked, token)
    for days in range(0, 900, 9):
        build(here, now=here.now + dt.timedelta(days=days))
    [entry] = read(here).entries(FILE)
    assert (FS in removed(read(here)), entry["removed"]["withdrawn"]["n"]) == (True, 1)


def test_what_has_been_said_is_forgotten_in_the_database(here: SmallRegistry) -> None:
    asked, token = owned(here)
    here.withdraw(asked, token)
    counts = []
    for _ in range(2):
        with here.sessions() as session:
            counts.append(
                [
                    session.scalar(select(func.count()).select_from(table))
                    for table in (WithdrawnKey, WithdrawnRows)
                ]
            )
        build(here)
    with here.sessions() as session:
        matches = session.scalar(select(func.count()).select_from(Match))
    assert (counts, matches) == ([[1, 1], [0, 0]], 0)


def test_a_version_that_is_shown_no_more_is_said_to_be_gone(here: SmallRegistry) -> None:
    owned(here)
    with transaction(here.sessions) as session:
        void_dataset(session, dataset="museum/a", who="operator", why="a hoax", now=here.now)
    for _ in range(2):
        build(here)
    part = canonical.loads(read(here).file(read(here).head["rows"]["index"]["ab"]), max_bytes=1 << 20)
    assert (part["files"], part["gone"]) == (
        {},
        {FILE: [{"dataset": "museum/a", "version": "1", "reason": "voided"}]},
    )


def test_what_fills_a_feed_never_leaves_it(here: SmallRegistry) -> None:
    build(here)
    before = set(read(here).fingerprints())
    owned(here)
    assert (before - set(read(here).fingerprints()), read(here).head["keys"]["removals"]) == (set(), [])


def test_few_that_come_at_once_do_not_come_alone(here: SmallRegistry) -> None:
    build(here)
    before = set(read(here).fingerprints())
    owned(here)
    assert len(set(read(here).fingerprints()) - before) == 64


def test_a_pack_holds_every_file_of_the_row_feeds(here: SmallRegistry) -> None:
    asked, token = owned(here)
    here.withdraw(asked, token)
    build(here)
    found = read(here)
    held: set[str] = set()
    for one in found.head["rows"]["packs"]:
        with tarfile.open(fileobj=io.BytesIO(found.file(one))) as pack:
            held |= {f"files/{name}" for name in pack.getnames()}
    [entry] = found.entries(FILE)
    bitmaps = [one for one in (*entry["bitmaps"].values(), *entry["removed"].values()) if one["n"]]
    needed = {one["path"] for one in (*found.head["rows"]["index"].values(), *bitmaps)}
    assert held == needed


@pytest.mark.parametrize("heads", [1, 3])
def test_packs_of_a_day_are_one(here: SmallRegistry, heads: int) -> None:
    for number in range(heads):
        here.publish("museum/a", str(number), [Line(url=static(number))])
        build(here)
    assert [(one["from"], one["to"]) for one in read(here).head["rows"]["packs"]] == [(0, heads)]
