"""A sync whose connection breaks goes on where it was; as many files come at once as `--jobs` says, and no more."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from byline.client.feed import Feed
from byline.client.state import State
from byline.client.sync import Synced, sync
from byline.client.transport import Retry, Transport
from byline.errors import Unavailable
from byline.formats import canonical, keyfeed
from byline.formats.keyset import KeySet, cut
from tests.client.loopback import Loopback, is_file, listening
from tests.client.served import NOW, Served, every, row_entry

FILES = [hashlib.sha256(b"file %d" % at).hexdigest() for at in range(40)]
LONG = 60.0


def many_files(*, time: dt.datetime = NOW) -> Served:
    """A head with a base of twelve files, and forty bitmaps whose index is in two packs."""
    served = Served()
    rows = {digest: [row_entry({"any": [at, 100]}, records=101)] for at, digest in enumerate(FILES)}
    head = served.publish(rows=rows, time=time)
    k = np.arange(1, 121, dtype=np.int64) << 40
    served.keys = KeySet(k, np.full(len(k), 31, np.uint8))
    base = []
    for piece in cut(served.keys, 10):
        data = keyfeed.write(*piece)
        base.append({**served.put(data, "parquet"), "bytes": len(data), "rows": len(piece.k)})
    head["keys"] |= {"n": len(k), "set_sha256": keyfeed.set_sha256(*served.keys), "base": base}
    head["rows"]["packs"] = packs(served, head)
    served.serve(head)
    return served


def packs(served: Served, head: dict[str, Any]) -> list[dict[str, Any]]:
    """The index in one pack, half of the bitmaps in it as well, the other half in a second one."""
    puffins = sorted(name for name in served.files if name.endswith(".puffin"))
    index = [part["path"] for part in head["rows"]["index"].values()]
    spans = []
    for at, names in enumerate(([*index, *puffins[:20]], puffins[20:])):
        data = tar({name.removeprefix("files/"): served.files[name] for name in names})
        until = {"from": at, "to": at + 1, "until": canonical.timestamp(NOW)}
        spans.append({**until, **served.put(data, "tar"), "bytes": len(data), "rows": len(names)})
    spans[-1]["to"] = head["seq"] = 2
    return spans


def tar(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as pack:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            pack.addfile(member, io.BytesIO(data))
    return out.getvalue()


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    with listening(many_files()) as listens:
        yield listens


def synced(loopback: Loopback, folder: Path, *, jobs: int = 1, attempts: int = 1) -> Synced:
    """Sync over the socket."""
    retry = Retry(attempts=attempts, sleep=lambda _: None)
    with Transport(loopback.url, retry=retry) as transport:
        return sync(transport, State(folder, make=True), now=lambda: NOW, patience=LONG, jobs=jobs)


def broken(loopback: Loopback, folder: Path, *, after: int, jobs: int = 1) -> list[str]:
    """Sync while every file after so many breaks off: the files that came whole."""
    lock, left = threading.Lock(), [after]

    def breaks(path: str) -> bool:
        with lock:
            left[0] -= is_file(path)
            return is_file(path) and left[0] < 0

    loopback.breaks = breaks
    with pytest.raises(Unavailable) as caught:
        synced(loopback, folder, jobs=jobs)
    loopback.breaks = lambda _: False
    assert caught.value.code == "unreachable"
    return loopback.files()


@pytest.mark.parametrize("jobs", [1, 8])
@pytest.mark.parametrize("after", [0, 1, 5, 11, 12, 13])
def test_what_came_before_the_connection_broke_does_not_come_again(
    loopback: Loopback, tmp_path: Path, after: int, jobs: int
) -> None:
    first = broken(loopback, tmp_path, after=after, jobs=jobs)
    assert len(first) == after
    assert State(tmp_path).last() is None
    assert synced(loopback, tmp_path).head.keys == 120
    second = loopback.files()
    assert (len({*first, *second}), len(first) + len(second)) == (14, 14)  # each once


def test_half_a_file_is_never_kept(loopback: Loopback, tmp_path: Path) -> None:
    broken(loopback, tmp_path, after=3)
    kept = sorted((tmp_path / "files").iterdir())
    assert len(kept) == 3
    assert all(hashlib.sha256(path.read_bytes()).hexdigest() == path.stem for path in kept)


def test_an_answer_that_broke_off_is_asked_for_again_at_once(loopback: Loopback, tmp_path: Path) -> None:
    seen: set[str] = set()

    def breaks_once(path: str) -> bool:
        return is_file(path) and path not in seen and not seen.add(path)  # type: ignore[func-returns-value]

    loopback.breaks = breaks_once
    assert synced(loopback, tmp_path, attempts=2).head.keys == 120
    assert sorted(loopback.broken) == sorted(loopback.files())


def test_a_feed_that_was_there_stays_until_the_next_one_is_whole(loopback: Loopback, tmp_path: Path) -> None:
    synced(loopback, tmp_path)
    loopback.files()
    rows = {digest: [row_entry({"any": [at, 99, 100]}, records=101)] for at, digest in enumerate(FILES)}
    loopback.served.publish(every([*loopback.served.keys.k.tolist(), 7]), seq=3, rows=rows)
    assert len(broken(loopback, tmp_path, after=7)) == 7
    assert Feed.open(tmp_path, now=NOW).head.seq == 2
    synced(loopback, tmp_path)
    assert Feed.open(tmp_path, now=NOW).head.keys == 121


def test_what_is_left_over_from_a_broken_sync_is_swept(loopback: Loopback, tmp_path: Path) -> None:
    broken(loopback, tmp_path, after=13)
    synced(loopback, tmp_path)
    endings = {path.suffix for path in (tmp_path / "files").iterdir()}
    assert endings == {".parquet", ".json", ".puffin"}


@pytest.mark.parametrize("jobs", [1, 3, 8])
def test_as_many_files_come_at_once_as_jobs_says(loopback: Loopback, tmp_path: Path, jobs: int) -> None:
    """The first `jobs` files are answered only when all of them were asked for; never is another one asked for beside."""
    together, lock, now, most = threading.Barrier(jobs), threading.Lock(), [0], [0]
    asked: list[str] = []

    def hold(path: str) -> None:
        if not path.endswith(".parquet"):
            return
        with lock:
            asked.append(path)
            first = len(asked) <= jobs
            now[0] += 1
            most[0] = max(most[0], now[0])
        if first:
            together.wait(LONG)
        with lock:
            now[0] -= 1

    loopback.holds = hold
    synced(loopback, tmp_path, jobs=jobs)
    assert (most[0], len(asked)) == (jobs, 12)


def test_the_command_goes_on_with_what_it_has(tmp_path: Path) -> None:
    with listening(many_files(time=dt.datetime.now(dt.UTC))) as loopback:
        command = ["sync", "--registry", loopback.url, "--state", str(tmp_path), "--json"]
        loopback.breaks = lambda path: path.endswith(".tar")
        broke = run(*command, "--jobs", "2")
        assert (broke.returncode, json.loads(broke.stdout)["error"]["code"]) == (3, "unreachable")
        first = loopback.files()
        loopback.breaks = lambda _: False
        done = run(*command, "--jobs", "2")
        assert (done.returncode, json.loads(done.stdout)["fetched"]["files"]) == (0, 2)
        assert (len(first), len(loopback.files())) == (12, 2)


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """The command, in a process of its own."""
    command = [sys.executable, "-c", "from byline.cli import main; main()", *words]
    return subprocess.run(command, check=False, capture_output=True, text=True)
