"""The fenced process: what it may not do, and what its death means."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import psutil
import pytest

from byline.errors import Unavailable
from registry.publishing import fence, tables
from registry.publishing.task import Task, task_from_json
from tests.registry.publishing.desk import Desk, Extract, Registry


def task(folder: Path, **said: Any) -> Task:
    told: dict[str, Any] = {
        "folder": str(folder), "parts": ("part",), "dataset": "lumen-labs/x", "columns": {"url": "URL"}, "files": (1,),
        "rows": 1, "sha256": "0" * 64, "max_row": 65_536, "max_url": 8192, "memory": 1 << 28, "seconds": 60, "threads": 1,
    }  # fmt: skip
    return Task(**{**told, **said})


def test_a_task_comes_through_the_pipe_as_it_was(tmp_path: Path) -> None:
    made = task(tmp_path)
    assert task_from_json(made.to_json()) == made


def test_duckdb_reads_nothing_outside_its_folder(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out.csv"
    inside.mkdir()
    outside.write_text("a\n1\n")
    with tables.open_duckdb(task(inside)) as connection, pytest.raises(duckdb.Error):
        connection.execute(f"SELECT * FROM read_csv('{outside}')")


def test_duckdb_writes_nothing_outside_its_folder(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    with tables.open_duckdb(task(inside)) as connection, pytest.raises(duckdb.Error):
        connection.execute(f"COPY (SELECT 1) TO '{tmp_path / 'out.parquet'}'")
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize(
    "words",
    ["SET enable_external_access = true", "SET memory_limit = '99GB'", "LOAD httpfs", "INSTALL httpfs"],
)
def test_duckdb_cannot_be_told_otherwise(tmp_path: Path, words: str) -> None:
    with tables.open_duckdb(task(tmp_path)) as connection, pytest.raises(duckdb.Error):
        connection.execute(words)


LIMITED = """
import os, resource, sys
from registry.publishing import child
from registry.publishing.task import task_from_json
child.die_with_parent()
child.limit_myself(task_from_json(sys.stdin.readline()))
"""


def in_child(folder: Path, code: str) -> str:
    """What a few lines say, run as the fenced process runs, after it limited itself."""
    (folder / "part").write_bytes(b"x" * 100)
    done = subprocess.run(
        [sys.executable, "-I", "-c", LIMITED + code], input=task(folder).to_json() + "\n", env=fence.ENVIRONMENT,
        text=True, capture_output=True, check=False,
    )  # fmt: skip
    return done.stdout.strip() + done.stderr.strip()[-200:]


def test_it_has_no_environment_to_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BYLINE_SMTP_URL", "smtp://user:secret@example.org")
    assert "secret" not in in_child(tmp_path, "print(dict(os.environ))")


def test_it_limits_its_own_memory(tmp_path: Path) -> None:
    assert "MemoryError" in in_child(tmp_path, "b'x' * (6 << 30)")


def test_it_limits_its_own_files(tmp_path: Path) -> None:
    assert "Too many open files" in in_child(tmp_path, "kept = [open('/dev/null') for _ in range(300)]")


def test_it_limits_its_own_time(tmp_path: Path) -> None:
    assert in_child(tmp_path, "print(resource.getrlimit(resource.RLIMIT_CPU)[0])") == "60"


def test_it_leaves_no_core(tmp_path: Path) -> None:
    assert in_child(tmp_path, "print(resource.getrlimit(resource.RLIMIT_CORE))") == "(0, 0)"


ORPHAN = """
import time
from registry.publishing import child
child.die_with_parent()
print(1, flush=True)
time.sleep(60)
"""
PARENT = f"""
import subprocess, sys, time
process = subprocess.Popen([sys.executable, "-c", {ORPHAN!r}], stdout=subprocess.PIPE)
process.stdout.readline()
print(process.pid, flush=True)
time.sleep(60)
"""


def test_it_dies_with_its_parent(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    assert parent.stdout is not None
    grandchild = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 10
    while is_alive(grandchild) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_alive(grandchild)


def is_alive(process: psutil.Process) -> bool:
    return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)


@pytest.fixture
def deadly(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A reader that kills itself over every extract."""
    program = tmp_path / "deadly"
    program.write_text(f"#!{sys.executable}\nimport os, sys\nsys.stdin.readline()\nos.kill(os.getpid(), 9)\n")
    program.chmod(0o700)
    monkeypatch.setattr(fence, "PROGRAM", [str(program)])


def test_one_death_is_tried_again(deadly: None, desk: Desk, registry: Registry, extract: Extract) -> None:
    submission = desk.submit(desk.manifest(extract))
    desk.send(submission, extract)
    with pytest.raises(Unavailable) as error:
        registry.ingest(submission)
    assert error.value.code == "extract-reader-died"
    assert registry.view(submission)["state"] == "received"


def test_the_third_death_refuses(deadly: None, desk: Desk, registry: Registry, extract: Extract) -> None:
    submission = desk.submit(desk.manifest(extract))
    desk.send(submission, extract)
    for _ in range(2):
        with pytest.raises(Unavailable):
            registry.ingest(submission)
    registry.ingest(submission)
    view = registry.view(submission)
    assert (view["state"], view["errors"][0]["code"]) == ("refused", "extract-kills-its-reader")


def test_a_death_says_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        fence, "PROGRAM", [sys.executable, "-c", "import sys; sys.stdin.readline(); sys.exit('out of luck')"]
    )
    with pytest.raises(Unavailable, match="out of luck"):
        fence.read_extract(task(tmp_path), heard=lambda *_: None)


def test_a_reader_that_never_ends_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fence, "PROGRAM", [sys.executable, "-c", "import time; time.sleep(60)"])
    began = time.monotonic()
    with pytest.raises(Unavailable):
        fence.read_extract(task(tmp_path, seconds=1), heard=lambda *_: None)
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    ("said", "times"),
    [
        ("x", 64 << 20),
        ("[", 100_000),
        ("[1]", 1),
        ("null", 1),
        ('{"step": 1}', 1),
        ('{"totals": 1, "step": []}', 1),
    ],
)
def test_who_says_what_nobody_asked_is_ended_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, times: int
) -> None:
    """It would else stand at a full pipe until its time, hours, is up."""
    program = f"import time; print({said!r} * {times}, flush=True); time.sleep(60)"
    monkeypatch.setattr(fence, "PROGRAM", [sys.executable, "-c", program])
    began = time.monotonic()
    with pytest.raises(Unavailable):
        fence.read_extract(task(tmp_path), heard=lambda *_: None)
    assert time.monotonic() - began < 30
