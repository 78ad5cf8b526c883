"""Engines, sessions, and the one way to write.

SQLite: WAL, foreign keys, synchronous=FULL, and every write transaction begins IMMEDIATE, so that it never
has to give up half-way because another one wrote first. PostgreSQL (psycopg 3): the same code, its own locks.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import sqlite3
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import ORMExecuteState, Session, sessionmaker

import migrations
from byline.errors import Conflict, Refused, Unavailable

Sessions = sessionmaker[Session]
logger = logging.getLogger(__name__)
BUSY_MS = 15_000
LONG_WRITE = 0.25  # seconds from which a write is worth a line in the log: on SQLite all others waited
_LOOK = 0.004  # seconds between two looks for SQLite's write lock
_WRITES = "byline_writes"


def make_engine(url: str) -> Engine:
    """An engine for the application's database.

    Refused("bad-database-url") for anything but SQLite and PostgreSQL.
    """
    kind = url.split(":", 1)[0].split("+", 1)[0]
    if kind == "sqlite":
        return _sqlite_engine(url)
    if kind == "postgresql":
        return create_engine(
            make_url(url).set(drivername="postgresql+psycopg"),
            connect_args={"options": f"-c lock_timeout={BUSY_MS}"},
            pool_pre_ping=True,
            hide_parameters=True,  # an error must not carry people's data into a log
            pool_size=10,
        )
    raise Refused(
        "bad-database-url", "give sqlite:///FILE or postgresql+psycopg://…", at="BYLINE_DATABASE_URL"
    )


def make_items_engine(url: str) -> Engine:
    """An engine for item keys (`Settings.items_url`); the same rules, a file of its own on SQLite."""
    return make_engine(url)


def make_sessions(engine: Engine, info: Mapping[str, Any] | None = None) -> Sessions:
    """Sessions that read; `transaction` turns one into a writer. `info`: what each of them carries (`Session.info`).

    Rows stay usable after the end of their transaction.
    """
    sessions = sessionmaker(engine, expire_on_commit=False, info=dict(info or {}))
    event.listen(sessions, "before_flush", _flushing)
    event.listen(sessions, "do_orm_execute", _executing)
    return sessions


@contextmanager
def transaction(sessions: Sessions) -> Iterator[Session]:
    """The only way to write: commits at the end, rolls back on any error.

    Unavailable("database-busy") when another writer held the lock too long; Conflict("changed-meanwhile")
    when what was checked before writing was no longer so.
    """
    with sessions(info={_WRITES: True}) as session:
        asked = time.monotonic()
        try:
            session.connection(execution_options={_WRITES: True})
            began = time.monotonic()
            yield session
            session.commit()
        except OperationalError as error:
            raise _busy(error) from error
        except IntegrityError as error:
            raise Conflict(
                "changed-meanwhile", "something else was recorded at the same moment; look and ask again"
            ) from error
        if (took := time.monotonic() - began) > LONG_WRITE:
            place = sys._getframe(2).f_code  # noqa: SLF001 - past contextlib: who wrote
            where = {"module": Path(place.co_filename).stem, "function": place.co_name}
            said = {"held": round(took, 3), "waited": round(began - asked, 3)}
            logger.info("long write", extra={"write": where | said})


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction without a session, for many narrow rows; it takes SQLite's lock as `transaction` does."""
    with engine.execution_options(**{_WRITES: True}).begin() as connection:
        yield connection


def one_at_a_time(session: Session, subject: str) -> None:
    """Wait until no other transaction holds `subject`, and hold it to the end of this one.

    On SQLite writers wait anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _lock_number(subject)})


@contextmanager
def only_one(engine: Engine, name: str) -> Iterator[bool]:
    """True in one process (and thread) at a time, for what must not run twice; the dead let go."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            key = {"key": _lock_number(f"duty {name}")}
            got = bool(connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), key))
            try:
                yield got
            finally:
                if got:
                    connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)
        return
    beside = f"{engine.url.database}.{name}.lock"
    handle = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield _locked(handle)
    finally:
        os.close(handle)


@contextmanager
def presence(engine: Engine, lane: str) -> Iterator[bool]:
    """Say that a worker of a lane lives; True when it is surely the only one, so that what "runs" was left by the dead.

    On PostgreSQL workers may be on many machines: nobody is sure, and leases run out by themselves.
    """
    if engine.dialect.name == "postgresql":
        yield False
        return
    handle = os.open(f"{engine.url.database}.lane-{lane}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        alone = _locked(handle)
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield alone
    finally:
        os.close(handle)


def migrate(engine: Engine) -> None:
    """Bring the database to this version's tables."""
    with engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
        command.upgrade(alembic_config(connection), "head")


def check_migrated(engine: Engine) -> None:
    """Refused("not-migrated") unless the database has this version's tables."""
    wanted = ScriptDirectory.from_config(alembic_config(None)).get_current_head()
    with engine.connect() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
    if present != wanted:
        raise Refused(
            "not-migrated",
            f"the database has tables of version {present}, this is {wanted}; run `byline-registry init`",
        )


def alembic_config(connection: Connection | None) -> Config:
    """Alembic, run from code: the folder of the `migrations` package, on this connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    return config


def _sqlite_engine(url: str) -> Engine:
    database = make_url(url).database
    if not database or database == ":memory:":
        raise Refused(
            "bad-database-url",
            "SQLite needs a file: the worker and the server share it",
            at="BYLINE_DATABASE_URL",
        )
    Path(database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url, hide_parameters=True, connect_args={"timeout": BUSY_MS / 1000, "check_same_thread": False}
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN would come too late and not IMMEDIATE
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_MS}",
        "journal_size_limit=67108864",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    if connection.get_execution_options().get(_WRITES, False):
        _begin_writing(connection)
    else:
        connection.exec_driver_sql("BEGIN")


def _begin_writing(connection: Connection) -> None:
    """Take the write lock, asked for every few milliseconds.

    SQLite's own waiting sleeps up to 0.1 s between two looks: whoever came later, and looks more often, is served first.
    """
    driver = cast("sqlite3.Connection", connection.connection.driver_connection)
    until = time.monotonic() + BUSY_MS / 1000
    driver.execute("PRAGMA busy_timeout=0")
    try:
        while time.monotonic() < until:
            try:
                driver.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    break
                time.sleep(_LOOK)
            else:
                return
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # says what is wrong as SQLAlchemy says it
    finally:
        driver.execute(f"PRAGMA busy_timeout={BUSY_MS}")


def _flushing(session: Session, _context: object, _instances: object) -> None:
    if (session.new or session.dirty or session.deleted) and not session.info.get(_WRITES):
        raise RuntimeError("this session only reads; write inside registry.database.transaction")


def _executing(state: ORMExecuteState) -> None:
    if (state.is_insert or state.is_update or state.is_delete) and not state.session.info.get(_WRITES):
        raise RuntimeError("this session only reads; write inside registry.database.transaction")


def _busy(error: OperationalError) -> Exception:
    if any(word in str(error) for word in ("locked", "deadlock", "lock timeout", "could not serialize")):
        return Unavailable("database-busy", "the database was busy for too long; try again", retry_after=2)
    if any(word in str(error) for word in ("disk is full", "No space left", "could not extend file")):
        return Unavailable("disk-full", "there is no space left where the database lies", retry_after=600)
    return error


def _lock_number(subject: str) -> int:
    return int.from_bytes(hashlib.sha256(subject.encode()).digest()[:8], "big", signed=True)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def dialect_of(session: Session) -> Any:
    """The name of the dialect a session speaks: `sqlite` or `postgresql`."""
    return session.get_bind().dialect.name
