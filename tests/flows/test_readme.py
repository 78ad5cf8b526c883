"""The README's journeys, copied out of it and run by a shell against a registry that `demo` would serve."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.flows.conftest import BIN, Registry

JOURNEYS = ("publisher", "photographer", "engineer", "auditor", "operator")


def script(readme: Path, journey: str) -> str:
    """The shell block that follows `<!-- journey: NAME -->`."""
    found = re.search(
        rf"<!-- journey: {journey} -->\n```sh\n(.*?)```", readme.read_text(encoding="utf-8"), re.DOTALL
    )
    assert found is not None
    return found[1]


@pytest.fixture(scope="module")
def said(registry: Registry, root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each journey printed, run one after the other in one folder."""
    folder = tmp_path_factory.mktemp("reader")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BYLINE_")}
    environment |= {"PATH": f"{BIN}:{os.environ['PATH']}", "BYLINE_REGISTRY": registry.url}
    printed = {}
    for journey in JOURNEYS:
        text = script(root / "README.md", journey).replace(".byline/demo", str(registry.folder / "data"))
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{journey}\n{done.stdout}\n{done.stderr}"
        printed[journey] = done.stdout
        if journey == "photographer":
            registry.wait_until_quiet()
    return printed


def test_the_publishers_journey_ends_published(said: dict[str, str]) -> None:
    assert "published" in said["publisher"]


def test_the_photographer_is_found_by_a_misspelled_name(said: dict[str, str]) -> None:
    assert "Ada Example" in said["photographer"]


def test_the_engineer_drops_the_photo(said: dict[str, str]) -> None:
    assert "[False]" in said["engineer"]


def test_the_operator_sees_the_publisher_and_the_claim(said: dict[str, str]) -> None:
    assert "my-lab" in said["operator"]


def test_the_auditor_finds_nothing_wrong(said: dict[str, str]) -> None:
    assert said["auditor"].splitlines()[-1] == "nothing was found wrong"
