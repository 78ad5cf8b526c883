"""Settings -> Runtime: everything an entry point holds.

Only the app, the worker and the command line have one.
"""

from __future__ import annotations

import datetime as dt
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from byline.errors import Refused
from byline.formats import note
from byline.formats.keys import PrivateKey
from registry.config import Settings, check_public
from registry.database import Sessions, check_migrated, make_engine, make_items_engine, make_sessions, migrate
from registry.mail import Mailer
from registry.models import items_metadata
from registry.seal import Seal, read_seal
from registry.storage import ObjectStore
from registry.storage.opening import open_store
from search import SearchEngine
from search.opening import open_engine


@dataclass(frozen=True)
class Runtime:
    """The open parts of one registry. `clock` gives the present as an aware UTC datetime."""

    settings: Settings
    engine: Engine
    sessions: Sessions
    items: Engine
    store: ObjectStore
    search: SearchEngine
    log_key: PrivateKey
    seal: Seal
    mailer: Mailer
    clock: Callable[[], dt.datetime]

    @property
    def vkey(self) -> str:
        """The log's verifier key: one line of C2SP signed-note."""
        return note.vkey(self.settings.origin, self.log_key.public)

    def close(self) -> None:
        """Let go of connections and files."""
        self.search.close()
        self.items.dispose()
        self.engine.dispose()


def utc_now() -> dt.datetime:
    """The clock of everything that is not a test."""
    return dt.datetime.now(dt.UTC)


def open_runtime(settings: Settings, *, clock: Callable[[], dt.datetime] = utc_now) -> Runtime:
    """Open everything; refuse a public registry that names no operator, and tables of another version."""
    check_public(settings)
    engine = make_engine(settings.database_url)
    try:
        check_migrated(engine)
        return Runtime(
            settings=settings,
            engine=engine,
            sessions=make_sessions(engine),
            items=make_items_engine(settings.items_url),
            store=open_store(settings.object_store),
            search=open_engine(settings.search),
            log_key=read_log_key(Path(settings.log_key)),
            seal=read_seal(Path(settings.seal_key)),
            mailer=Mailer(settings),
            clock=clock,
        )
    except BaseException:
        engine.dispose()
        raise


def prepare(settings: Settings) -> None:
    """Keys, tables, store: what `byline-registry init` makes. What is there stays as it is."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    write_once(Path(settings.log_key), PrivateKey.generate().to_pem())
    write_once(Path(settings.seal_key), secrets.token_hex(32).encode() + b"\n")
    migrate_all(settings)
    open_store(settings.object_store)


def migrate_all(settings: Settings) -> None:
    """Bring both databases to this version's tables.

    Item keys are a view that can be made again: they need no history.
    """
    engine, items = make_engine(settings.database_url), make_items_engine(settings.items_url)
    try:
        migrate(engine)
        items_metadata.create_all(items)
    finally:
        items.dispose()
        engine.dispose()


def read_log_key(path: Path) -> PrivateKey:
    """The log's private key; Refused("bad-log-key")."""
    try:
        return PrivateKey.from_pem(path.read_bytes())
    except OSError as error:
        raise Refused("bad-log-key", f"the log's key {path} cannot be read", at="BYLINE_LOG_KEY") from error


def write_once(path: Path, data: bytes) -> bool:
    """Write a secret that is not there yet, for its owner only; False where it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(handle)
    return True
