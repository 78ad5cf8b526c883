"""Schemathesis over the served API: whatever is sent, the answer was described and is never a 5xx."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.served import serving

CONFIG = Path(__file__).with_name("schemathesis.toml")


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_every_operation_answers_as_described(prepared: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(prepared, folder)
    command = str(Path(sys.executable).with_name("schemathesis"))
    words = ["--workers", "1", "--seed", "1", "--max-examples", "20", "--continue-on-failure"]
    with serving(folder) as address:
        done = subprocess.run(
            [command, "--config-file", str(CONFIG), "run", f"{address}/openapi.yaml", *words],
            capture_output=True, text=True, check=False, cwd=tmp_path,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-20_000:]
