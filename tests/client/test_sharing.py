"""Readers and a writer in processes of their own share a state folder; the writer is killed in the middle, again and again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from byline.client.feed import Feed
from byline.client.keysets import open_kept, write_set
from byline.client.state import KEPT_HEADS
from byline.formats.keyset import KeySet
from byline.formats.selectors import fingerprint
from tests.client.served import NOW, Served, every

HEADS = 9  # fewer than are kept: a reader may be as slow as it likes
NAMES = [f"example.org/{at}.jpg" for at in range(HEADS)]
KEYS = [fingerprint("u", name) for name in NAMES]
URLS = [f"https://{name}" for name in NAMES]

_WRITER = """
import json, sys
from pathlib import Path
from byline.client.lean import lean
lean()
from byline.client.state import State
from tests.client.served import Served, every
folder, keys, served = Path(sys.argv[1]), json.loads(sys.argv[2]), Served()
last = State(folder).last().seq
for seq in range(1, len(keys) + 1):
    served.publish(every(keys[:seq]), seq=seq)
    if seq > last:
        print(seq, flush=True)
        served.sync(folder)
"""

_READER = """
import datetime, json, sys, time
from pathlib import Path
from byline.client.lean import lean
lean()
from byline.client.feed import Feed
folder, urls, stop = Path(sys.argv[1]), json.loads(sys.argv[2]), Path(sys.argv[3])
now = datetime.datetime.fromisoformat(sys.argv[4])
seen, last = set(), False
while not last:
    last = stop.exists()
    feed = Feed.open(folder, now=now)
    keep = feed.mask(urls)
    assert keep.tolist() == [at >= feed.head.seq for at in range(len(urls))], feed.head.seq
    if not seen:
        print("reading", flush=True)
    seen.add(feed.head.seq)
    time.sleep(0.05)
print(max(seen))
"""


def process(program: str, *words: str | Path) -> subprocess.Popen[str]:
    """A program of its own, in this checkout."""
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", program, *map(str, words)]
    pipe = subprocess.PIPE
    env = {**os.environ, "PYTHONPATH": str(root)}
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=root, env=env)


def written(folder: Path, *, until: int) -> int:
    """Let a writer sync until it begins with a head, kill it there; the head that was begun last."""
    with process(_WRITER, folder, json.dumps(KEYS)) as writer:
        assert writer.stdout is not None
        begun = 0
        for line in writer.stdout:
            begun = int(line)
            if begun >= until:
                writer.send_signal(signal.SIGKILL)
                break
        assert writer.wait() in {-signal.SIGKILL, 0}  # 0: it was done before it was killed
    return begun


def test_readers_never_see_half_of_a_feed_whatever_befalls_the_writer(tmp_path: Path) -> None:
    state, stop = tmp_path / "state", tmp_path / "stop"
    served = Served()
    served.publish(every(KEYS[:1]))
    served.sync(state)
    readers = [process(_READER, state, json.dumps(URLS), stop, NOW.isoformat()) for _ in range(2)]
    for reader in readers:
        assert reader.stdout is not None
        reader.stdout.readline()
    for until in (3, 6):
        assert written(state, until=until) >= until
    with process(_WRITER, state, json.dumps(KEYS)) as writer:
        assert (writer.wait(), writer.stderr and writer.stderr.read()) == (0, "")
    stop.touch()
    for reader in readers:
        out, errors = reader.communicate()
        assert (reader.returncode, out.strip()) == (0, str(HEADS)), errors
    assert HEADS < KEPT_HEADS


@pytest.mark.parametrize("harm", ["drafts", "sets"])
def test_a_set_that_a_sync_sweeps_while_it_is_made_is_whole_all_the_same(tmp_path: Path, harm: str) -> None:
    stem = tmp_path / "sets" / ("ab" * 32)
    one, other = (KeySet(np.array([at], np.int64), np.array([31], np.uint8)) for at in (1, 2))

    def pieces() -> Iterator[KeySet]:
        yield one
        for path in stem.parent.iterdir():
            path.unlink()
        yield other

    made = write_set(stem, pieces() if harm == "drafts" else [one, other])
    for path in stem.parent.iterdir():
        path.unlink()
    assert (made.k.tolist(), made.bits_at(np.array([2, 3])).tolist()) == ([1, 2], [31, 0])
    write_set(stem, [one, other])
    assert open_kept(stem).k.tolist() == [1, 2]


def test_a_state_that_may_only_be_read_is_read(tmp_path: Path) -> None:
    served = Served()
    served.publish(every(KEYS[:3]))
    served.sync(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert Feed.open(tmp_path, now=NOW).mask(URLS[:4]).tolist() == [False, False, False, True]
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
