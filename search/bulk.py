"""Many documents at once: Whoosh writes in a process of its own, while this one reads the tables.

A line of JSON a change, an end line last: a process whose input ends without it was abandoned and commits no more.
Nothing is lost with it, as whoever follows the sequence begins again where the index says that it stands.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from byline.errors import Unavailable
from search import Document, Gone
from search.terms import Terms, document_terms

BUSY = 75  # EX_TEMPFAIL of sysexits.h: another process writes
_END = b"end "


@dataclass(frozen=True)
class Change:
    """A document taken apart, or None for one that is gone."""

    id: int
    weight: int = 0
    terms: Terms | None = None

    @classmethod
    def of(cls, one: Document | Gone) -> Change:
        """What the index needs of it."""
        if isinstance(one, Gone):
            return cls(one.id)
        return cls(one.id, max(0, min(one.weight, 255)), document_terms(one))


def write_in_child(folder: Path, changes: Iterable[Document | Gone], *, position: int) -> int:
    """Have them written; how many there were. Unavailable("search-busy", "index-writer-died")."""
    total = 0
    command = [sys.executable, "-m", "search.bulk_writer", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
        told = cast("IO[bytes]", child.stdin)
        try:
            for one in changes:
                told.write(_line(Change.of(one)))
                total += 1
            told.write(_END + str(position).encode() + b"\n")
            told.close()
        except BrokenPipeError:  # it says why with its exit code
            _close(told)
        except BaseException:
            child.kill()
            _close(told)
            raise
        code = child.wait()
    if code == BUSY:
        raise Unavailable("search-busy", "another process is writing the search index")
    if code != 0:
        raise Unavailable("index-writer-died", f"the process that writes the search index ended with {code}")
    return total


def _close(told: IO[bytes]) -> None:
    """What it did not take stays unsaid."""
    with suppress(BrokenPipeError):
        told.close()


def read_changes(lines: Iterable[bytes]) -> Iterator[Change | int]:
    """What the other side wrote, and the position last; nothing comes last where the input was cut off."""
    for line in lines:
        if line.startswith(_END):
            yield int(line[len(_END) :])
            return
        yield _read(line)


def _line(change: Change) -> bytes:
    words = None if change.terms is None else [list(some) for some in change.terms.sets()]
    return json.dumps([change.id, change.weight, words], separators=(",", ":")).encode() + b"\n"


def _read(line: bytes) -> Change:
    number, weight, words = json.loads(line)
    return Change(number, weight, None if words is None else Terms(*map(frozenset, words)))
