"""Objects from one store to another, each read back and compared; a ledger knows what need not be read again."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from byline.errors import NotFound, Untrusted
from registry.storage import ObjectStore, open_object
from registry.storage.store import CHUNK, Entry

_SIDE_BY_SIDE, _PIECE = 8, 200
Heard = Callable[[int, int], None]


@dataclass(frozen=True)
class Copied:
    """What stands on both sides, and how many bytes were sent this time."""

    objects: int
    size: int
    sent: int


@dataclass(frozen=True)
class Seen:
    """An object whose bytes were the same on both sides. `copy` is the tag of the copy, empty until it was listed."""

    key: str
    size: int
    tag: str
    copy: str
    sha256: str


class Ledger:
    """What was seen equal on both sides: one SQLite file beside the copy."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._open() as rows:
            rows.execute(
                "CREATE TABLE IF NOT EXISTS object (key TEXT PRIMARY KEY, size INTEGER, tag TEXT, copy TEXT, sha256 TEXT)"
            )

    def seen(self) -> dict[str, Seen]:
        """Everything, by key."""
        with self._open() as rows:
            found = rows.execute("SELECT key, size, tag, copy, sha256 FROM object ORDER BY key")
            return {row[0]: Seen(*row) for row in found}

    def keep(self, seen: Iterable[Seen]) -> None:
        """Write down what was seen."""
        values = [(one.key, one.size, one.tag, one.copy, one.sha256) for one in seen]
        with self._open() as rows:
            rows.executemany("INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?, ?)", values)

    def note_copies(self, entries: Iterable[Entry]) -> None:
        """Write down the tags the copies have."""
        with self._open() as rows:
            rows.executemany(
                "UPDATE object SET copy = ? WHERE key = ?", ((entry.tag, entry.key) for entry in entries)
            )

    @property
    def begun(self) -> bool:
        """Whether an earlier run said so."""
        with self._open() as rows:
            return bool(rows.execute("PRAGMA user_version").fetchone()[0])

    def begin(self) -> None:
        """Say that a copy was begun here."""
        with self._open() as rows:
            rows.execute("PRAGMA user_version = 1")

    def forget(self, keys: Iterable[str]) -> None:
        """They are gone."""
        with self._open() as rows:
            rows.executemany("DELETE FROM object WHERE key = ?", ((key,) for key in keys))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path)) as connection, connection:
            yield connection


def copy_objects(
    source: ObjectStore,
    target: ObjectStore,
    ledger: Ledger,
    *,
    drop: bool = True,
    heard: Heard = lambda _objects, _bytes: None,
) -> Copied:
    """Make the target hold what the source holds, and nothing else (without `drop`: and what it held before).

    What the ledger knows and neither side changed since is not read again, so an interrupted copy goes on.
    An object that is deleted meanwhile is left out. Untrusted("copy-differs") where what was written reads
    differently.
    """
    wanted = {entry.key: entry for entry in source.entries("")}
    there = {entry.key: entry for entry in target.entries("")}
    known = ledger.seen()
    lacking = [entry for entry in wanted.values() if not _stands(entry, there.get(entry.key), known)]
    sent = 0
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as hands:
        for start in range(0, len(lacking), _PIECE):
            some = lacking[start : start + _PIECE]
            done = [one for one in hands.map(lambda entry: _copy(source, target, entry), some) if one]
            ledger.keep(done)
            sent += sum(one.size for one in done)
            heard(min(start + _PIECE, len(lacking)), sent)
    if drop:
        _drop(target, ledger, gone=(there.keys() | known.keys()) - wanted.keys())
    ledger.note_copies(target.entries(""))
    return Copied(len(wanted), sum(entry.size for entry in wanted.values()), sent)


def _drop(target: ObjectStore, ledger: Ledger, *, gone: set[str]) -> None:
    for key in gone:
        target.delete(key)
    ledger.forget(gone)


def sha256_of(store: ObjectStore, key: str) -> str:
    """SHA-256 of an object, read a piece at a time."""
    digest = hashlib.sha256()
    with open_object(store, key) as body:
        while block := body.read(CHUNK):
            digest.update(block)
    return digest.hexdigest()


def _stands(entry: Entry, copy: Entry | None, known: dict[str, Seen]) -> bool:
    seen = known.get(entry.key)
    return (
        seen is not None
        and copy is not None
        and (seen.size, seen.tag) == (entry.size, entry.tag)
        and copy.size == seen.size
        and seen.copy in {"", copy.tag}
    )


def _copy(source: ObjectStore, target: ObjectStore, entry: Entry) -> Seen | None:
    """What stands on both sides now; None for what is gone."""
    try:
        with open_object(source, entry.key) as body:
            hashing = _Hashing(body)
            target.put(entry.key, cast("BinaryIO", hashing))
    except NotFound:
        return None
    if hashing.sha256 != sha256_of(target, entry.key):
        raise Untrusted(
            "copy-differs", "what was written does not read back as it was; try again", at=entry.key
        )
    return Seen(entry.key, hashing.size, entry.tag, "", hashing.sha256)


class _Hashing:
    """A body that is hashed as it is read."""

    def __init__(self, body: BinaryIO) -> None:
        self._body, self._digest, self.size = body, hashlib.sha256(), 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        block = self._body.read(size)
        self._digest.update(block)
        self.size += len(block)
        return block

    @property
    def sha256(self) -> str:
        """Of what was read so far."""
        return self._digest.hexdigest()
