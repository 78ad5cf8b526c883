"""aics-tlog reads our logs: Python that nobody here wrote, in an environment of its own (`make outsiders`)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from byline.formats import checkpoint as checkpoints
from byline.formats import note
from byline.formats.checkpoint import Checkpoint
from registry.tlog import shelf
from tests.registry.tlog.keeper import KEY, ORIGIN, Keeper
from tests.registry.tlog.test_outsiders import written

ROOT = Path(__file__).resolve().parents[3]
PYTHON = ROOT / ".venv/outsiders/bin/python"
SOURCE = Path(__file__).with_name("outsiders") / "aics.py"
pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason="needs aics-tlog under Python 3.12 (make outsiders)"
)


def said(log: Path, *old: Path) -> subprocess.CompletedProcess[str]:
    """What it makes of a log, and of an older checkpoint of it."""
    command = [str(PYTHON), "-I", str(SOURCE), str(log), note.vkey(ORIGIN, KEY.public), *map(str, old)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=240)


@pytest.mark.parametrize("sizes", [(1,), (2, 253), (256,), (200, 57), (700, 64_837)])
def test_aics_tlog_reads_our_logs(small: Keeper, tmp_path: Path, sizes: tuple[int, ...]) -> None:
    older = []
    for count in sizes:
        small.add_many(count)
        small.settle()
        older.append(tmp_path / f"checkpoint-{count}")
        older[-1].write_bytes(small.store.get(shelf.CHECKPOINT))
    done = said(written(small, tmp_path), *older[:-1])
    assert (done.returncode, done.stdout.split()[:2]) == (0, ["OK", str(sum(sizes))]), done.stderr


@pytest.mark.parametrize("name", ["tile/0/000.p/44", "tile/entries/000.p/44", "checkpoint"])
def test_aics_tlog_refuses_a_flipped_bit(small: Keeper, tmp_path: Path, name: str) -> None:
    small.add_many(44)
    small.settle()
    log = written(small, tmp_path)
    data = bytearray((log / name).read_bytes())
    data[40] ^= 1
    (log / name).write_bytes(bytes(data))
    assert said(log).returncode == 1


def test_aics_tlog_refuses_a_log_that_was_another_before(small: Keeper, tmp_path: Path) -> None:
    small.add_many(12)
    small.settle()
    before = tmp_path / "before"
    before.write_bytes(checkpoints.write(Checkpoint(ORIGIN, 9, b"f" * 32), KEY))
    assert said(written(small, tmp_path), before).returncode == 1
