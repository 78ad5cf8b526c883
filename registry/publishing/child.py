"""The fenced process: one hostile extract in, sorted tables out.

Run as `python -m registry.publishing.child`.

It is told its task on standard input, has no environment, no secrets and no way to the network it was given,
and limits its own memory, time, files and file sizes before it opens the first byte. It says where it is,
what it counted, or why it refuses, in JSON lines on standard output.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from itertools import pairwise

import duckdb
import numpy as np
import pyarrow as pa

from byline.errors import BylineError, Refused
from byline.formats.extract import ColumnDigest, ExtractDigest
from byline.formats.manifest import IDENTIFYING
from registry.publishing import tables
from registry.publishing.item_list import items_sha256
from registry.publishing.reading import read_extract
from registry.publishing.rows import Tally, index_rows, linked, most
from registry.publishing.task import Task, Totals, task_from_json
from registry.publishing.withheld_rows import withheld_rows

Say = Callable[[dict[str, object]], None]
_GIB = 1 << 30
GENTLE = 10
_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Do the task that stands on standard input."""
    die_with_parent()
    task = task_from_json(sys.stdin.readline())
    limit_myself(task)
    try:
        totals = digest(task, say)
    except BylineError as error:
        say({"refused": error.as_json()})
    except (MemoryError, duckdb.OutOfMemoryException):
        say(
            {
                "refused": Refused(
                    "extract-too-hungry", "reading the extract took more memory than it may"
                ).as_json()
            }
        )
    else:
        say({"totals": asdict(totals)})
    return 0


def digest(task: Task, say: Say) -> Totals:
    """Check the extract against the manifest while sorting it; then keys, makers, links from what was sorted.

    Without parts the record index is there already (an extract may be gone): keys, makers and links of that.
    """
    connection = tables.open_duckdb(task)
    if not task.parts:
        return of_index(connection, task)
    reading = Reading(task, say)
    with ThreadPoolExecutor(task.threads) as pool:
        entries = tables.write_index(connection, task, reading.rows(pool))
    reading.finish()
    tables.write_items(connection, task)
    say({"step": "sorted", "done": task.rows, "total": task.rows})
    makers = tables.write_makers(connection, task)
    tables.write_links(connection, task, reading.tally.linked)
    return Totals(
        rows=reading.tally.rows,
        entries=entries,
        unattributed=reading.tally.unattributed,
        makers=makers,
        licenses=most(reading.tally.licenses),
        platforms=most(reading.tally.platforms),
        column=task.columns.get(reading.column) if reading.column else None,
        column_sha256=reading.column_digests(),
        items_sha256=items_sha256(connection),
    )


def of_index(connection: duckdb.DuckDBPyConnection, task: Task) -> Totals:
    """What a record index alone tells; what it does not (bad rows, column digests) is left empty."""
    entries = tables.open_index(connection, task)
    tables.write_items(connection, task)
    makers = tables.write_makers(connection, task)
    tables.write_links(connection, task, linked(tables.shown_together(connection)))
    return Totals(
        task.rows,
        entries,
        tables.unattributed(connection),
        makers,
        {},
        {},
        None,
        (),
        items_sha256(connection),
    )


class Reading:
    """The extract going by once: its digest, its column digests, its tally."""

    def __init__(self, task: Task, say: Say) -> None:
        """Nothing is read yet."""
        self.task = task
        self.tally = Tally()
        # Of withheld rows the publisher made these digests: the values never came here.
        identifying = () if task.withheld else IDENTIFYING
        self.column = next((name for name in identifying if name in task.columns), None)
        self._index_rows = withheld_rows if task.withheld else partial(index_rows, dataset=task.dataset)
        self._say = say
        self._digest = ExtractDigest(task.fields)
        self._columns = [ColumnDigest() for _ in task.files] if self.column else []

    def rows(self, pool: ThreadPoolExecutor) -> Iterator[pa.RecordBatch]:
        """Index rows in the extract's order; selectors are found a few batches ahead, on other threads."""
        ahead: deque[Future[tuple[pa.RecordBatch, Tally]]] = deque()
        for batch in read_extract(self.task):
            ahead.append(pool.submit(self._index_rows, batch))
            self._digest.update(batch)
            self._digest_columns(batch)
            while len(ahead) > self.task.threads:
                yield self._counted(ahead.popleft())
        while ahead:
            yield self._counted(ahead.popleft())

    def finish(self) -> None:
        """Refuse an extract whose records are not the ones the manifest names."""
        found = self._digest.hexdigest()
        if found != self.task.sha256:
            raise Refused(
                "extract-digest-mismatch",
                "these are not the records the manifest names: their digest is another",
                at="predicate.records.extract.sha256",
                details={"found": found, "said": self.task.sha256},
            )

    def column_digests(self) -> tuple[str | None, ...]:
        """One for each file; None where no id or URL column is mapped; none at all of withheld rows."""
        if self.task.withheld:
            return ()
        if not self._columns:
            return tuple(None for _ in self.task.files)
        return tuple(one.hexdigest() for one in self._columns)

    def _counted(self, future: Future[tuple[pa.RecordBatch, Tally]]) -> pa.RecordBatch:
        rows, tally = future.result()
        self.tally.add(tally)
        self._say({"step": "reading", "done": self.tally.rows, "total": self.task.rows})
        return rows

    def _digest_columns(self, batch: pa.RecordBatch) -> None:
        """Each file's rows go to that file's digest; they stand together, files ascend."""
        if self.column is None:
            return
        files = batch["file"].to_numpy()
        starts = [0, *(np.flatnonzero(np.diff(files)) + 1).tolist(), len(files)]
        for start, end in pairwise(starts):
            piece = batch.slice(start, end - start)
            self._columns[int(files[start])].update(piece["row"], piece[self.column])


def die_with_parent() -> None:
    """A killed worker takes its reader with it: nobody is left to hear what it finds."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def limit_myself(task: Task) -> None:
    """Limits no library can talk its way around, taken before the first byte is read; and whoever answers goes first."""
    os.nice(GENTLE)  # it holds no lock that anybody waits for
    sent = sum(task.path(part).stat().st_size for part in task.parts)
    limits = {
        # Address space, not memory: allocators and threads reserve far more than they use.
        resource.RLIMIT_AS: 4 * _GIB + 4 * task.memory,
        resource.RLIMIT_CPU: task.seconds * max(task.threads, 1),
        resource.RLIMIT_FSIZE: 8 * _GIB + 32 * sent,
        resource.RLIMIT_NOFILE: 256,
        resource.RLIMIT_CORE: 0,
    }
    for name, value in limits.items():
        _, hard = resource.getrlimit(name)
        most_allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(name, (most_allowed, most_allowed))


def say(word: dict[str, object]) -> None:
    """One JSON line to the parent."""
    sys.stdout.write(json.dumps(word) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
