"""A whole registry from one database and store to another: to be repeated until it is done, then believed.

A crash at any point leaves the old registry as it was, with a target that a second run completes. The last
write says in the old database where the registry is now: from then on it does not open.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, func, insert, make_url, select

from byline.errors import Refused
from registry.config import Settings
from registry.database import make_engine, migrate
from registry.models import Act, Base, Moved, Publisher, items_metadata
from registry.moving.held import alone_with
from registry.moving.objects import Copied, Ledger, copy_objects
from registry.moving.rows import copy_tables
from registry.storage.opening import open_store

Heard = Callable[[str], None]


@dataclass(frozen=True)
class Arrived:
    """What stands at the new place, each compared with the old."""

    rows: dict[str, int]
    objects: Copied


def move(
    settings: Settings, target: Settings, *, now: dt.datetime, heard: Heard = lambda _said: None
) -> Arrived:
    """Copy everything of `settings` to `target`, compare it, and close the old place.

    Refused("same-place", "target-not-empty", "registry-runs", "registry-moved"), Untrusted("copy-differs").
    """
    _check_places(settings, target)
    ledger = Ledger(_ledger_path(settings, target))
    with ExitStack() as opened:
        old, new = (_engine(one.database_url, opened) for one in (settings, target))
        held = opened.enter_context(alone_with(old))
        if held.execute(select(Moved.id)).first():
            raise Refused("registry-moved", "this registry was moved already; its old place is closed")
        migrate(new)
        _check_empty(new, ledger)
        objects = copy_objects(
            open_store(settings.object_store),
            open_store(target.object_store),
            ledger,
            heard=lambda count, sent: heard(f"objects: {count:,}, {sent / 1e6:,.0f} MB"),
        )
        rows = _move_items(settings, target, held, opened, heard=heard)
        with new.connect() as to:
            rows |= copy_tables(Base.metadata, held, to, heard=_of_tables(heard))
        held.execute(insert(Moved).values(id=1, moved_at=now, **_shown(target)))
        held.commit()
    return Arrived(rows, objects)


def _move_items(
    settings: Settings, target: Settings, held: Connection, opened: ExitStack, *, heard: Heard
) -> dict[str, int]:
    """Item keys: beside the other tables on PostgreSQL, on SQLite in the data folder, where they may be already."""
    if settings.items_url == target.items_url:
        return {}
    if settings.items_url != settings.database_url:
        held = opened.enter_context(alone_with(_engine(settings.items_url, opened)))
    new = _engine(target.items_url, opened)
    items_metadata.create_all(new)
    with new.connect() as to:
        return copy_tables(items_metadata, held, to, heard=_of_tables(heard))


def _of_tables(heard: Heard) -> Callable[[str, int], None]:
    return lambda table, count: heard(f"{table}: {count:,} rows")


def _engine(url: str, opened: ExitStack) -> Engine:
    engine = make_engine(url)
    opened.callback(engine.dispose)
    return engine


def _check_places(settings: Settings, target: Settings) -> None:
    if settings.database_url == target.database_url or settings.object_store == target.object_store:
        raise Refused("same-place", "give another database and another store than the registry has now")


def _check_empty(new: Engine, ledger: Ledger) -> None:
    """A target with rows is taken only where an earlier run of ours began it."""
    with new.connect() as connection:
        rows = sum(connection.scalar(select(func.count()).select_from(one)) or 0 for one in (Act, Publisher))
    if rows and not ledger.begun:
        raise Refused("target-not-empty", "the target database holds another registry; give an empty one")
    ledger.begin()


def _ledger_path(settings: Settings, target: Settings) -> Path:
    place = hashlib.sha256(f"{target.database_url}\n{target.object_store}".encode()).hexdigest()[:16]
    return settings.data_dir / f"move-{place}.sqlite"


def _shown(target: Settings) -> dict[str, str]:
    """The new place, without a password."""
    url = make_url(target.database_url).render_as_string(hide_password=True)
    return {"to_database": url, "to_store": target.object_store}
