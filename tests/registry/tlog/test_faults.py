"""What may happen to a machine while its log grows: after each, the log goes on from every checkpoint it ever published."""

from __future__ import annotations

import datetime as dt
import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import event, select

from byline.errors import Conflict, Unavailable
from registry.database import Sessions, make_engine, make_sessions
from registry.models import SignedCheckpoint
from registry.storage.filesystem import FolderStore
from registry.tlog import integrate as integrating
from registry.tlog import shelf
from registry.tlog.boot import check_log
from registry.tlog.integrate import integrate
from tests.registry.tlog.keeper import KEY, NOW, ORIGIN, Keeper, check_log_in

KILLS = 15


class FailingCommits:
    """The nth commit from now fails, before it is durable or after; a reading transaction counts as well."""

    def __init__(self, sessions: Sessions, *, at: int, persist: bool) -> None:
        self._left = at
        self._sessions, self._name = sessions, "after_commit" if persist else "before_commit"

    def __enter__(self) -> None:
        event.listen(self._sessions, self._name, self._fail)

    def __exit__(self, *_: object) -> None:
        event.remove(self._sessions, self._name, self._fail)

    def _fail(self, _session: object) -> None:
        self._left -= 1
        if self._left == -1:
            raise OSError("the database went away")


@pytest.mark.parametrize("persist", [False, True])
def test_any_commit_may_fail_or_only_seem_to(keeper: Keeper, *, persist: bool) -> None:
    """Appending, numbering, signing, collecting: each of them in its turn."""
    keeper.add(250)
    keeper.settle()
    failed = 0
    while True:
        try:
            with FailingCommits(keeper.sessions, at=failed, persist=persist):
                keeper.add(7)
                keeper.settle()
        except OSError:
            failed += 1
        else:
            break
        keeper.number()
        keeper.settle()
        keeper.made = keeper.checkpoint().size
        keeper.check()
    assert failed >= 3


def test_what_a_crash_left_uncollected_is_collected_later(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper.add(250)
    keeper.settle()
    keeper.add(10)
    with monkeypatch.context() as patch:
        patch.setattr(shelf, "collect_partial", _unplugged)
        with pytest.raises(OSError, match="unplugged"):
            keeper.integrate()
    assert sorted(keeper.store.list("log/tile/0/000.p/")) == ["log/tile/0/000.p/250"]
    keeper.add(1)
    keeper.settle()
    assert list(keeper.store.list("log/tile/0/000.p/")) == []
    assert list(keeper.store.list("log/tile/entries/000.p/")) == []
    keeper.check()


def _unplugged(*_: object) -> int:
    raise OSError("unplugged")


def test_a_clock_that_goes_back_changes_nothing(keeper: Keeper) -> None:
    for days in (0, -400, 3, -1):
        keeper.add(100)
        then = NOW + dt.timedelta(days=days)
        integrate(keeper.sessions, store=keeper.store, log_key=KEY, origin=ORIGIN, now=then)
        keeper.check()
    assert keeper.checkpoint().size == 400
    with keeper.sessions() as session:
        check_log(session, store=keeper.store, log_key=KEY, origin=ORIGIN)


def test_two_integrators_at_once_make_one_log(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each may lose a race and be told so; nothing else may happen."""
    keeper.add(900)
    wrong: list[BaseException] = []

    def work() -> None:
        done = 0
        while done < 40:
            try:
                keeper.integrate()
            except (Conflict, Unavailable):
                pass
            except BaseException as error:  # noqa: BLE001 - told in the test's own thread
                wrong.append(error)
                return
            done += 1

    monkeypatch.setattr(integrating, "MOST", 37)  # many small steps: more to race for
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    keeper.settle()
    assert keeper.checkpoint().size == 900
    keeper.check()


def test_a_full_disk_stops_the_log_until_there_is_room(
    small: Keeper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever write of the store meets it."""
    store = FolderStore(tmp_path / "store")

    def keep() -> int:
        return integrate(small.sessions, store=store, log_key=KEY, origin=ORIGIN, now=NOW)

    published = []
    real, met = os.fsync, 0
    while True:
        small.add(130)
        calls = iter(range(1_000))

        def full(handle: int, met: int = met) -> None:
            if next(calls) == met:  # noqa: B023 - used within this round
                raise OSError(errno.ENOSPC, "No space left on device")
            real(handle)

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            try:
                keep()
                break
            except (Unavailable, OSError):
                met += 1
        keep()
        published.append(store.get(shelf.CHECKPOINT))
        check_log_in(store, published)
    assert met >= 4


def test_killed_again_and_again_it_is_one_log(tmp_path: Path) -> None:
    """Two processes append, number and integrate at once; both are killed, at moments nobody chose."""
    program = [sys.executable, "-m", "tests.registry.tlog.killed", str(tmp_path), str(KILLS)]
    done = subprocess.run(
        program, cwd=Path(__file__).parents[3], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= KILLS
    engine = make_engine(f"sqlite:///{tmp_path}/app.sqlite")
    sessions = make_sessions(engine)
    store = FolderStore(tmp_path / "store")
    seen = [path.read_bytes() for path in sorted((tmp_path / "seen").iterdir())]
    while integrate(sessions, store=store, log_key=KEY, origin=ORIGIN, now=NOW):
        pass
    with sessions() as session:
        signed = list(session.scalars(select(SignedCheckpoint.note)))
        check_log(session, store=store, log_key=KEY, origin=ORIGIN)
    engine.dispose()
    assert len(seen) > 1
    assert set(seen) <= set(signed)
    check_log_in(store, signed)
