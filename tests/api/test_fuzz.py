"""Schemathesis over the served API: whatever is sent, the answer was described and is never a 5xx."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import httpx
import pytest

from tests.api.served import serving
from tests.api.world import world_from
from tests.plugins.parts import copy_registry

CONFIG = Path(__file__).with_name("schemathesis.toml")


def fuzz(address: str, config: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run it; the same seed, the same requests."""
    command = str(Path(sys.executable).with_name("schemathesis"))
    always = ["--workers", "1", "--seed", "1", "--continue-on-failure"]
    return subprocess.run(
        [command, "--config-file", str(config), "run", f"{address}/openapi.yaml", *always, *words],
        capture_output=True, text=True, check=False, cwd=config.parent,
    )  # fmt: skip


def told(done: subprocess.CompletedProcess[str]) -> str:
    """What went wrong, without requests of 60 kB."""
    return "\n".join(line[:400] for line in done.stdout.splitlines())


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_every_operation_answers_as_described(prepared: Path, tmp_path: Path) -> None:
    copy_registry(prepared, tmp_path / "data")
    shutil.copy(CONFIG, tmp_path)
    with serving(tmp_path / "data") as address:
        done = fuzz(address, tmp_path / CONFIG.name, "--max-examples", "15", "--phases", "coverage,fuzzing")
    assert done.returncode == 0, told(done)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_what_is_there_answers_as_described(published: Path, tmp_path: Path) -> None:
    """The same where addresses lead somewhere: they are given, everything else is made up."""
    with world_from(published, tmp_path / "data") as world:
        there = {
            "publisher": "ibm-research", "name": "faces", "slug": "ibm-research", "version": "1.0.0",
            "contributor": world.get("/v1/search?q=jane")["items"][0]["contributor"]["id"],
        }  # fmt: skip
    config = tmp_path / CONFIG.name
    lines = [f'"path.{name}" = "{value}"' for name, value in there.items()]
    lines.append('"query.dataset" = "ibm-research/faces"')
    config.write_text(CONFIG.read_text() + "\n[parameters]\n" + "\n".join(lines) + "\n")
    assert tomllib.loads(config.read_text())["parameters"]
    with serving(tmp_path / "data") as address:
        assert httpx.get(f"{address}/v1/datasets/ibm-research/faces").status_code == 200
        done = fuzz(address, config, "--max-examples", "10", "--phases", "fuzzing", "--include-method", "GET")
    assert done.returncode == 0, told(done)
