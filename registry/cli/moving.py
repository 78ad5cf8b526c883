"""move, backup, restore: a whole registry to another place."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from registry.cli.answer import answering

Answer = tuple[Any, str]
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.option(
    "--to-database", required=True, help="As BYLINE_DATABASE_URL: postgresql+psycopg://… or sqlite:///…"
)
@click.option("--to-store", required=True, help="As BYLINE_OBJECT_STORE: s3://… or file:///…")
@answering
def move(to_database: str, to_store: str) -> Answer:
    """Move a stopped registry to another database and store. May be repeated until it ends.

    Every row and every object is read back and compared. Then the old place is closed: two registries must
    not sign one log. The data folder (keys, privacy text) stays what it is.
    """
    import dataclasses
    import os

    from registry.config import load
    from registry.moving import move as moving
    from registry.runtime import utc_now

    settings = load(os.environ)
    target = dataclasses.replace(settings, database_url=to_database, object_store=to_store)
    with progress() as heard:
        done = moving.move(settings, target, now=utc_now(), heard=heard)
    document = {
        "rows": sum(done.rows.values()),
        "objects": done.objects.objects,
        "bytes": done.objects.size,
        "settings": {"BYLINE_DATABASE_URL": to_database, "BYLINE_OBJECT_STORE": to_store},
    }
    text = (
        f"moved {document['rows']:,} rows and {done.objects.objects:,} objects ({done.objects.size / 1e6:,.0f} MB), "
        "all compared\nset these before you start again:\n"
        f"  BYLINE_DATABASE_URL={to_database}\n  BYLINE_OBJECT_STORE={to_store}"
    )
    return document, text


@click.command()
@click.option(
    "--to", "folder", required=True, type=FOLDER, help="A folder; the same one each time copies what changed."
)
@answering
def backup(folder: Path) -> Answer:
    """Copy a registry, which may be running, into a folder.

    The two key files are not in it: keep them elsewhere, and apart from it.
    """
    from registry.cli.opening import opened
    from registry.moving import backup as saving

    with opened() as here, progress() as heard:
        said = saving.backup(
            folder.absolute(), engine=here.engine, items=here.items, store=here.store, settings=here.settings,
            marks=saving.marks(here.vkey, here.seal), now=here.clock(), heard=heard,
        )  # fmt: skip
        keys = f"{here.settings.log_key} and {here.settings.seal_key}"
    text = f"{folder}: {said['objects']:,} objects, {said['bytes'] / 1e6:,.0f} MB, as of {said['made_at']}\n"
    return said, text + f"not in it, to be kept apart: {keys}"


@click.command()
@click.option("--from", "folder", required=True, type=FOLDER, help="A folder that `backup` wrote.")
@answering
def restore(folder: Path) -> Answer:
    """Fill an empty registry from a backup. Put the two key files into the data folder first.

    May be repeated until it ends. Then run `recover`: the published log may be longer than the backup.
    """
    import os

    from registry.config import DEFAULT_DATA_DIR, load, read_environment
    from registry.moving import backup as saving
    from registry.runtime import migrate_all, read_log_key
    from registry.seal import read_seal
    from registry.storage.opening import open_store

    folder = folder.absolute()
    said = saving.read_backup(folder)
    data_dir = Path(read_environment(os.environ).get("data_dir", DEFAULT_DATA_DIR))
    data_dir.mkdir(parents=True, exist_ok=True)
    for name in saving.BESIDE:
        if (folder / name).is_file() and not (data_dir / name).exists():
            shutil.copyfile(folder / name, data_dir / name)
    settings = load(os.environ)
    saving.check_marks(
        said, settings, read_log_key(Path(settings.log_key)), read_seal(Path(settings.seal_key))
    )
    migrate_all(settings)
    with progress() as heard:
        copied = saving.restore(
            folder, settings=settings, store=open_store(settings.object_store), heard=heard
        )
    document = {"objects": copied.objects, "bytes": copied.size, "made_at": said["made_at"]}
    return document, (
        f"{settings.origin} is what it was at {said['made_at']}: {copied.objects:,} objects, all compared\n"
        "now: byline-registry recover"
    )


class progress:  # noqa: N801 - used as a word
    """One line on stderr that says how far it is; nothing where nobody looks."""

    def __enter__(self) -> Callable[[str], None]:
        self._shown = sys.stderr.isatty()
        return self._say

    def _say(self, text: str) -> None:
        if self._shown:
            click.echo(f"\r\033[K{text}", nl=False, err=True)

    def __exit__(self, *_: object) -> None:
        if self._shown:
            click.echo(err=True)
