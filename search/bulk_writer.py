"""The process that writes many documents: `python -m search.bulk_writer FOLDER`, told what by its input."""

from __future__ import annotations

import sys
from pathlib import Path

from byline.errors import Unavailable
from search.bulk import BUSY, read_changes
from search.whoosh_engine import WhooshEngine


def main(folder: str) -> int:
    """The exit code: 0, 75 while another process writes, 1 where the input ended too early."""
    engine = WhooshEngine(Path(folder))
    try:
        done = engine.take(read_changes(sys.stdin.buffer))
    except Unavailable:
        return BUSY
    finally:
        engine.close()
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
