"""SearchEngine over Whoosh, a folder of files. The only module that knows whoosh.

Queries are intersections of postings, never a walk over terms (a prefix query took 1.0 s at 581,099
documents); what is near a word comes from the lexicon. Nothing is scored by Whoosh: an answer is ordered
by how a document matched, and the registry orders what is equal by how much there is.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from whoosh import columns, fields, formats, index

from byline.errors import Unavailable
from search import Document, Found, Gone
from search.lexicon import Lexicon
from search.ranking import Ranking
from search.snapshot import Snapshot
from search.terms import Terms, document_terms, read_query

CHUNK = 20_000  # changes a commit; what a bulk load holds in memory
MOST_SEGMENTS = 8
POSITION = "#position"  # the id of the one document that is no contributor


class _Words(fields.KEYWORD):
    """A set of words: neither their number nor their order is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.format = formats.Existence()


def _column(typecode: str) -> fields.COLUMN:
    numbers: Any = columns.NumericColumn
    return fields.COLUMN(numbers(typecode))


def _schema() -> fields.Schema:
    return fields.Schema(
        id=fields.ID(), number=_column("q"),
        weight=_column("B"), position=fields.STORED(), words=fields.STORED(),
        written=_Words(), folded=_Words(), name=_Words(), plain_name=_Words(), handle=_Words(),
    )  # fmt: skip


class WhooshEngine:
    """One folder: Whoosh's segments and the lexicon. Many readers, one writer, across processes."""

    def __init__(
        self, folder: Path, *, refresh: float = 1.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Open or make the index; `refresh`: seconds until another process's commit is seen."""
        self._folder = folder
        self._refresh = refresh
        self._clock = clock
        self._lock = threading.Lock()
        self._open()

    def _open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lexicon = Lexicon(self._folder / "lexicon.sqlite")
        self._index = _open_index(self._folder)
        self._snapshot = Snapshot(self._index.reader())
        self._checked = self._clock()

    def search(self, text: str, *, limit: int = 1000) -> Found:
        """As SearchEngine.search."""
        query = read_query(text)
        with self._reading() as snapshot:
            return Ranking(snapshot, self._lexicon, limit=limit).answer(query)

    def count(self) -> int:
        """As SearchEngine.count."""
        with self._reading() as snapshot:
            return snapshot.count() - len(snapshot.find("id", POSITION))

    def position(self) -> int:
        """As SearchEngine.position."""
        with self._reading(fresh=True) as snapshot:
            found = [int(snapshot.stored(number)["position"]) for number in snapshot.find("id", POSITION)]
        return max(found, default=0)

    def apply(self, changes: Iterable[Document | Gone], *, position: int, bulk: bool = False) -> int:
        """As SearchEngine.apply; commits every 20,000 changes, `position` with the last."""
        stream = iter(changes)
        total = 0
        while True:
            chunk = {change.id: change for change in islice(stream, CHUNK)}
            last = len(chunk) < CHUNK
            self._commit(chunk, position=position if last else None)
            total += len(chunk)
            if last:
                break
        if bulk:
            self.merge()
        return total

    def _commit(self, chunk: dict[int, Document | Gone], *, position: int | None) -> None:
        added = [
            (change, document_terms(change)) for change in chunk.values() if isinstance(change, Document)
        ]
        with self._writing() as writer:
            gone = [*map(str, chunk), *([POSITION] if position is not None else [])]
            for number in _numbers(writer, gone):
                writer.delete_document(number)
            self._learn([terms for _, terms in added])
            for document, terms in added:
                writer.add_document(**_fields(document, terms))
            if position is not None:
                writer.add_document(id=POSITION, position=position)
        self._renew()

    def _learn(self, added: list[Terms]) -> None:
        """Put words into the lexicon first: after a crash it knows too many, never too few."""
        seen: dict[str, int] = {}
        abjad: set[str] = set()
        for terms in added:
            abjad |= terms.abjad
            for word in terms.latin():
                seen[word] = seen.get(word, 0) + 1
        self._lexicon.add(seen, abjad)

    def merge(self) -> bool:
        """As SearchEngine.merge."""
        if len(self._index._segments()) <= 1:  # noqa: SLF001 - Whoosh tells it nowhere else
            return False
        with self._writing(optimize=True):
            pass
        self._renew()
        return True

    def clear(self) -> None:
        """As SearchEngine.clear."""
        self.close()
        shutil.rmtree(self._folder)
        self._open()

    def close(self) -> None:
        """As SearchEngine.close."""
        self._snapshot.retire()
        self._lexicon.close()
        self._index.close()

    @contextmanager
    def _writing(self, *, optimize: bool = False) -> Iterator[Any]:
        try:
            writer = self._index.writer(timeout=5.0, delay=0.05, limitmb=64)
        except index.LockError as error:
            raise Unavailable("search-busy", "another process is writing the search index") from error
        try:
            yield writer
        except BaseException:
            writer.cancel()
            raise
        writer.commit(merge=False, optimize=optimize)

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


def _open_index(folder: Path) -> Any:
    """Whoosh's index; what cannot be read is begun anew, and followed again from number 0."""
    if index.exists_in(str(folder)):
        return index.open_dir(str(folder))
    return index.create_in(str(folder), _schema())


def _fields(document: Document, terms: Terms) -> dict[str, Any]:
    return {
        "id": str(document.id),
        "number": document.id,
        "weight": max(0, min(document.weight, 255)),
        "words": " ".join(sorted(terms.latin())),
        "written": list(terms.written),
        "folded": list(terms.folded),
        "name": list(terms.names),
        "plain_name": list(terms.plain_names - terms.names),
        "handle": list(terms.handles),
    }


def _numbers(writer: Any, ids: list[str]) -> list[int]:
    """Whoosh's numbers of the documents of these ids, as the writer counts them."""
    reader: Any = writer.reader()
    try:
        snapshot = Snapshot(reader)
        return [number for name in ids for number in snapshot.find("id", name)]
    finally:
        reader.close()
