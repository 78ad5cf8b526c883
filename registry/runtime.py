"""Settings -> Runtime: everything an entry point holds.

Only the app, the worker and the command line have one.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from byline.errors import Refused
from byline.formats import note
from byline.formats.keys import PrivateKey
from registry.config import (
    DEFAULT_DATA_DIR,
    STANDING,
    STANDING_NAMES,
    Settings,
    check_origin,
    check_public,
    check_same_origin,
    is_loopback,
    read_environment,
    read_standing,
)
from registry.contributors.sealed import SEAL
from registry.database import Sessions, check_migrated, make_engine, make_items_engine, make_sessions, migrate
from registry.egress import Egress, open_egress
from registry.mail import Mailer
from registry.models import Moved, items_metadata
from registry.seal import Seal, read_seal
from registry.storage import ObjectStore
from registry.storage.opening import open_store
from search import SearchEngine
from search.opening import open_engine

_QUESTIONS = {
    "operator_name": "Who runs this registry?",
    "operator_contact": "How are they reached (mail address or URL)?",
    "privacy_file": "Which file holds the privacy text people are shown?",
}


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
    egress: Egress
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
        _check_not_moved(engine)
        log_key, seal = read_log_key(Path(settings.log_key)), read_seal(Path(settings.seal_key))
        return Runtime(
            settings=settings,
            engine=engine,
            sessions=make_sessions(engine, {SEAL: seal}),
            items=make_items_engine(settings.items_url),
            store=open_store(settings.object_store),
            search=open_engine(settings.search),
            log_key=log_key,
            seal=seal,
            mailer=Mailer(settings),
            egress=open_egress(settings),
            clock=clock,
        )
    except BaseException:
        engine.dispose()
        raise


def _check_not_moved(engine: Engine) -> None:
    """Two registries must not sign one log."""
    with engine.connect() as connection:
        gone = connection.execute(select(Moved.to_database, Moved.to_store)).first()
    if gone is not None:
        raise Refused(
            "registry-moved",
            f"this registry was moved to {gone.to_database} and {gone.to_store}; "
            "set BYLINE_DATABASE_URL and BYLINE_OBJECT_STORE to these",
        )


def prepare(settings: Settings) -> None:
    """Keys, tables, store: what `byline-registry init` makes. What is there stays as it is.

    The folder is its owner's alone, also one that was there: its tables say who objected.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with suppress(PermissionError):  # a volume that is lent to us: whoever owns it says who may look in
        settings.data_dir.chmod(0o700)
    write_once(Path(settings.log_key), PrivateKey.generate().to_pem())
    write_once(Path(settings.seal_key), secrets.token_hex(32).encode() + b"\n")
    migrate_all(settings)
    open_store(settings.object_store)


def write_standing(
    environ: Mapping[str, str],
    said: Mapping[str, Any],
    *,
    ask: Callable[[str], str],
    new_origin: Callable[[], str],
) -> None:
    """Keep, in the data folder, what a registry is told once: its origin for good, and who runs it.

    `said`: origin, operator_name, operator_contact, privacy_file, each may be None; a public registry is
    asked for what it lacks. Refused("origin-differs", "operator-missing").
    """
    settings = read_environment(environ)
    folder = Path(settings.get("data_dir", DEFAULT_DATA_DIR))
    known = {
        "origin": new_origin(),
        **read_standing(folder),
        **{k: v for k, v in settings.items() if k in STANDING_NAMES},
    }
    check_same_origin(folder, said.get("origin"), settings.get("origin"))
    known.update({name: str(value) for name, value in said.items() if value is not None})
    check_origin(known["origin"])
    if not is_loopback(known["origin"]):
        for name, question in _QUESTIONS.items():
            known[name] = known.get(name) or ask(question)
    text = Path(known["privacy_file"]).read_text(encoding="utf-8") if known.get("privacy_file") else None
    check_public(Settings(data_dir=folder, **known))
    if text is not None:  # a copy: the file that was given may go
        known["privacy_file"] = str(replace_file(folder / "privacy.txt", text))
    replace_file(folder / STANDING, json.dumps(known, indent=1, sort_keys=True) + "\n")


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


def replace_file(path: Path, text: str) -> Path:
    """Write a text file whole or not at all; its absolute path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    with half.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return half.replace(path).absolute()


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
