"""Have aics-tlog read a log: `python aics.py FOLDER VKEY [OLD_CHECKPOINT]`, under its own Python.

Its own checks of signature, origin and root, some entries proved, that the log goes on from an older checkpoint, and every
tile and entry bundle authenticated. Exit 1 where it refuses one.
"""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

from aics_tlog.tiles import FileSystemTileReader
from aics_tlog.verified import audit_tiles

COMMAND = str(Path(sys.executable).with_name("aics-tlog"))


def main(folder: str, vkey: str, *old: str) -> None:
    """Everything; writes OK, size, tiles, bundles."""
    known = ["--tiles", folder, "--log-key", vkey]
    asked("verify-checkpoint", *known)
    _, size, root = Path(folder, "checkpoint").read_text(encoding="utf-8").splitlines()[:3]
    for index in sorted({0, int(size) // 3, int(size) - 1}):
        asked("verify-inclusion", *known, "--index", str(index))
    for checkpoint in old:
        asked("verify-consistency", *known, "--old-checkpoint", checkpoint)
    found = audit_tiles(FileSystemTileReader(folder), int(size), base64.b64decode(root))
    sys.stdout.write(f"OK {found.size} {found.tiles} {found.bundles}\n")


def asked(*words: str) -> None:
    """One of its commands."""
    subprocess.run([COMMAND, *words], check=True, stdout=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
