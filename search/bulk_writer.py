"""The process that writes many documents: `python -m search.bulk_writer FOLDER`, told what by its input."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Queue

from byline.errors import Unavailable
from search.bulk import BUSY, read_changes
from search.whoosh_engine import WhooshEngine

BLOCK = 64 * 1024  # what a pipe holds
MOST_BLOCKS = 1024  # read ahead: 64 MiB, more than a commit's worth of lines


def main(folder: str) -> int:
    """The exit code: 0, 75 while another process writes, 1 where the input ended too early."""
    engine = WhooshEngine(Path(folder))
    try:
        done = engine.take(read_changes(lines_ahead(sys.stdin.fileno())))
    except Unavailable:
        return BUSY
    finally:
        engine.close()
    return 0 if done else 1


def lines_ahead(source: int) -> Iterator[bytes]:
    """Lines of a file descriptor, read on while a commit runs; one without its end is left out.

    Whoever writes them would else wait for each commit, and this process then for the lines of the next.
    """
    blocks: Queue[bytes] = Queue(MOST_BLOCKS)

    def read() -> None:
        while block := os.read(source, BLOCK):
            blocks.put(block)
        blocks.put(b"")

    threading.Thread(target=read, daemon=True).start()
    rest = b""
    while block := blocks.get():
        *lines, rest = (rest + block).split(b"\n")
        yield from lines


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
