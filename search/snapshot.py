"""One state of a Whoosh index: postings as sets of document numbers, closed when the last reader has left."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Collection
from functools import lru_cache
from typing import Any

from whoosh.reading import IndexReader, TermNotFound

from search.keys import HANDLE, NAME, PLAIN_NAME, bucket, handle_key, id_bucket, name_key, stored

MOST_CACHED = 2048  # words whose documents are kept


class Snapshot:
    """A reader and who uses it. Not to be used after `retire` and the last `leave`."""

    def __init__(self, reader: IndexReader) -> None:
        """Take over a reader."""
        self._reader = reader
        self.generation = reader.generation()
        self._leaves: list[tuple[IndexReader, int]] = [
            pair for pair in reader.leaf_readers() if pair[0].doc_count_all()
        ]
        self._bases = [base for _, base in self._leaves]
        self._columns = {
            name: [leaf.column_reader(name, translate=False) for leaf, _ in self._leaves]
            for name in ("number", "weight", "name", "handle", "more")
        }
        self._lock = threading.Lock()
        self._users = 0
        self._retired = False
        self._cached = lru_cache(maxsize=MOST_CACHED)(lambda field, word: frozenset(self.find(field, word)))

    def enter(self) -> Snapshot:
        """Count a user in."""
        with self._lock:
            self._users += 1
        return self

    def leave(self) -> None:
        """Count a user out."""
        with self._lock:
            self._users -= 1
            close = self._retired and self._users == 0
        if close:
            self._reader.close()

    def retire(self) -> None:
        """Close now, or when the last user leaves."""
        with self._lock:
            close = not self._retired and self._users == 0
            self._retired = True
        if close:
            self._reader.close()

    def count(self) -> int:
        """Count documents that are not deleted."""
        return int(self._reader.doc_count())

    def check(self) -> None:
        """Look into every segment once: a torn file shows itself."""
        for field in ("key", "written", "folded"):
            for leaf, _ in self._leaves:
                next(iter(leaf.lexicon(field)), None)
        for number in range(min(self._reader.doc_count_all(), 1)):
            self.stored(number)

    def stored(self, number: int) -> dict[str, Any]:
        """Give a document's stored fields."""
        fields: dict[str, Any] = self._reader.stored_fields(number)
        return fields

    def column(self, name: str, number: int) -> int:
        """Give what one document has in a numeric column (`number`: its id; `weight`)."""
        leaf = bisect_right(self._bases, number) - 1
        return int(self._columns[name][leaf][number - self._bases[leaf]])

    def documents(self, field: str, word: str) -> frozenset[int]:
        """Give the documents that have a word in a field; common words are kept in memory."""
        return self._cached(field, word)

    def of_name(self, text: str) -> frozenset[int]:
        """Give the documents one of whose names is this one, by its key."""
        return self._keyed(NAME, name_key(text), column="name")

    def of_plain_name(self, text: str) -> frozenset[int]:
        """Give those one of whose names is this one only when folded."""
        return self._keyed(PLAIN_NAME, name_key(text), column=None)

    def of_handle(self, text: str) -> frozenset[int]:
        """Give the documents that have a handle."""
        return self._keyed(HANDLE, handle_key(text), column="handle")

    def of_id(self, document: int) -> list[int]:
        """Give the numbers of the document of an id: none or one, more while a writer changes it."""
        near = self.find("key", id_bucket(document))
        return [number for number in near if self.column("number", number) == document]

    def _keyed(self, kind: str, wanted: int, *, column: str | None) -> frozenset[int]:
        word = stored(kind, wanted)
        return frozenset(
            number
            for number in self.find("key", bucket(kind, wanted))
            if (column is not None and self.column(column, number) == wanted)
            or (self.column("more", number) and word in self.stored(number)["keys"].split())
        )

    def numbered(self, ids: Collection[int]) -> list[int]:
        """Give the documents of these ids by going through all: for many, less than a look-up each."""
        return [
            at + base
            for (leaf, base), column in zip(self._leaves, self._columns["number"], strict=True)
            for at in range(leaf.doc_count_all())
            if column[at] in ids and not leaf.is_deleted(at)
        ]

    def find(self, field: str, word: str) -> list[int]:
        """Give the numbers of the documents that have a word in a field, ascending."""
        term = word.encode()
        found: list[int] = []
        for leaf, base in self._leaves:
            try:
                matcher = leaf.postings(field, term)
            except TermNotFound:
                continue
            found.extend(number + base for number in matcher.all_ids())
        return found
