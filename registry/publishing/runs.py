"""Sorted runs of rows in one file of a scratch folder, in small pieces that are read apart.

Arrow's IPC file format: a piece is a record batch, found by its number. What is remembered of each is its first maker.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from registry.publishing.stretches import Stretch
from registry.storage.record_index import SCHEMA

PIECE_ROWS, PIECE_BYTES = 2_048, 4 << 20
_TOGETHER = 32  # pieces held before what is wanted of them is copied out


@dataclass(frozen=True)
class _Run:
    """Where a run's pieces begin, and the first maker of each, of those that have one; then come `nobody` pieces."""

    start: int
    firsts: list[str]
    nobody: int

    def pieces(self, stretch: Stretch) -> range:
        """The pieces that may hold rows of a stretch."""
        end = self.start + len(self.firsts) + self.nobody
        if stretch.one and stretch.low is None:
            return range(max(end - self.nobody - 1, self.start), end)
        first = bisect_left(self.firsts, stretch.low) - 1 if stretch.low is not None else 0
        last = len(self.firsts)
        if stretch.one and stretch.low is not None:
            last = bisect_right(self.firsts, stretch.low)
        elif stretch.high is not None:
            last = bisect_left(self.firsts, stretch.high)
        return range(self.start + max(first, 0), self.start + last)


class Runs:
    """Written run by run, then read stretch by stretch; `weights` is what each maker that begins pieces weighs, in bytes."""

    def __init__(self, path: Path) -> None:
        """An empty file at `path`."""
        self.weights: Counter[str] = Counter()
        self._path = path
        self._runs: list[_Run] = []
        self._pieces = 0
        self._writer = pa.ipc.new_file(path, SCHEMA, options=pa.ipc.IpcWriteOptions(compression="lz4"))

    def add(self, run: pa.Table) -> None:
        """Keep one more run, sorted."""
        size = max(min(PIECE_BYTES * run.num_rows // max(run.nbytes, 1), PIECE_ROWS), 1)
        firsts, nobody = list[str](), 0
        for piece in run.to_batches(max_chunksize=size):
            first = piece["contributor"][0].as_py()
            if first is None:
                nobody += 1
            else:
                firsts.append(first)
                self.weights[first] += piece.nbytes
            self._writer.write_batch(piece)
        self._runs.append(_Run(self._pieces, firsts, nobody))
        self._pieces += len(firsts) + nobody

    def finish(self) -> None:
        """All runs are there."""
        self._writer.close()

    def read(self, cut: Iterator[Stretch]) -> Iterator[tuple[Stretch, Iterator[pa.Table]]]:
        """Each stretch with the rows it has in one run after the other, in a few bounded tables."""
        with pa.OSFile(str(self._path)) as file, pa.ipc.open_file(file) as reader:
            for stretch in cut:
                yield stretch, self._of(reader, stretch)

    def _of(self, reader: pa.ipc.RecordBatchFileReader, stretch: Stretch) -> Iterator[pa.Table]:
        held: list[pa.RecordBatch] = []
        for run in self._runs:
            for number in run.pieces(stretch):
                rows = _within(reader.get_batch(number), stretch)
                if rows.num_rows:
                    held.append(rows)
                if len(held) == _TOGETHER:
                    yield pa.Table.from_batches(held).combine_chunks()
                    held = []
        if held:
            yield pa.Table.from_batches(held).combine_chunks()


def _within(piece: pa.RecordBatch, stretch: Stretch) -> pa.RecordBatch:
    """The rows of a sorted piece that lie in a stretch."""
    makers = piece["contributor"]
    named = len(makers) - makers.null_count
    if stretch.one and stretch.low is None:
        return piece.slice(named)
    start = 0
    if stretch.low is not None:
        start = _count(pc.less_equal(makers, stretch.low) if stretch.above else pc.less(makers, stretch.low))
    end = named
    if stretch.one:
        end = _count(pc.less_equal(makers, stretch.low))
    elif stretch.high is not None:
        end = _count(pc.less(makers, stretch.high))
    return piece.slice(start, max(end - start, 0))


def _count(flags: pa.BooleanArray) -> int:
    return int(pc.sum(flags).as_py() or 0)
