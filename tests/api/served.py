"""The app behind a real granian on loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.plugins.parts import environment_of

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def serving(data_dir: Path) -> Iterator[str]:
    """The address of a granian that serves the registry in `data_dir`, as `byline-registry serve` would."""
    port = free_port()
    often = "9999999/minute"
    environ = {
        **os.environ, **environment_of(data_dir), "BYLINE_ORIGIN": "localhost", "PYTHONPATH": str(ROOT),
        "BYLINE_BUDGET_READ": often, "BYLINE_BUDGET_LOOKUP": often, "BYLINE_BUDGET_WRITE": often,
    }  # fmt: skip
    words = ["--interface", "wsgi", "--factory", "--no-ws", "--port", str(port), "--blocking-threads", "12"]
    log = data_dir / "granian.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [str(Path(sys.executable).with_name("granian")), *words, "api.app:create_app"],
            env=environ, stdout=out, stderr=subprocess.STDOUT, cwd=data_dir,
        )  # fmt: skip
        try:
            _wait(f"http://127.0.0.1:{port}", server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(20)


def _wait(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            if httpx.get(f"{address}/healthz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        if server.poll() is not None:
            break
        time.sleep(0.1)
    raise AssertionError(log.read_text())
