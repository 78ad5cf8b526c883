"""A copy of a running registry in a folder, and a registry again from it.

`store/` holds the objects, `byline.sqlite` and `items.sqlite` the tables of one moment (whatever database the
registry runs on), `objects.sqlite` each object's digest, `backup.json` the files' digests: it is written last, so
a folder without it is no backup. The keys are not in it: the database tells with the seal key who objected.
Objects are copied before and after that moment and none is dropped in between, so every object the tables name is there.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, MetaData

from byline.errors import Refused, Untrusted
from byline.formats import note
from byline.formats.keys import PrivateKey
from registry.config import STANDING, Settings
from registry.database import make_engine, migrate
from registry.models import Base, items_metadata
from registry.moving.held import one_moment_of
from registry.moving.objects import Copied, Ledger, copy_objects
from registry.moving.rows import copy_tables
from registry.seal import Seal
from registry.storage import ObjectStore
from registry.storage.filesystem import FolderStore

TABLES, ITEMS, OBJECTS, SAID = "byline.sqlite", "items.sqlite", "objects.sqlite", "backup.json"
BESIDE = (STANDING, "privacy.txt")
VERSION = 1
Heard = Callable[[str], None]


def backup(
    folder: Path,
    *,
    engine: Engine,
    items: Engine,
    store: ObjectStore,
    settings: Settings,
    marks: dict[str, str],
    now: dt.datetime,
    heard: Heard = lambda _said: None,
) -> dict[str, Any]:
    """Bring `folder` up to date with a registry, which may go on working; what backup.json says.

    `marks` are what a restoring registry's own keys must say as well. A second backup into the same folder copies
    only what changed; killed in between, the folder is no backup until the next one ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SAID).unlink(missing_ok=True)
    ledger, kept = Ledger(folder / OBJECTS), FolderStore(folder / "store")
    told = lambda count, sent: heard(f"objects: {count:,}, {sent / 1e6:,.0f} MB")  # noqa: E731
    copy_objects(store, kept, ledger, heard=told)
    _copy_databases(folder, engine, items, heard=heard)
    objects = copy_objects(store, kept, ledger, heard=told, drop=False)
    for name in BESIDE:
        if (settings.data_dir / name).is_file():
            shutil.copyfile(settings.data_dir / name, folder / name)
    return _say(folder, objects, settings=settings, marks=marks, now=now)


def marks(vkey: str, seal: Seal) -> dict[str, str]:
    """What tells whether keys are the ones a backup was made with, and nothing about them."""
    return {"vkey": vkey, "seal_mark": seal.digest("backup")}


def check_marks(said: dict[str, Any], settings: Settings, log_key: PrivateKey, seal: Seal) -> None:
    """Refused("other-keys", "origin-differs") where the registry that is to be filled is not the one that was saved."""
    if settings.origin != said["origin"]:
        raise Refused("origin-differs", f"this is a backup of {said['origin']}, not of {settings.origin}")
    found = marks(note.vkey(settings.origin, log_key.public), seal)
    if any(said[name] != value for name, value in found.items()):
        raise Refused(
            "other-keys", "the keys in the data folder are not those of the backup; put them there first"
        )


def read_backup(folder: Path) -> dict[str, Any]:
    """What a backup says of itself; Refused("no-backup"), Untrusted("backup-damaged")."""
    try:
        said: dict[str, Any] = json.loads((folder / SAID).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refused("no-backup", f"{folder} holds no finished backup ({SAID} is missing)") from error
    if said.get("version") != VERSION:
        raise Refused(
            "no-backup", f"this backup is of version {said.get('version')}, this program reads {VERSION}"
        )
    for name, digest in said["files"].items():
        if not (folder / name).is_file() or _sha256(folder / name) != digest:
            raise Untrusted("backup-damaged", "a file of the backup is not what it was", at=name)
    return said


def restore(
    folder: Path, *, settings: Settings, store: ObjectStore, heard: Heard = lambda _said: None
) -> Copied:
    """Fill an empty registry from a backup: objects, then tables; each compared with the backup's digests.

    To be repeated after a crash. Refused("target-not-empty"), Untrusted("backup-damaged", "copy-differs").
    """
    ledger = Ledger(settings.data_dir / "restore.sqlite")
    copied = copy_objects(
        FolderStore(folder / "store"), store, ledger,
        heard=lambda count, sent: heard(f"objects: {count:,}, {sent / 1e6:,.0f} MB"),
    )  # fmt: skip
    wanted = {key: one.sha256 for key, one in Ledger(folder / OBJECTS).seen().items()}
    if wrong := sorted(set(wanted.items()) ^ {(key, one.sha256) for key, one in ledger.seen().items()}):
        raise Untrusted("backup-damaged", "an object of the backup is missing or changed", at=wrong[0][0])
    for name, url, metadata in (
        (ITEMS, settings.items_url, items_metadata),
        (TABLES, settings.database_url, Base.metadata),
    ):
        _fill(folder / name, url, metadata, heard=heard)
    return copied


def _copy_databases(folder: Path, engine: Engine, items: Engine, *, heard: Heard) -> None:
    """Both databases as they were at one moment."""
    with one_moment_of(engine) as tables, one_moment_of(items) as keys:
        if engine.dialect.name == "postgresql":  # one database: one snapshot
            _write_out(folder / ITEMS, items_metadata, tables, heard=heard)
            _write_out(folder / TABLES, Base.metadata, tables, heard=heard)
        else:
            _duplicate(keys, folder / ITEMS)
            _duplicate(tables, folder / TABLES)


def _duplicate(source: Connection, path: Path) -> None:
    """SQLite's own copy of the moment the connection sees."""
    half = path.with_suffix(".half")
    half.unlink(missing_ok=True)
    own = source.connection.driver_connection
    if not isinstance(own, sqlite3.Connection):
        raise TypeError("not a SQLite connection")
    with closing(sqlite3.connect(half)) as copy:
        own.backup(copy)
    half.replace(path)


def _write_out(path: Path, metadata: MetaData, source: Connection, *, heard: Heard) -> None:
    """The rows of a PostgreSQL in a SQLite file."""
    half = path.with_suffix(".half")
    half.unlink(missing_ok=True)
    target = make_engine(f"sqlite:///{half}")
    try:
        if metadata is Base.metadata:
            migrate(target)
        else:
            metadata.create_all(target)
        with target.connect() as connection:
            copy_tables(metadata, source, connection, heard=lambda name, n: heard(f"{name}: {n:,} rows"))
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        target.dispose()
    half.replace(path)


def _fill(path: Path, url: str, metadata: MetaData, *, heard: Heard) -> None:
    """Rows of a backup's file into a database with this version's tables."""
    source, target = make_engine(f"sqlite:///{path}"), make_engine(url)
    try:
        with source.connect() as of, target.connect() as to:
            copy_tables(metadata, of, to, heard=lambda name, n: heard(f"{name}: {n:,} rows"))
    finally:
        source.dispose()
        target.dispose()


def _say(
    folder: Path, objects: Copied, *, settings: Settings, marks: dict[str, str], now: dt.datetime
) -> dict[str, Any]:
    names = [name for name in (TABLES, ITEMS, OBJECTS, *BESIDE) if (folder / name).is_file()]
    said = {
        "version": VERSION, "origin": settings.origin, "made_at": now.isoformat(), **marks,
        "objects": objects.objects, "bytes": objects.size,
        "files": {name: _sha256(folder / name) for name in names},
    }  # fmt: skip
    half = folder / f"{SAID}.half"
    half.write_text(json.dumps(said, indent=1), encoding="utf-8")
    half.replace(folder / SAID)
    return said


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
