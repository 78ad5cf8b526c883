"""The process that reads what strangers sent, taken over: what its code could reach."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from registry.publishing import fence

LANDLOCK: int = ctypes.CDLL(None).syscall(444, None, 0, 1)
pytestmark = pytest.mark.skipif(
    LANDLOCK < 4, reason="this kernel has no Landlock that knows of TCP (Linux 6.7)"
)


def taken_over(folder: Path, code: str) -> str:
    """What a few lines say that run inside the walls."""
    folder.mkdir()
    walls = f"from pathlib import Path; from registry.publishing.walls import wall_in; wall_in(Path({str(folder)!r}))"
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"{walls}\n{code}"],
        env=fence.ENVIRONMENT,
        text=True,
        capture_output=True,
        check=False,
    )
    return (done.stdout.strip().splitlines() or done.stderr.strip().splitlines() or [""])[-1]


def test_it_reads_and_writes_its_own_folder(tmp_path: Path) -> None:
    path = tmp_path / "own" / "file"
    assert (
        taken_over(
            tmp_path / "own", f"open({str(path)!r}, 'w').write('x'); print(open({str(path)!r}).read())"
        )
        == "x"
    )


def test_it_reads_no_key(tmp_path: Path) -> None:
    (tmp_path / "log-key.pem").write_text("secret")
    said = taken_over(tmp_path / "own", f"print(open({str(tmp_path / 'log-key.pem')!r}).read())")
    assert "PermissionError" in said


def test_it_writes_nowhere_else(tmp_path: Path) -> None:
    assert "PermissionError" in taken_over(tmp_path / "own", f"open({str(tmp_path / 'left')!r}, 'w')")


def test_it_reads_nothing_of_the_process_that_started_it(tmp_path: Path) -> None:
    """The worker's environment may hold passwords."""
    assert "PermissionError" in taken_over(
        tmp_path / "own", f"print(open('/proc/{os.getpid()}/environ').read())"
    )


def test_it_tells_nobody(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        code = f"import socket; socket.create_connection({listening.getsockname()!r}); print('told')"
        assert "PermissionError" in taken_over(tmp_path / "own", code)


def test_it_starts_no_program(tmp_path: Path) -> None:
    assert "PermissionError" in taken_over(tmp_path / "own", "import os; os.execv('/bin/true', ['true'])")


def test_it_signals_no_other_process(tmp_path: Path) -> None:
    if LANDLOCK < 6:
        pytest.skip("this kernel's Landlock does not know of signals (Linux 6.12)")
    assert "PermissionError" in taken_over(tmp_path / "own", f"import os; os.kill({os.getpid()}, 0)")


def test_an_extract_is_read_inside_the_walls() -> None:
    assert fence.PROGRAM[-2:] == ["registry.publishing.walls", "registry.publishing.child"]
