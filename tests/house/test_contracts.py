"""Each import contract is shown once to be able to fail: a planted import breaks the one that forbids it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PLANTS = {
    "faces stand on the domain, the domain on full text and formats": (
        "search/planted.py",
        "import registry.config\n",
    ),
    "the rooms of the registry, downward only": (
        "registry/tlog/planted.py",
        "import registry.publishing\n",
    ),
    "byline knows nothing of the server": (
        "byline/src/byline/client/planted.py",
        "import sqlalchemy\n",
    ),
    "formats know nothing of the client": (
        "byline/src/byline/formats/planted.py",
        "import httpx\n",
    ),
    "flask only in the faces": (
        "registry/optouts/planted.py",
        "import flask\n",
    ),
    "whoosh only in search": (
        "registry/contributors/planted.py",
        "import whoosh\n",
    ),
    "one way out to the network": (
        "registry/optouts/planted.py",
        "import httpcore\n",
    ),
    "boto3 only in the S3 store and the client's reader": (
        "registry/publishing/planted.py",
        "import boto3\n",
    ),
    "pages and REST do not know each other": (
        "web/pages/planted.py",
        "import api.v1\n",
    ),
}


def lint(checkout: Path) -> str:
    """What import-linter says of a checkout."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=checkout, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": f"{checkout}:{checkout / 'byline/src'}", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def copy(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packages, with one bad import planted for every contract."""
    target = tmp_path_factory.mktemp("house")
    for name in ("registry", "search", "api", "web"):
        shutil.copytree(root / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(root / "byline/src", target / "byline/src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "pyproject.toml", target)
    return target


def test_the_house_keeps_its_contracts(copy: Path) -> None:
    assert "KEPT" in lint(copy)
    assert "BROKEN" not in lint(copy)


@pytest.mark.parametrize("contract", PLANTS)
def test_a_planted_import_breaks_its_contract(contract: str, copy: Path) -> None:
    path, text = PLANTS[contract]
    planted = copy / path
    planted.write_text(text)
    try:
        assert f"{contract} BROKEN" in " ".join(lint(copy).split())
    finally:
        planted.unlink()
