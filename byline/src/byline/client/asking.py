"""Ask the key feed about batch after batch, in this process or in several: hashing is what takes the time."""

from __future__ import annotations

import multiprocessing
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from byline.client.feed import Feed, Use, Verdicts, use_of
from byline.client.lean import lean
from byline.errors import Unavailable

T = TypeVar("T")


@dataclass(frozen=True)
class Question:
    """Columns of URLs and of SHA-256 digests of the same rows."""

    urls: Sequence[pa.Array]
    digests: Sequence[pa.Array]


class Asking:
    """Gives verdicts in the order of the questions, whoever finds them."""

    def __init__(self, feed: Feed, use: Use, pool: ProcessPoolExecutor | None, *, jobs: int) -> None:
        """Use `asking`."""
        self._feed, self._use, self._pool, self._ahead = feed, use, pool, 2 * jobs

    def verdicts(self, questions: Iterator[tuple[T, Question]]) -> Iterator[tuple[T, Verdicts]]:
        """Each thing with its verdicts; a few questions are asked ahead."""
        if self._pool is None:
            for thing, question in questions:
                yield thing, self._feed.verdicts(question.urls, question.digests, use=self._use)
            return
        waiting: deque[tuple[T, Future[Verdicts]]] = deque()
        for thing, question in questions:
            waiting.append((thing, self._pool.submit(_answer, question)))
            if len(waiting) > self._ahead:
                yield _next(waiting)
        while waiting:
            yield _next(waiting)


@contextmanager
def asking(feed: Feed, use: Use, *, jobs: int) -> Iterator[Asking]:
    """`jobs` processes (1: this one) that each open the same head of the same state."""
    if jobs <= 1:
        yield Asking(feed, use, None, jobs=1)
        return
    # Not fork: Arrow's threads do not survive it.
    method = "forkserver" if sys.platform == "linux" else "spawn"
    pool = ProcessPoolExecutor(
        jobs,
        mp_context=multiprocessing.get_context(method),
        initializer=_begin,
        initargs=(feed.state.folder, feed.head.seq, use.asked),
    )
    with pool:
        yield Asking(feed, use, pool, jobs=jobs)


_mine: list[tuple[Feed, Use]] = []  # one a process, made by _begin


def _begin(state: Path, seq: int, asked: str) -> None:
    lean()
    _mine.append((Feed.open(state, pin=seq), use_of(asked)))


def _answer(question: Question) -> Verdicts:
    feed, use = _mine[0]
    return feed.verdicts(question.urls, question.digests, use=use)


def _next(waiting: deque[tuple[T, Future[Verdicts]]]) -> tuple[T, Verdicts]:
    thing, future = waiting.popleft()
    try:
        return thing, future.result()
    except OSError as error:  # BrokenProcessPool is a RuntimeError: it was killed, and that stays visible
        raise Unavailable("filter-process-failed", f"a process of the filter failed: {error}") from error
