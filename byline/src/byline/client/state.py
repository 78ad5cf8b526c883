"""What was last believed: one folder with a SQLite file and the feed's files, each under its digest.

A head is believed by one row that is committed after all files it leads to lie there, flushed to disk. A crash before
leaves the old feed whole, and files nobody points to, which the next sync finds or sweeps. One writer at a time holds
`alone()`; readers need no lock: what a head leads to stays while the head is kept.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from byline.errors import Conflict, NotFound, Refused, Unavailable, Untrusted

KEPT_HEADS = 30
_BLOCK = 1 << 20
_SCHEMA = """
CREATE TABLE IF NOT EXISTS trust (one INTEGER PRIMARY KEY CHECK (one = 1), registry TEXT, vkey TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS head (seq INTEGER PRIMARY KEY, json BLOB NOT NULL, note BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS recipe (seq INTEGER PRIMARY KEY, made_of TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS log (one INTEGER PRIMARY KEY CHECK (one = 1), checkpoint BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS seen (
  path TEXT PRIMARY KEY, size INTEGER, changed INTEGER, inode INTEGER, sha256 TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS matched (
  sha256 TEXT, reading TEXT, records INTEGER, digest TEXT, bad BLOB, PRIMARY KEY (sha256, reading)
) WITHOUT ROWID;
"""
_VERSION = 1


@dataclass(frozen=True)
class Believed:
    """A head's bytes and its note's, as they came."""

    seq: int
    json: bytes
    note: bytes


@dataclass(frozen=True)
class Recipe:
    """What the set of a head is made of: files of a base, or the set of an earlier head; then deltas, in order."""

    base: tuple[str, ...] = ()
    deltas: tuple[str, ...] = ()
    set_sha256: str | None = None


@dataclass(frozen=True)
class Stat:
    """By what a file is known again without reading it."""

    path: str
    size: int
    changed: int
    inode: int


@dataclass(frozen=True)
class SeenColumn:
    """What reading one column of a file found: records, the column's digest, bad rows (a roaring bitmap's bytes)."""

    records: int
    digest: str
    bad: bytes


class State:
    """One state folder."""

    def __init__(self, folder: Path, *, make: bool = False) -> None:
        """Open it; NotFound("no-state") where there is none, unless it may be made."""
        self.folder = folder.expanduser()
        self._database = self.folder / "state.sqlite"
        if make:
            (self.folder / "files").mkdir(parents=True, exist_ok=True)
        elif not self._database.is_file():
            raise NotFound(
                "no-state", f"{self.folder} holds no synced feed; run byline sync --state {self.folder}"
            )
        with self._connected() as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > _VERSION:
                raise Refused("state-too-new", f"{self.folder} was written by a newer byline; update byline")
            if version < _VERSION:  # else a reader writes nothing
                connection.executescript(_SCHEMA)
                connection.execute(f"PRAGMA user_version = {_VERSION}")

    def vkey(self) -> str | None:
        """The pinned verifier key."""
        with self._connected() as connection:
            found = connection.execute("SELECT vkey FROM trust").fetchone()
        return str(found[0]) if found else None

    def pin(self, vkey: str, *, registry: str) -> None:
        """Trust a key from now on; another one than before is a Conflict("key-pinned")."""
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO trust VALUES (1, ?, ?) ON CONFLICT DO NOTHING", (registry, vkey.strip())
            )
            pinned = connection.execute("SELECT vkey FROM trust").fetchone()[0]
            if pinned != vkey.strip():
                raise Conflict("key-pinned", "this state trusts another key already")

    def last(self) -> Believed | None:
        """The head believed last."""
        with self._connected() as connection:
            found = connection.execute(
                "SELECT seq, json, note FROM head ORDER BY seq DESC LIMIT 1"
            ).fetchone()
        return Believed(*found) if found else None

    def at(self, seq: int) -> Believed:
        """An earlier head; NotFound("no-such-seq") where it is not kept."""
        with self._connected() as connection:
            found = connection.execute("SELECT seq, json, note FROM head WHERE seq = ?", (seq,)).fetchone()
            kept = [row[0] for row in connection.execute("SELECT seq FROM head ORDER BY seq")]
        if not found:
            raise NotFound("no-such-seq", f"the state keeps no head {seq}; it keeps {_ranges(kept)}")
        return Believed(*found)

    def checkpoint(self) -> bytes | None:
        """The signed checkpoint of the log believed last."""
        with self._connected() as connection:
            found = connection.execute("SELECT checkpoint FROM log").fetchone()
        return bytes(found[0]) if found else None

    def believe(self, head: Believed, recipe: Recipe, *, checkpoint: bytes) -> None:
        """Go by this head, and by the log that holds it, from now on. Its files are there already."""
        with self._writing() as connection:
            made_of = json.dumps(dataclasses.asdict(recipe))
            connection.execute("INSERT OR REPLACE INTO recipe VALUES (?, ?)", (head.seq, made_of))
            connection.execute("INSERT OR REPLACE INTO log VALUES (1, ?)", (checkpoint,))
            connection.execute(
                "INSERT INTO head VALUES (?, ?, ?) ON CONFLICT (seq) DO UPDATE SET note = excluded.note",
                (head.seq, head.json, head.note),
            )
            oldest = "SELECT seq FROM head ORDER BY seq DESC LIMIT 1 OFFSET ?"
            connection.execute(f"DELETE FROM head WHERE seq <= ({oldest})", (KEPT_HEADS,))  # noqa: S608 - no input
            connection.execute("DELETE FROM recipe WHERE seq NOT IN (SELECT seq FROM head)")

    def heads(self) -> list[Believed]:
        """All heads that are kept, oldest first."""
        with self._connected() as connection:
            return [
                Believed(*row) for row in connection.execute("SELECT seq, json, note FROM head ORDER BY seq")
            ]

    def recipe(self, seq: int) -> Recipe | None:
        """What the set of a kept head is made of; None where the head alone says it."""
        with self._connected() as connection:
            found = connection.execute("SELECT made_of FROM recipe WHERE seq = ?", (seq,)).fetchone()
        made_of = json.loads(found[0]) if found else None
        return made_of and Recipe(tuple(made_of["base"]), tuple(made_of["deltas"]), made_of["set_sha256"])

    def set_of(self, set_sha256: str) -> Path:
        """Where a whole set of keys lies, without its endings (keysets.py)."""
        return self.folder / "sets" / set_sha256

    def flush_set(self, set_sha256: str) -> None:
        """See to it that a set outlives a crash: later ones are to be made of it."""
        for ending in (".k", ".c"):
            with self.set_of(set_sha256).with_suffix(ending).open("rb") as file:
                os.fsync(file.fileno())
        _sync_folder(self.folder / "sets")

    @contextmanager
    def alone(self, *, patience: float = 60.0) -> Iterator[None]:
        """Be the only writer; Unavailable("state-busy") where another one is at it for longer than `patience` seconds."""
        with closing(
            sqlite3.connect(self.folder / "writer.sqlite", timeout=patience, isolation_level=None)
        ) as lock:
            try:
                lock.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                raise Unavailable("state-busy", f"another byline sync is writing {self.folder}") from error
            yield

    def path_of(self, path: str) -> Path:
        """Where a file of the feed (`files/<sha256>.<ending>`) lies."""
        return self.folder / path

    def has(self, path: str) -> bool:
        """Whether it lies there: it was put there whole."""
        return self.path_of(path).is_file()

    def bytes_of(self, path: str, sha256: str) -> bytes:
        """A file's bytes; Untrusted("state-damaged") where they are missing or others than were put there."""
        try:
            data = self.path_of(path).read_bytes()
        except OSError as error:
            raise _missing(path) from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise _changed(path)
        return data

    def named(self, path: str) -> bytes:
        """A file's bytes, held against the digest in its name."""
        return self.bytes_of(path, path.removeprefix("files/").partition(".")[0])

    def whole(self, path: str) -> str:
        """Where a large file lies, held against the digest in its name; Untrusted("state-damaged")."""
        try:
            with self.path_of(path).open("rb") as file:
                found = digest_of(file)
        except OSError as error:
            raise _missing(path) from error
        if found != path.removeprefix("files/").partition(".")[0]:
            raise _changed(path)
        return str(self.path_of(path))

    def put(self, path: str, data: bytes) -> None:
        """Keep a file: whole and on the disk, or not at all."""
        with self.draft(path) as file:
            file.write(data)

    @contextmanager
    def draft(self, path: str) -> Iterator[BinaryIO]:
        """A file to write and read: it takes its place, whole and on the disk, when this ends well."""
        target = self.path_of(path)
        draft = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        try:
            with draft.open("w+b") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
        _sync_folder(target.parent)

    def sweep(self, needed: Collection[str], *, sets: Collection[str]) -> None:
        """Forget files no kept head leads to, and sets that can be made again."""
        for path in (self.folder / "files").iterdir():
            if f"files/{path.name}" not in needed:
                path.unlink(missing_ok=True)
        for path in (self.folder / "sets").glob("*"):
            if path.stem not in sets:
                path.unlink(missing_ok=True)

    def digest_of(self, stat: Stat) -> str | None:
        """The SHA-256 of a data file that has not changed since it was read."""
        with self._connected() as connection:
            row = connection.execute(
                "SELECT sha256 FROM seen WHERE path = ? AND size = ? AND changed = ? AND inode = ?",
                (stat.path, stat.size, stat.changed, stat.inode),
            ).fetchone()
        return str(row[0]) if row else None

    def note_digest(self, stat: Stat, sha256: str) -> None:
        """Remember it."""
        with self._writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?)",
                (stat.path, stat.size, stat.changed, stat.inode, sha256),
            )

    def column_of(self, sha256: str, reading: str) -> SeenColumn | None:
        """What was found before in a data file read in this way."""
        with self._connected() as connection:
            row = connection.execute(
                "SELECT records, digest, bad FROM matched WHERE sha256 = ? AND reading = ?", (sha256, reading)
            ).fetchone()
        return SeenColumn(*row) if row else None

    def note_column(self, sha256: str, reading: str, found: SeenColumn) -> None:
        """Remember it."""
        with self._writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO matched VALUES (?, ?, ?, ?, ?)",
                (sha256, reading, found.records, found.digest, found.bad),
            )

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._database, timeout=60, isolation_level=None)) as connection:
                connection.execute("PRAGMA synchronous = FULL")
                yield connection
        except sqlite3.DatabaseError as error:
            raise Untrusted("state-damaged", f"{self._database} cannot be read: {error}") from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")


def digest_of(file: BinaryIO) -> str:
    """SHA-256, in hex, of what is left to read."""
    digest = hashlib.sha256()
    while block := file.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()


def _missing(path: str) -> Untrusted:
    return Untrusted("state-damaged", f"{path} is missing from the state; run byline sync", at=path)


def _changed(path: str) -> Untrusted:
    return Untrusted("state-damaged", f"{path} was changed; delete it and run byline sync", at=path)


def _ranges(kept: list[int]) -> str:
    return f"{kept[0]} to {kept[-1]}" if kept else "none"


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
