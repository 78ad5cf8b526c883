"""`python -m api.openapi`: write openapi.yaml as the app says it."""

from __future__ import annotations

import sys
from pathlib import Path

from api.app import bare_app
from api.description import as_yaml

FILE = Path(__file__).parents[1] / "openapi.yaml"


def main() -> None:
    """Write the file at the repository's root."""
    FILE.write_text(as_yaml(bare_app()), encoding="utf-8")
    sys.stdout.write(f"{FILE.name} written\n")


if __name__ == "__main__":
    main()
