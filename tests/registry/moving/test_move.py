"""From one small machine to PostgreSQL and S3, and back: nothing lost, however often it was interrupted."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from byline.errors import Refused, Unavailable, Untrusted
from registry.config import Settings
from registry.database import make_engine, make_sessions, transaction
from registry.models import Act, Base, Contributor, Publisher, items_metadata
from registry.moving.move import move
from registry.moving.rows import sum_of
from registry.runtime import open_runtime, prepare, utc_now
from registry.storage.filesystem import FolderStore
from registry.storage.opening import open_store
from registry.storage.store import Body
from tests.plugins.parts import environment_of
from tests.registry.moving.conftest import said_by

# What changes when followers look once more, and where a registry went.
RESTLESS = {"follower", "job", "moved"}
pytestmark = [pytest.mark.postgres, pytest.mark.s3]


def kept(settings: Settings) -> dict[str, Any]:
    """Everything that stands in a place: sums of tables, digests of objects."""
    sums: dict[str, Any] = {}
    for url, metadata in ((settings.database_url, Base.metadata), (settings.items_url, items_metadata)):
        engine = make_engine(url)
        with engine.connect() as connection:
            sums |= {t.name: sum_of(connection, t) for t in metadata.sorted_tables if t.name not in RESTLESS}
        engine.dispose()
    store = open_store(settings.object_store)
    return {**sums, **{key: store.get(key) for key in store.list("") if not key.startswith("probe/")}}


def test_the_moved_registry_answers_the_same(settings: Settings, elsewhere: Settings) -> None:
    before, answers = kept(settings), said_by(settings)
    before = kept(settings)
    done = move(settings, elsewhere, now=utc_now())
    assert kept(elsewhere) == before
    assert done.rows["opt_out"] == 1
    assert said_by(dataclasses.replace(elsewhere, search=f"{settings.search}-new")) == answers


def test_the_old_place_is_closed_and_says_where_it_went(settings: Settings, elsewhere: Settings) -> None:
    move(settings, elsewhere, now=utc_now())
    with pytest.raises(Refused, match="moved to postgresql") as refused:
        open_runtime(settings)
    assert refused.value.code == "registry-moved"
    with pytest.raises(Refused) as refused:
        move(settings, elsewhere, now=utc_now())
    assert refused.value.code == "registry-moved"


def test_back_on_one_machine_it_is_what_it_was(
    settings: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    before = kept(settings)
    move(settings, elsewhere, now=utc_now())
    home = dataclasses.replace(
        settings,
        data_dir=tmp_path / "home",
        database_url=f"sqlite:///{tmp_path}/home/byline.sqlite",
        object_store=f"file://{tmp_path}/home/store",
    )
    move(elsewhere, home, now=utc_now())
    assert kept(home) == before


def test_numbers_go_on_after_those_that_came_along(settings: Settings, elsewhere: Settings) -> None:
    move(settings, elsewhere, now=utc_now())
    engine = make_engine(elsewhere.database_url)
    with transaction(make_sessions(engine)) as session:
        highest = session.scalar(select(func.max(Act.id)))
        session.add(act := Act(kind="test", subject="s", ref="", leaf=None, made_at=utc_now()))
        session.flush()
        assert act.id == (highest or 0) + 1
    engine.dispose()


def test_a_registry_that_runs_is_not_moved(settings: Settings, elsewhere: Settings) -> None:
    here = open_runtime(settings)
    with here.sessions() as session:
        assert session.scalar(select(func.count()).select_from(Act))
    with pytest.raises(Refused) as refused:
        move(settings, elsewhere, now=utc_now())
    assert refused.value.code == "registry-runs"
    here.close()
    open_runtime(settings).close()


def test_who_comes_meanwhile_cannot_write(
    settings: Settings, elsewhere: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.database.BUSY_MS", 100)
    tried: list[object] = []

    def write(_said: str) -> None:
        if not tried:
            engine = make_engine(settings.database_url)
            with (
                pytest.raises((OperationalError, Unavailable)) as refused,
                transaction(make_sessions(engine)) as session,
            ):
                session.execute(update(Publisher).values(name="Too Late"))
            tried.append(refused.value)
            engine.dispose()

    move(settings, elsewhere, now=utc_now(), heard=write)
    assert len(tried) == 1


def test_another_registry_is_not_written_over(settings: Settings, elsewhere: Settings) -> None:
    move(settings, elsewhere, now=utc_now())
    (settings.data_dir / "other").mkdir()
    other = dataclasses.replace(
        settings,
        data_dir=settings.data_dir / "other",
        database_url=f"sqlite:///{settings.data_dir}/other/byline.sqlite",
        object_store=f"file://{settings.data_dir}/other/store",
    )
    prepare(other)
    with pytest.raises(Refused) as refused:
        move(other, elsewhere, now=utc_now())
    assert refused.value.code == "target-not-empty"


def interrupted(after: int) -> Any:
    """A listener in which the power goes."""
    left = iter(range(after))

    def heard(_said: str) -> None:
        if next(left, None) is None:
            raise InterruptedError

    return heard


@pytest.mark.parametrize("after", [0, 1, 5, 12, 20])
def test_interrupted_and_changed_and_moved_again_nothing_is_missing(
    settings: Settings, elsewhere: Settings, after: int
) -> None:
    with pytest.raises(InterruptedError):
        move(settings, elsewhere, now=utc_now(), heard=interrupted(after))
    here = open_runtime(settings)  # the old place is open still, and work went on
    with transaction(here.sessions) as session:
        session.execute(update(Publisher).values(name="Renamed Meanwhile"))
        session.execute(update(Contributor).values(hidden=True))
    here.store.put("extracts/late", b"came late")
    here.store.delete(next(iter(here.store.list("feed/"))))
    here.close()
    before = kept(settings)
    move(settings, elsewhere, now=utc_now())
    assert kept(elsewhere) == before


def test_killed_at_any_moment_and_moved_again_nothing_is_missing(
    settings: Settings, elsewhere: Settings
) -> None:
    before, chance = kept(settings), random.Random(7)  # noqa: S311 - moments, not secrets
    words = [sys.executable, "-m", "registry.cli", "move", "--to-database", elsewhere.database_url]
    words += ["--to-store", elsewhere.object_store]
    own = {name: value for name, value in os.environ.items() if not name.startswith("BYLINE_")}
    env = {**own, **environment_of(settings.data_dir), "BYLINE_ORIGIN": settings.origin}
    for _ in range(3):
        with subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL) as process:
            time.sleep(0.8 + chance.random() * 1.5)
            process.kill()
    with contextlib.suppress(Refused):  # the last one may have come through
        move(settings, elsewhere, now=utc_now())
    assert kept(elsewhere) == before
    with pytest.raises(Refused, match="moved to"):
        open_runtime(settings)


class _Careless(FolderStore):
    """Loses a byte of one object."""

    def put(self, key: str, data: Body) -> None:
        """Write it, almost."""
        whole = data if isinstance(data, bytes) else data.read()
        super().put(key, whole[:-1] if key.startswith("records/") else whole)


def test_a_store_that_loses_a_byte_is_found_out_and_the_old_place_stays_open(
    settings: Settings, elsewhere: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = open_store
    monkeypatch.setattr(
        "registry.moving.move.open_store",
        lambda url: _Careless(tmp_path / "careless") if url == elsewhere.object_store else real(url),
    )
    with pytest.raises(Untrusted) as found:
        move(settings, elsewhere, now=utc_now())
    assert found.value.code == "copy-differs"
    open_runtime(settings).close()
