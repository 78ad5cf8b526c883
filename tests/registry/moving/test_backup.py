"""A copy of a registry that goes on working, and a registry again from it."""

from __future__ import annotations

import dataclasses
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from byline.errors import Refused, Untrusted
from registry.cli import main
from registry.config import STANDING, Settings
from registry.database import transaction
from registry.models import Act
from registry.moving import backup as saving
from registry.runtime import Runtime, migrate_all, open_runtime, utc_now
from registry.storage.filesystem import FolderStore
from registry.storage.opening import open_store
from tests.plugins.parts import environment_of
from tests.registry.moving.conftest import said_by
from tests.registry.moving.test_move import interrupted, kept


@pytest.fixture
def here(settings: Settings) -> Iterator[Runtime]:
    """The registry, open."""
    opened = open_runtime(settings)
    yield opened
    opened.close()


@pytest.fixture
def target(settings: Settings, tmp_path: Path) -> Settings:
    """An empty place with the keys in it."""
    folder = tmp_path / "restored"
    folder.mkdir()
    for key in (settings.log_key, settings.seal_key):
        shutil.copy(key, folder)
    return Settings(data_dir=folder, origin=settings.origin)


def save(here: Runtime, folder: Path) -> dict[str, object]:
    return saving.backup(
        folder, engine=here.engine, items=here.items, store=here.store, settings=here.settings,
        marks=saving.marks(here.vkey, here.seal), now=utc_now(),
    )  # fmt: skip


def fill(folder: Path, target: Settings) -> None:
    migrate_all(target)
    saving.read_backup(folder)
    saving.restore(folder, settings=target, store=open_store(target.object_store))


def test_what_was_restored_answers_the_same(
    settings: Settings, target: Settings, here: Runtime, tmp_path: Path
) -> None:
    answers = said_by(settings)
    save(here, tmp_path / "backup")
    fill(tmp_path / "backup", target)
    assert kept(target) == kept(settings)
    assert said_by(target) == answers


@pytest.mark.postgres
@pytest.mark.s3
def test_a_backup_of_one_kind_fills_the_other_and_back(
    settings: Settings, target: Settings, elsewhere: Settings, here: Runtime, tmp_path: Path
) -> None:
    before = kept(settings)
    save(here, tmp_path / "first")
    big = dataclasses.replace(elsewhere, data_dir=target.data_dir)
    fill(tmp_path / "first", big)
    assert kept(big) == before
    opened = open_runtime(big)
    save(opened, tmp_path / "second")
    opened.close()
    fill(tmp_path / "second", target)
    assert kept(target) == before


def test_a_second_backup_copies_what_changed_and_drops_what_is_gone(here: Runtime, tmp_path: Path) -> None:
    save(here, tmp_path / "backup")
    stood = {
        path: path.stat().st_ino for path in (tmp_path / "backup" / "store").rglob("*") if path.is_file()
    }
    here.store.put("extracts/new", b"new")
    gone = next(iter(here.store.list("feed/")))
    here.store.delete(gone)
    save(here, tmp_path / "backup")
    copy = FolderStore(tmp_path / "backup" / "store")
    assert {key: copy.get(key) for key in copy.list("")} == {
        key: here.store.get(key) for key in here.store.list("") if not key.startswith("probe/")
    }
    again = {path: path.stat().st_ino for path in stood if path.is_file() and path.name != ".lock"}
    assert {path: stood[path] for path in again} == again
    assert len(again) > 5


def test_a_backup_while_others_write_is_of_one_moment(
    here: Runtime, target: Settings, tmp_path: Path
) -> None:
    """Each act is written with an object of its name: none of the tables' names may lack its object."""
    stop = threading.Event()

    def work() -> None:
        number = 0
        while not stop.is_set():
            here.store.put_new(f"extracts/made-{number}", b"x")
            with transaction(here.sessions) as session:
                act = Act(kind="test", subject="s", ref=f"made-{number}", leaf=None, made_at=utc_now())
                session.add(act)
            number += 1

    writer = threading.Thread(target=work)
    writer.start()
    try:
        save(here, tmp_path / "backup")
    finally:
        stop.set()
        writer.join()
    fill(tmp_path / "backup", target)
    with here.sessions() as session:
        written = session.scalar(select(func.count()).where(Act.kind == "test")) or 0
    restored = open_runtime(target)
    with restored.sessions() as session:
        refs = session.scalars(select(Act.ref).where(Act.kind == "test")).all()
    objects = set(restored.store.list("extracts/made-"))
    restored.close()
    assert {f"extracts/{ref}" for ref in refs} <= objects
    assert len(refs) <= written


def test_a_backup_that_was_interrupted_is_none_until_the_next_ends(
    here: Runtime, target: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(here, tmp_path / "backup")
    with monkeypatch.context() as patched:
        patched.setattr(saving, "_copy_databases", _power_goes)
        with pytest.raises(OSError, match="power"):
            save(here, tmp_path / "backup")
    with pytest.raises(Refused) as refused:
        saving.read_backup(tmp_path / "backup")
    assert refused.value.code == "no-backup"
    save(here, tmp_path / "backup")
    fill(tmp_path / "backup", target)


def _power_goes(*_: object, **__: object) -> None:
    raise OSError("the power went")


def test_an_interrupted_restore_goes_on(here: Runtime, target: Settings, tmp_path: Path) -> None:
    save(here, tmp_path / "backup")
    migrate_all(target)
    for after in (0, 1, 6):
        with pytest.raises(InterruptedError):
            saving.restore(
                tmp_path / "backup",
                settings=target,
                store=open_store(target.object_store),
                heard=interrupted(after),
            )
    fill(tmp_path / "backup", target)
    assert kept(target) == kept(here.settings)


@pytest.mark.parametrize("what", ["tables", "object", "missing object"])
def test_a_damaged_backup_restores_nothing_in_silence(
    here: Runtime, target: Settings, tmp_path: Path, what: str
) -> None:
    save(here, tmp_path / "backup")
    objects = sorted((tmp_path / "backup" / "store" / "records").iterdir())
    if what == "tables":
        with (tmp_path / "backup" / saving.TABLES).open("r+b") as file:
            file.seek(5_000)
            file.write(b"damaged")
    elif what == "object":
        objects[0].write_bytes(b"damaged")
    else:
        objects[0].unlink()
    with pytest.raises(Untrusted) as found:
        fill(tmp_path / "backup", target)
    assert found.value.code == "backup-damaged"


def run(data_dir: Path, *words: str) -> Result:
    """`byline-registry WORDS` over a data folder of its own SQLite and store."""
    environment = {"BYLINE_DATA_DIR": str(data_dir)}
    return CliRunner(env=environment).invoke(main, [*words, "--json"], catch_exceptions=False)


@pytest.fixture
def by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder that `init` made."""
    monkeypatch.delenv("BYLINE_ORIGIN", raising=False)
    for name in environment_of(tmp_path / "x"):
        monkeypatch.delenv(name, raising=False)
    assert run(tmp_path / "one", "init").exit_code == 0
    return tmp_path / "one"


def test_the_commands_do_it(by_hand: Path, tmp_path: Path) -> None:
    made = run(by_hand, "backup", "--to", str(tmp_path / "backup"))
    assert made.exit_code == 0, made.output
    assert not (tmp_path / "backup" / "seal-key.hex").exists()
    (tmp_path / "two").mkdir()
    for name in ("log-key.pem", "seal-key.hex"):
        shutil.copy(by_hand / name, tmp_path / "two")
    done = run(tmp_path / "two", "restore", "--from", str(tmp_path / "backup"))
    assert done.exit_code == 0, done.output
    assert (tmp_path / "two" / STANDING).read_text() == (by_hand / STANDING).read_text()
    assert run(tmp_path / "two", "publisher", "list").exit_code == 0
    away = ("--to-database", f"sqlite:///{tmp_path}/three.sqlite", "--to-store", f"file://{tmp_path}/three")
    moved = run(tmp_path / "two", "move", *away)
    assert moved.exit_code == 0, moved.output
    assert json.loads(moved.output)["settings"]["BYLINE_OBJECT_STORE"] == f"file://{tmp_path}/three"
    closed = run(tmp_path / "two", "publisher", "list")
    assert json.loads(closed.output)["error"]["code"] == "registry-moved"


def test_other_keys_restore_nothing(by_hand: Path, tmp_path: Path) -> None:
    assert run(by_hand, "backup", "--to", str(tmp_path / "backup")).exit_code == 0
    assert run(tmp_path / "two", "init").exit_code == 0
    shutil.copy(by_hand / STANDING, tmp_path / "two")
    refused = run(tmp_path / "two", "restore", "--from", str(tmp_path / "backup"))
    assert json.loads(refused.output)["error"]["code"] == "other-keys"
