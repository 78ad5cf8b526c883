"""A database that stands still while it is copied: nobody else has it open, or one moment of it is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from byline.errors import Refused
from registry.models import Base

_OTHERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


@contextmanager
def alone_with(engine: Engine) -> Iterator[Connection]:
    """A connection to a database that nobody else has open; who comes meanwhile cannot write.

    Refused("registry-runs") where somebody has.
    """
    engine.dispose()
    with engine.connect() as connection:
        try:
            _shut_out_others(connection)
        except OperationalError as error:
            raise _running() from error
        yield connection
    engine.dispose()  # SQLite's lock is let go when its connection is closed


@contextmanager
def one_moment_of(engine: Engine) -> Iterator[Connection]:
    """A connection that sees a database as it was at one moment, while others go on writing."""
    on_postgres = engine.dialect.name == "postgresql"
    level = {"isolation_level": "REPEATABLE READ"} if on_postgres else {}
    with engine.connect().execution_options(**level) as connection:
        connection.execute(
            text("SELECT count(*) FROM alembic_version" if on_postgres else "SELECT 1 FROM sqlite_master")
        )
        yield connection


def _shut_out_others(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        if connection.scalar(text(_OTHERS)):
            raise _running()
        names = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)
        connection.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))
        return
    connection.exec_driver_sql("PRAGMA busy_timeout=500")
    connection.exec_driver_sql("PRAGMA locking_mode=EXCLUSIVE")
    connection.exec_driver_sql("COMMIT")
    connection.exec_driver_sql("BEGIN EXCLUSIVE")


def _running() -> Refused:
    return Refused(
        "registry-runs", "somebody else has this database open; stop the server and every worker first"
    )
