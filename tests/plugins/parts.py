"""Which database and store a test's registry stands on: SQLite and a folder, or real servers by one switch each.

`TEST_DATABASE=postgresql` gives every data folder a database of its own on the session's PostgreSQL,
`TEST_STORE=s3` a prefix of its own on the session's SeaweedFS. What a folder was given is written down, so that
another process (a worker to be killed, a server) opens the same.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import json
import os
import shutil
import tempfile
import uuid
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from registry.config import Settings
from registry.database import make_engine, migrate
from registry.models import items_metadata
from registry.storage.opening import open_store
from tests.plugins import postgres, s3

ON_POSTGRES = os.environ.get("TEST_DATABASE", "sqlite") == "postgresql"
ON_S3 = os.environ.get("TEST_STORE", "folder") == "s3"
_GIVEN = "TEST_PARTS"  # the folder where it is written down, for this process and its children


def settings_in(folder: Path, **said: Any) -> Settings:
    """Settings of a registry in `folder`; what the test says itself stays."""
    return Settings(data_dir=folder, **{**parts_of(folder), **said})


def parts_of(folder: Path) -> dict[str, str]:
    """`database_url` and `object_store` of a data folder, as far as a switch is set; made at the first call."""
    if not (ON_POSTGRES or ON_S3):
        return {}
    if (given := _given(folder)).exists():
        return dict(json.loads(given.read_text()))
    parts: dict[str, str] = {}
    if ON_POSTGRES:
        parts["database_url"] = postgres.session_server().new_database(like=_with_tables())
    if ON_S3:
        parts["object_store"] = _new_prefix()
    _keep(folder, parts)
    return parts


def environment_of(folder: Path) -> dict[str, str]:
    """The folder and the same as variables, for a process."""
    given = {"data_dir": str(folder), **parts_of(folder)}
    return {f"BYLINE_{name.upper()}": value for name, value in given.items()}


def copy_registry(source: Path, folder: Path) -> None:
    """A data folder with all it stands on, to be changed; nobody may have the source open."""
    shutil.copytree(source, folder)
    parts = parts_of(source)
    if "database_url" in parts:
        parts["database_url"] = postgres.session_server().new_database(like=parts["database_url"])
    if "object_store" in parts:
        old, parts["object_store"] = open_store(parts["object_store"]), _new_prefix()
        new = open_store(parts["object_store"])
        for key in old.list(""):
            new.put(key, old.get(key))
    _keep(folder, parts)


def lose_database(settings: Settings) -> None:
    """What an operator fears: it is gone, or no database any more."""
    url = make_url(settings.database_url)
    if url.get_backend_name() == "postgresql":
        postgres.session_server().drop_database(settings.database_url)
    else:
        Path(str(url.database)).write_bytes(b"no database any more" * 100)


@functools.cache
def _with_tables() -> str:
    """A PostgreSQL database with this version's tables and nothing in them, to be copied."""
    url = postgres.session_server().new_database()
    engine = make_engine(url)
    migrate(engine)
    items_metadata.create_all(engine)
    engine.dispose()
    return url


def _keep(folder: Path, parts: dict[str, str]) -> None:
    if parts:
        _given(folder).write_text(json.dumps(parts))


def _given(folder: Path) -> Path:
    if _GIVEN not in os.environ:
        os.environ[_GIVEN] = tempfile.mkdtemp(prefix="parts-")
        atexit.register(shutil.rmtree, os.environ[_GIVEN], ignore_errors=True)
    return Path(os.environ[_GIVEN], hashlib.sha256(str(folder.absolute()).encode()).hexdigest())


def _new_prefix() -> str:
    server = s3.session_server()
    os.environ.update(server.environ)
    return server.url(f"t-{uuid.uuid4().hex}")
