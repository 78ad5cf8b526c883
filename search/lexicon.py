"""The words of an index, and which are near a word: one typo away, or another spelling of one sound.

A SQLite file beside the index. Words are only ever added: one too many costs a look-up that finds nothing,
so it needs no transaction with the index. A word of five letters or more stands under each spelling with
one letter left out (Garbe's symmetric deletion), so one typo is a handful of primary key look-ups instead
of a walk over all words.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from search.text import consonants, deletions, one_typo, sound

SHORTEST_WITH_TYPO = 5
MOST_NEAR = 64

_TABLES = """
CREATE TABLE IF NOT EXISTS word (word TEXT PRIMARY KEY, seen INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS near (key TEXT NOT NULL, word TEXT NOT NULL, PRIMARY KEY (key, word)) WITHOUT
ROWID;
"""


class Lexicon:
    """The words of one index; for many threads, and one writer at a time (the index's lock)."""

    def __init__(self, path: Path) -> None:
        """Open or make the file."""
        self._lock = threading.Lock()
        self._file = sqlite3.connect(path, check_same_thread=False, timeout=30)
        self._file.execute("PRAGMA journal_mode=WAL")
        self._file.execute("PRAGMA synchronous=NORMAL")
        self._file.executescript(_TABLES)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._file.close()

    def clear(self) -> None:
        """Forget every word."""
        with self._lock, self._file:
            self._file.execute("DELETE FROM word")
            self._file.execute("DELETE FROM near")

    def add(self, seen: dict[str, int], abjad: set[str]) -> None:
        """Take in folded words with how many documents more have them; `abjad`: those without vowels."""
        with self._lock, self._file:
            known = self._known(list(seen))
            self._file.executemany(
                "INSERT INTO word VALUES (?, ?) ON CONFLICT (word) DO UPDATE SET seen = seen + excluded.seen",
                sorted(seen.items()),
            )
            fresh = (word for word in seen if word not in known)
            self._file.executemany("INSERT OR IGNORE INTO near VALUES (?, ?)", sorted(_keys(fresh, abjad)))

    def _known(self, words: list[str]) -> set[str]:
        found: set[str] = set()
        for at in range(0, len(words), 500):
            some = words[at : at + 500]
            marks = ",".join("?" * len(some))
            found.update(
                word
                for (word,) in self._file.execute(f"SELECT word FROM word WHERE word IN ({marks})", some)  # noqa: S608 - question marks only
            )
        return found

    def typos(self, word: str) -> list[str]:
        """Give the words one typo away; the longer of the two has five letters or more."""
        keys = list(deletions(word)) if len(word) >= SHORTEST_WITH_TYPO else []
        near = self._under([f"-{key}" for key in (word, *keys)]) | self._there(keys)
        return [found for found in sorted(near) if one_typo(word, found)][:MOST_NEAR]

    def sounding(self, word: str) -> list[str]:
        """Give other spellings of one sound; for an abjad's words, all whose consonants are these."""
        key = sound(word)
        if not key:
            return []
        keys = [f"~{key}", f"!{consonants(key)}"]
        return [found for found in sorted(self._under(keys)) if found != word][:MOST_NEAR]

    def seen(self, words: Iterable[str]) -> dict[str, int]:
        """Give in how many documents words stand, roughly: one indexed again is counted again."""
        asked = list(words)
        marks = ",".join("?" * len(asked))
        with self._lock:
            return dict(self._file.execute(f"SELECT word, seen FROM word WHERE word IN ({marks})", asked))  # noqa: S608

    def completions(self, prefix: str, *, most: int = MOST_NEAR) -> list[str]:
        """Give the words that go on from a prefix, those of most documents first."""
        query = "SELECT word FROM word WHERE word > ? AND word < ? ORDER BY seen DESC, word LIMIT ?"
        with self._lock:
            return [word for (word,) in self._file.execute(query, (prefix, prefix + "\U0010ffff", most))]

    def _under(self, keys: list[str]) -> set[str]:
        marks = ",".join("?" * len(keys))
        with self._lock:
            rows = self._file.execute(f"SELECT word FROM near WHERE key IN ({marks}) LIMIT 2000", keys)  # noqa: S608
            return {word for (word,) in rows}

    def _there(self, words: list[str]) -> set[str]:
        with self._lock:
            return self._known(words)


def _keys(words: Iterable[str], abjad: set[str]) -> Iterator[tuple[str, str]]:
    for word in words:
        if len(word) >= SHORTEST_WITH_TYPO and not word.isdigit():
            yield from ((f"-{key}", word) for key in deletions(word))
        if heard := sound(word):
            yield f"~{heard}", word
            if word in abjad and (bare := consonants(heard)):
                yield f"!{bare}", word
