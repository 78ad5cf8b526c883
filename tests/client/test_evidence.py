"""What is not believed is kept as it was shown, in a file the error names: once, whole, and never over another."""

from __future__ import annotations

import datetime as dt
import hashlib
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from byline.client.evidence import MOST_REMEMBERED, TO_DO, Witness, keep, parts_of
from byline.client.state import State
from byline.errors import BylineError, Untrusted
from byline.formats.keys import PrivateKey
from tests.client.served import NOW, Served, every, evidence, one_head

FILE = hashlib.sha256(b"a data file").hexdigest()
VKEY, NOTE, CHECKPOINT = "/log/vkey", "/feed/v1/head.note", "/log/checkpoint"
Lie = Callable[[Served], dict[str, Any]]


def another_key(served: Served) -> dict[str, Any]:
    served.key = PrivateKey(hashlib.sha256(b"tests: another log").digest())
    served.publish(every([1]), seq=2)
    return {}


def a_strangers_signature(served: Served) -> dict[str, Any]:
    other = Served(key=PrivateKey(hashlib.sha256(b"tests: a stranger").digest()))
    other.publish(every([1]), seq=2)
    served.files |= {"head.json": other.files["head.json"], "head.note": other.files["head.note"]}
    return {}


def an_earlier_number(served: Served) -> dict[str, Any]:
    served.publish(every([1]), seq=0)
    served.told_seq = 0
    return {}


def another_head_of_the_number(served: Served) -> dict[str, Any]:
    served.publish(every([2]), seq=1)
    return {}


def an_old_head(_: Served) -> dict[str, Any]:
    return {"now": NOW + dt.timedelta(days=8)}


def a_head_older_than_wanted(_: Served) -> dict[str, Any]:
    return {"now": NOW + dt.timedelta(hours=2), "max_age": dt.timedelta(hours=1)}


def another_past(served: Served) -> dict[str, Any]:
    served.leaves[0] = b"another past"
    return {}


def a_tile_cut_short(served: Served) -> dict[str, Any]:
    served.leaves.append(b"more")
    real = served.logged

    def short(path: str) -> bytes | None:
        found = real(path)
        return found[:64] if found and "/tile/" in path else found

    served.logged = short  # type: ignore[method-assign]
    return {}


def a_head_out_of_the_log(served: Served) -> dict[str, Any]:
    served.publish(every([1, 5, 1 << 59]), seq=2)
    served.leaves.pop()
    return {}


def fingerprints_gone_without_a_word(served: Served) -> dict[str, Any]:
    served.publish(every([1]), seq=2, silent=True)
    return {}


LIES: list[tuple[Lie, str, str]] = [
    (another_key, "key-changed", "/v1"),
    (a_strangers_signature, "bad-signature", NOTE),
    (an_earlier_number, "feed-went-back", NOTE),
    (another_head_of_the_number, "feed-forked", NOTE),
    (an_old_head, "feed-expired", NOTE),
    (a_head_older_than_wanted, "feed-stale", NOTE),
    (another_past, "log-forked", "/v1/receipts/"),
    (a_tile_cut_short, "log-truncated", "/log/tile/0/000"),
    (a_head_out_of_the_log, "head-not-logged", NOTE),
    (fingerprints_gone_without_a_word, "removed-unsaid", NOTE),
]


@pytest.mark.parametrize(("lie", "code", "path"), LIES, ids=[code for _, code, _ in LIES])
def test_each_is_another_error_and_leaves_its_file(lie: Lie, code: str, path: str, tmp_path: Path) -> None:
    served = one_head(FILE)
    served.sync(tmp_path)
    note, checkpoint = served.files["head.note"], served.checkpoint
    how = lie(served)
    for _ in range(2):  # the same lie again is the same file
        with pytest.raises(BylineError) as caught:
            served.sync(tmp_path, **how)
        assert caught.value.code == code
        (kept,) = (tmp_path / "evidence").iterdir()
        assert f"kept in {kept}: {TO_DO[code]}" in caught.value.message
        assert isinstance(caught.value.details, dict)
        assert caught.value.details["evidence"] == str(kept)
    document = evidence(tmp_path, code)
    believed, shown = parts_of(document, "believed"), parts_of(document, "shown")
    assert (believed[NOTE], believed[CHECKPOINT]) == (note, checkpoint)
    assert believed[VKEY].decode() == State(tmp_path).vkey()
    assert [one for one in shown if one.startswith(path)], sorted(shown)
    for which in ("believed", "shown"):
        for one in document[which]:
            data = parts_of(document, which)[one["path"]]
            assert (hashlib.sha256(data).hexdigest(), len(data)) == (one["sha256"], one["bytes"])


def test_a_tile_is_kept_as_it_was_shown(tmp_path: Path) -> None:
    served = one_head(FILE)
    served.sync(tmp_path)
    a_tile_cut_short(served)
    with pytest.raises(BylineError):
        served.sync(tmp_path)
    shown = parts_of(evidence(tmp_path, "log-truncated"), "shown")
    tiles = {path: data for path, data in shown.items() if "/tile/" in path}
    assert list(tiles) == ["/log/tile/0/000.p/3"]
    assert len(tiles["/log/tile/0/000.p/3"]) == 64


def test_another_lie_is_another_file_and_none_is_written_over(tmp_path: Path) -> None:
    served = one_head(FILE)
    served.sync(tmp_path)
    seen: dict[str, bytes] = {}
    for keys in ([2], [3], [2]):
        served.publish(every(keys), seq=1)
        with pytest.raises(Untrusted):
            served.sync(tmp_path)
        now = {path.name: path.read_bytes() for path in (tmp_path / "evidence").iterdir()}
        assert seen.items() <= now.items()
        seen = now
    assert len(seen) == 2


def test_where_it_cannot_be_kept_the_error_is_the_same(tmp_path: Path) -> None:
    served = one_head(FILE)
    served.sync(tmp_path)
    (tmp_path / "evidence").write_bytes(b"a file where the folder should be")
    another_key(served)
    with pytest.raises(BylineError) as caught:
        served.sync(tmp_path)
    assert caught.value.code == "key-changed"
    assert "could not be kept as evidence" in caught.value.message


def test_what_is_remembered_is_bounded() -> None:
    class Large:
        def fetch(self, path: str, *, max_bytes: int) -> bytes:
            return path.encode() * (max_bytes // len(path))

    witness = Witness(Large())
    witness.fetch(NOTE, max_bytes=1 << 10)
    for number in range(10, 50):
        witness.fetch(f"/log/tile/0/0{number}", max_bytes=1 << 20)
    witness.fetch("/feed/v1/files/large", max_bytes=MOST_REMEMBERED + (1 << 20))
    shown = witness.shown(Untrusted("log-forked", "two"))
    assert NOTE in shown
    assert "/log/tile/0/049" in shown
    assert sum(map(len, shown.values())) <= MOST_REMEMBERED + (1 << 10)


_KILLED = """
import os, signal, sys
from pathlib import Path
from byline.client.evidence import keep
from byline.errors import Untrusted
left = int(sys.argv[2])
def dying(what):
    def step(*args, **kwargs):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return what(*args, **kwargs)
    return step
os.fsync = dying(os.fsync)
os.open = dying(os.open)
Path.replace = dying(Path.replace)
keep(Path(sys.argv[1]), Untrusted("log-forked", "two"), believed={"a": b"one"}, shown={"a": b"two" * 9999})
"""


@pytest.mark.parametrize("step", range(1, 7))
def test_killed_anywhere_it_is_whole_or_not_there(tmp_path: Path, step: int) -> None:
    done = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path), str(step)], check=False)
    assert done.returncode == -signal.SIGKILL
    for path in (tmp_path / "evidence").glob("log-forked-*.json"):
        assert parts_of(evidence(tmp_path, "log-forked"), "shown") == {"a": b"two" * 9999}, path
    error = Untrusted("log-forked", "two")
    path = keep(tmp_path, error, believed={"a": b"one"}, shown={"a": b"two" * 9999})
    changed = path.stat()
    assert keep(tmp_path, error, believed={"a": b"one"}, shown={"a": b"two" * 9999}) == path
    assert path.stat().st_mtime_ns == changed.st_mtime_ns
