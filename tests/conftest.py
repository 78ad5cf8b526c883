"""What every test may use. Real servers live in tests/plugins; factories beside the rooms they serve."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.database import DirectoryBasedExampleDatabase

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"

sys.path.insert(0, str(ROOT))  # tests.plugins is importable wherever pytest is started

pytest_plugins = [
    "tests.plugins.browser",
    "tests.plugins.dns",
    "tests.plugins.postgres",
    "tests.plugins.s3",
    "tests.plugins.smtp",
]

# The same examples every time, so that a red run can be run again; `make explore` looks for new ones.
settings.register_profile(
    "byline", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.register_profile(
    "explore",
    settings.get_profile("byline"),
    derandomize=False,
    database=DirectoryBasedExampleDatabase(ROOT / ".hypothesis" / "examples"),
)
settings.load_profile("byline")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real datasets' metadata, where they lie beside this checkout."""
    if not SHARED.is_dir():
        pytest.skip("the real datasets (../shared/data) are not beside this checkout")
    return SHARED


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT
