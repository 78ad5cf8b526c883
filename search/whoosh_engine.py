"""SearchEngine over Whoosh, a folder of files. The only module that knows whoosh.

Queries are intersections of postings, never a walk over terms (a prefix query took 1.0 s at 581,099
documents); what is near a word comes from the lexicon. Nothing is scored by Whoosh: an answer is ordered
by how a document matched, and the registry orders what is equal by how much there is.
"""

from __future__ import annotations

import errno
import logging
import shutil
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from whoosh import columns, fields, formats, index, writing
from whoosh.reading import SegmentReader

from byline.errors import Unavailable
from search import Document, Found, Gone
from search.bulk import Change, write_in_child
from search.keys import Keys
from search.lexicon import Lexicon
from search.passed import Passed
from search.ranking import Ranking
from search.snapshot import Snapshot
from search.terms import Terms, read_query

_T = TypeVar("_T")
_log = logging.getLogger(__name__)

CHUNK = 100_000  # changes a commit, some 50 MB; each commit is a segment that every look-up goes through
POOL_MB = 512  # postings of a commit, as Whoosh guesses their size: beyond it they are pickled to files and merged again
MOST_SEGMENTS = 8
LOOKED_UP = 20  # documents gone through in a column in the time of one look-up in every segment
POSITION = "#position"  # the key of the one document that is no contributor


class _Words(fields.KEYWORD):
    """A set of words: neither their number nor their order is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.format = formats.Existence()

    def index(
        self, value: Iterable[str], **_options: Any
    ) -> Generator[tuple[bytes, int, float, bytes], None, None]:
        """Each word as it is: Whoosh's analyzers take half of an indexing's time to say the same."""
        return ((word.encode(), 1, 1.0, b"") for word in value)


def _column(typecode: str, missing: int = 0) -> fields.COLUMN:
    numbers: Any = columns.NumericColumn
    return fields.COLUMN(numbers(typecode, missing))


def _schema() -> fields.Schema:
    return fields.Schema(
        number=_column("q", -1), weight=_column("B"), name=_column("Q"), handle=_column("Q"), more=_column("B"),
        position=fields.STORED(), words=fields.STORED(), keys=fields.STORED(),
        written=_Words(), folded=_Words(), key=_Words(),
    )  # fmt: skip


class WhooshEngine:
    """One folder: Whoosh's segments and the lexicon. Many readers and one writer, across processes."""

    def __init__(
        self,
        folder: Path,
        *,
        refresh: float = 1.0,
        patience: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open or make the index; one that cannot be read is begun anew, at position 0.

        `refresh`: seconds until another process's commit is seen; `patience`: how long a writer waits for
        another.
        """
        self._folder = folder
        self._refresh, self._patience = refresh, patience
        self._clock = clock
        self._lock = threading.Lock()
        self._passed = Passed(folder / "passed.json")
        try:
            self._open()
        except _UnreadableError as error:
            _log.warning("the search index cannot be read (%s) and is begun anew", str(error))
            shutil.rmtree(folder)
            self._open()

    def _open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lexicon = _readable(lambda: Lexicon(self._folder / "lexicon.sqlite"))
        try:
            self._index, self._snapshot = _readable(lambda: _open_index(self._folder))
        except _UnreadableError:
            self._lexicon.close()
            raise
        self._checked = self._clock()

    def search(self, text: str, *, limit: int = 500) -> Found:
        """As SearchEngine.search."""
        query = read_query(text)
        with self._reading() as snapshot:
            return Ranking(snapshot, self._lexicon, limit=limit).answer(query)

    def count(self) -> int:
        """As SearchEngine.count."""
        with self._reading() as snapshot:
            return snapshot.count() - len(snapshot.find("key", POSITION))

    def position(self) -> int:
        """As SearchEngine.position."""
        return self._passed.beyond(self._committed())

    def apply(self, changes: Iterable[Document | Gone], *, position: int, bulk: bool = False) -> int:
        """As SearchEngine.apply; commits every 100,000 changes, `position` with the last."""
        total = 0

        def counted() -> Iterator[Change | int]:
            nonlocal total
            for one in changes:
                total += 1
                yield Change.of(one)
            yield position

        if not bulk:
            self.take(counted())
            return total
        total = write_in_child(self._folder, changes, position=position)
        self._renew()
        self.merge()
        return total

    def take(self, changes: Iterable[Change | int]) -> bool:
        """Commit changes, every 100,000 and at the position that ends them.

        False where none came: what was committed stays, and the index stands where it stood.
        """
        chunk: dict[int, Change] = {}
        for one in changes:
            if isinstance(one, int):
                self._end(chunk, position=one)
                return True
            chunk[one.id] = one
            if len(chunk) == CHUNK:
                self._commit(chunk, position=None)
                chunk = {}
        return False

    def _end(self, chunk: dict[int, Change], *, position: int) -> None:
        """Most acts change no document, and a commit is a segment more to look through, here and in every reader."""
        if chunk:
            self._commit(chunk, position=position)
        else:
            self._passed.keep(after=self._committed(), to=position)

    def _committed(self) -> int:
        """The position of the last commit that changed documents."""
        with self._reading(fresh=True) as snapshot:
            found = [int(snapshot.stored(number)["position"]) for number in snapshot.find("key", POSITION)]
        return max(found, default=0)

    def _commit(self, chunk: dict[int, Change], *, position: int | None) -> None:
        with self._writing() as writer:
            for number in _standing(writer, chunk, position=position is not None):
                writer.delete_document(number)
            words: Counter[str] = Counter()
            abjad: set[str] = set()
            for change in chunk.values():
                if change.terms is not None:
                    latin = change.terms.latin()
                    writer.add_document(**_fields(change, change.terms, latin))
                    words.update(latin)
                    abjad |= change.terms.abjad
            if position is not None:
                writer.add_document(key=[POSITION], position=position)
            # Before the commit: after a crash the lexicon knows words too many, never too few.
            self._lexicon.add(words, abjad)
        self._renew()

    def merge(self) -> bool:
        """As SearchEngine.merge: small segments into one, big ones are left until the small outgrow them."""
        before = self.segments()
        if before <= MOST_SEGMENTS:
            return False
        with self._writing(_merge_small):
            pass
        self._renew()
        return self.segments() < before  # segments without a document stay: asking again would never end

    def segments(self) -> int:
        """Count Whoosh's segments: each is looked into for each word of a query."""
        return len(self._index._segments())  # noqa: SLF001 - Whoosh tells it nowhere else

    def clear(self) -> None:
        """As SearchEngine.clear. The files stay the ones that other processes have open."""
        with self._writing(writing.CLEAR):
            self._lexicon.clear()
            self._passed.forget()
        self._renew()

    def close(self) -> None:
        """As SearchEngine.close."""
        self._snapshot.retire()
        self._lexicon.close()
        self._index.close()

    @contextmanager
    def _writing(self, mergetype: Any = writing.NO_MERGE) -> Iterator[Any]:
        try:
            writer = self._index.writer(timeout=self._patience, delay=0.05, limitmb=POOL_MB)
        except index.LockError as error:
            raise Unavailable("search-busy", "another process is writing the search index") from error
        try:
            yield writer
        except BaseException:
            writer.cancel()
            raise
        writer.commit(mergetype=mergetype)

    @contextmanager
    def _reading(self, *, fresh: bool = False) -> Iterator[Snapshot]:
        if fresh or self._clock() - self._checked > self._refresh:
            self._renew()
        with self._lock:
            snapshot = self._snapshot.enter()
        try:
            yield snapshot
        finally:
            snapshot.leave()

    def _renew(self) -> None:
        with self._lock:
            self._checked = self._clock()
            if self._index.latest_generation() != self._snapshot.generation:
                old, self._snapshot = self._snapshot, Snapshot(self._index.reader())
                old.retire()


class _UnreadableError(Exception):
    """The files are not what they were written as."""


def _readable(opened: Callable[[], _T]) -> _T:
    """Open; whatever a torn file makes of it is one error. A lack of files, memory or rights is not."""
    try:
        return opened()
    except (PermissionError, sqlite3.OperationalError, MemoryError):
        raise
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
        raise _UnreadableError(type(error).__name__) from error
    except Exception as error:
        raise _UnreadableError(type(error).__name__) from error


def _open_index(folder: Path) -> tuple[Any, Snapshot]:
    """Whoosh's index and a look into it that touches every segment."""
    there = any(folder.glob("*.toc"))
    make: Any = index.open_dir if there else lambda where: index.create_in(where, _schema())
    opened = make(str(folder))
    if opened.schema.names() != _schema().names():
        raise _UnreadableError("written by another version")
    snapshot = Snapshot(opened.reader())
    snapshot.check()
    return opened, snapshot


def _merge_small(writer: Any, segments: list[Any]) -> list[Any]:
    """A merge policy: keep the segments that are twice as big as all smaller ones together, merge those."""
    ordered = sorted(segments, key=lambda segment: -int(segment.doc_count()))
    sizes = [int(segment.doc_count()) for segment in ordered]
    big = next((at for at, size in enumerate(sizes) if size < 2 * sum(sizes[at + 1 :])), len(sizes))
    for segment in ordered[big:]:
        reader = SegmentReader(writer.storage, writer.schema, segment)
        writer.add_reader(reader)
        reader.close()
    return ordered[:big]


def _fields(change: Change, terms: Terms, latin: set[str]) -> dict[str, Any]:
    keys = Keys.of(change.id, terms)
    return {
        "number": change.id,
        "weight": change.weight,
        "name": keys.name,
        "handle": keys.handle,
        "more": int(bool(keys.more)),
        "words": " ".join(sorted(latin)),
        "keys": keys.more or None,
        "written": terms.written or None,
        "folded": terms.folded or None,
        "key": keys.buckets,
    }


def _standing(writer: Any, ids: Collection[int], *, position: bool) -> list[int]:
    """Whoosh's numbers of the documents of these ids (and of the position's), as the writer counts them."""
    reader: Any = writer.reader()
    try:
        snapshot = Snapshot(reader)
        many = len(ids) * LOOKED_UP > snapshot.count()
        found = snapshot.numbered(ids) if many else [number for one in ids for number in snapshot.of_id(one)]
        return found + (snapshot.find("key", POSITION) if position else [])
    finally:
        reader.close()
