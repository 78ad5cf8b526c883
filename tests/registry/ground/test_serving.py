"""The command an operator starts: real processes, real signals."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugins.parts import environment_of

COMMAND = [sys.executable, "-m", "registry.cli"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Serving:
    """`byline-registry serve` on a free port, with its worker."""

    def __init__(self, data_dir: Path) -> None:
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        env = {name: value for name, value in os.environ.items() if not name.startswith("BYLINE_")}
        env.update(environment_of(data_dir))
        self.process = subprocess.Popen([*COMMAND, "serve", "--port", str(port)], env=env)

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=5) as answer:
            return bytes(answer.read())

    def wait(self) -> None:
        deadline = time.monotonic() + 40
        while True:
            assert self.process.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "not ready in time"
            try:
                self.get("/readyz")
            except (OSError, urllib.error.URLError):
                time.sleep(0.1)
            else:
                return

    def workers(self) -> list[int]:
        """The process ids of its worker."""
        return [pid for pid in children(self.process.pid) if "worker" in words_of(pid)]


def words_of(pid: int) -> list[str]:
    """A process's command line; nothing of one that is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return []


def children(parent: int) -> list[int]:
    """The processes it started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            of = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if of == parent:
            found.append(int(folder.name))
    return found


def bulk(serving: Serving) -> list[int]:
    """The processes beside its worker that do what takes long, as soon as they have made themselves small."""
    found = [
        child for worker in serving.workers() for child in children(worker) if "--bulk" in words_of(child)
    ]
    return [pid for pid in found if os.getpriority(os.PRIO_PROCESS, pid) > os.getpriority(os.PRIO_PROCESS, 0)]


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    env = {**os.environ, **environment_of(tmp_path / "data")}
    subprocess.run([*COMMAND, "init"], env=env, check=True, stdout=subprocess.DEVNULL)
    server = Serving(tmp_path / "data")
    try:
        server.wait()
        yield server
    finally:
        if server.process.poll() is None:
            server.process.terminate()
        server.process.wait(timeout=60)


def eventually(what: object) -> None:
    deadline = time.monotonic() + 90
    while not what():  # type: ignore[operator]
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.1)


def test_it_answers_with_its_origin_and_key(serving: Serving, tmp_path: Path) -> None:
    about = json.loads(serving.get("/v1"))
    standing = json.loads((tmp_path / "data" / "registry.json").read_text())
    assert about["origin"] == standing["origin"]
    assert serving.get("/log/vkey").decode().strip() == about["vkey"]


def test_sigterm_ends_it_and_its_worker(serving: Serving) -> None:
    [worker] = serving.workers()
    serving.process.send_signal(signal.SIGTERM)
    assert serving.process.wait(timeout=60) == 0
    assert not Path(f"/proc/{worker}").exists()


def test_what_takes_long_has_a_process_of_its_own_that_ends_with_the_others(serving: Serving) -> None:
    eventually(lambda: bulk(serving))
    [before] = bulk(serving)
    os.kill(before, signal.SIGKILL)
    eventually(lambda: bulk(serving) not in ([], [before]))
    [again] = bulk(serving)
    serving.process.send_signal(signal.SIGTERM)
    assert serving.process.wait(timeout=60) == 0
    assert not Path(f"/proc/{again}").exists()


def test_what_takes_long_does_not_outlive_a_worker_that_was_killed(serving: Serving) -> None:
    eventually(lambda: bulk(serving))
    [worker], [orphan] = serving.workers(), bulk(serving)
    os.kill(worker, signal.SIGKILL)
    eventually(lambda: not Path(f"/proc/{orphan}").exists())


def test_a_worker_that_was_killed_is_started_again(serving: Serving) -> None:
    [worker] = serving.workers()
    os.kill(worker, signal.SIGKILL)
    eventually(lambda: serving.workers() not in ([], [worker]))
    assert json.loads(serving.get("/v1"))["origin"]
