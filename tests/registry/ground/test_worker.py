from __future__ import annotations

import base64
import datetime as dt
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from byline.errors import Refused, Unavailable
from registry import jobs
from registry.database import transaction
from registry.duties import Duty
from registry.jobs import LONG, SHORT, Work
from registry.mail import written
from registry.models import Act, Job
from registry.runtime import Runtime, open_runtime, prepare
from registry.tlog.append import append
from registry.worker import Worker
from tests.plugins.parts import environment_of, settings_in

KILLED = """
import datetime as dt, sys, time, threading
from pathlib import Path
from tests.plugins.parts import ON_POSTGRES, settings_in
from registry.runtime import open_runtime
from registry.worker import Worker

def slow(here, work):
    with open(sys.argv[2], "a") as log:
        log.write(f"{work.attempts} {work.crashes}\\n")
    time.sleep(60 if work.crashes < 2 else 0)

here = open_runtime(settings_in(Path(sys.argv[1])))
# On PostgreSQL nobody knows that a worker died before its lease ends.
lease = dt.timedelta(seconds=1 if ON_POSTGRES else 45)
Worker(here, does={"slow": slow}, duties=(), lease=lease).run(threading.Event())
"""


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Runtime]:
    settings = settings_in(tmp_path / "data")
    prepare(settings)
    opened = open_runtime(settings)
    yield opened
    opened.close()


def ask(
    here: Runtime, kind: str, *, lane: str = SHORT, key: str = "k", payload: dict[str, Any] | None = None
) -> None:
    with transaction(here.sessions) as session:
        jobs.enqueue(session, lane=lane, kind=kind, key=key, payload=payload or {}, now=here.clock())


def left(here: Runtime) -> list[Job]:
    with here.sessions() as session:
        return list(session.scalars(select(Job)))


def wait_for(what: Callable[[], object], *, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def stop_after(began: threading.Event, stop: threading.Event) -> None:
    def wait() -> None:
        began.wait(10)
        stop.set()

    threading.Thread(target=wait).start()


def doing(here: Runtime, function: Callable[[Runtime, Work], None], **options: Any) -> Worker:
    return Worker(here, does={"test": function}, duties=(), rand=lambda: 0.5, **options)


def test_a_job_gets_its_payload_and_is_gone_afterwards(here: Runtime) -> None:
    seen: list[Work] = []
    ask(here, "test", payload={"n": 1})
    assert doing(here, lambda _here, work: seen.append(work)).run_once(SHORT)
    assert [dict(work.payload) for work in seen] == [{"n": 1}]
    assert left(here) == []


def test_without_a_job_there_is_nothing_done(here: Runtime) -> None:
    assert not doing(here, lambda _h, _w: None).run_once(SHORT)


@pytest.mark.parametrize(
    ("error", "state", "said"),
    [
        (Unavailable("busy", "later"), "ready", "busy: later"),
        (ValueError("odd"), "ready", "ValueError: odd"),
        (Refused("wrong", "never"), "dead", "wrong: never"),
    ],
)
def test_a_job_that_fails_is_tried_again_unless_it_can_never_work(
    here: Runtime, error: Exception, state: str, said: str
) -> None:
    def fail(_here: Runtime, _work: Work) -> None:
        raise error

    ask(here, "test")
    assert doing(here, fail).run_once(SHORT)
    [job] = left(here)
    assert (job.state, job.last_error) == (state, said)


def test_a_job_of_an_unknown_kind_waits_for_a_worker_that_knows_it(here: Runtime) -> None:
    ask(here, "from-the-future")
    doing(here, lambda _h, _w: None).run_once(SHORT)
    [job] = left(here)
    assert job.state == "ready"


def test_what_waits_of_a_kind_is_done_together_and_what_failed_alone(here: Runtime) -> None:
    done: list[list[str]] = []

    def do(_here: Runtime, works: Sequence[Work]) -> None:
        done.append([work.key for work in works])
        if len(works) > 1:
            raise Unavailable("busy", "later")

    for key in "abc":
        ask(here, "many", key=key)
    worker = Worker(here, does={}, together={"many": do}, duties=(), rand=lambda: 0.5)
    worker.run_once(SHORT)
    with transaction(here.sessions) as session:
        session.execute(update(Job).values(run_at=here.clock()))
    while worker.run_once(SHORT):
        pass
    assert (done, left(here)) == ([["a", "b", "c"], ["a"], ["b"], ["c"]], [])


def test_the_leases_of_jobs_done_together_are_extended(here: Runtime) -> None:
    began, ended = threading.Event(), threading.Event()

    def slow(_here: Runtime, _works: Sequence[Work]) -> None:
        began.set()
        time.sleep(1.2)
        ended.set()

    for key in "ab":
        ask(here, "many", key=key)
    worker = Worker(here, together={"many": slow}, duties=(), lease=dt.timedelta(seconds=0.6))
    thread = threading.Thread(target=worker.run_once, args=(SHORT,))
    thread.start()
    began.wait(60)
    first = {job.id: job.lease_until for job in left(here)}
    wait_for(lambda: ended.is_set() or all(first[job.id] != job.lease_until for job in left(here)))
    extended = not ended.is_set()
    thread.join()
    assert (extended, left(here)) == (True, [])


def test_a_short_job_does_not_wait_behind_a_long_one(here: Runtime) -> None:
    done, release, stop = threading.Event(), threading.Event(), threading.Event()
    ask(here, "test", lane=LONG, key="long")
    ask(here, "test", lane=SHORT, key="short")

    def job(_here: Runtime, work: Work) -> None:
        if work.key == "short":
            done.set()
        else:
            release.wait(20)

    worker = doing(here, job)
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    assert done.wait(10)
    assert [job.key for job in left(here) if job.lane == LONG] == ["long"]
    release.set()
    stop.set()
    thread.join()


def test_the_lease_of_a_job_that_takes_long_is_extended(here: Runtime) -> None:
    ran: list[int] = []

    def slow(_here: Runtime, work: Work) -> None:
        ran.append(work.attempts)
        time.sleep(1.2)

    ask(here, "test")
    worker = doing(here, slow, lease=dt.timedelta(seconds=0.6))
    thread = threading.Thread(target=worker.run_once, args=(SHORT,))
    thread.start()
    wait_for(lambda: ran)
    time.sleep(0.8)
    assert not doing(here, slow).run_once(SHORT), "nobody else may have it"
    thread.join()
    assert (ran, left(here)) == ([1], [])


def test_a_worker_that_is_asked_to_stop_ends_its_job_first(here: Runtime) -> None:
    began, stop, ended = threading.Event(), threading.Event(), threading.Event()

    def job(_here: Runtime, _work: Work) -> None:
        began.set()
        time.sleep(0.3)
        ended.set()

    ask(here, "test")
    stop_after(began, stop)
    assert doing(here, job).run(stop)
    assert ended.is_set()
    assert left(here) == []


def test_a_job_that_does_not_end_in_time_is_given_back_without_blame(here: Runtime) -> None:
    began, stop, release = threading.Event(), threading.Event(), threading.Event()

    def job(_here: Runtime, _work: Work) -> None:
        began.set()
        release.wait(20)

    ask(here, "test")
    before = set(threading.enumerate())
    stop_after(began, stop)
    assert not doing(here, job).run(stop, grace=0.2)
    [given_back] = left(here)
    assert (given_back.state, given_back.crashes) == ("ready", 0)
    release.set()
    wait_for(lambda: set(threading.enumerate()) <= before)
    assert left(here)[0].state == "ready", "who gave it back cannot finish it"


def test_kill_9_loses_nothing_and_counts_the_crash(here: Runtime, root: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.touch()
    ask(here, "slow", lane=LONG)
    for attempt in (1, 2, 3):
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, str(here.settings.data_dir), str(log)], cwd=root
        ) as worker:
            wait_for(lambda attempt=attempt: len(log.read_text().splitlines()) == attempt)  # type: ignore[misc]
            if attempt == 3:
                wait_for(lambda: left(here) == [])
            worker.send_signal(signal.SIGKILL)
    assert log.read_text() == "1 0\n2 1\n3 2\n"


def test_a_duty_that_fails_is_tried_again(here: Runtime) -> None:
    runs: list[int] = []
    stop = threading.Event()

    def attend(_here: Runtime) -> bool:
        runs.append(1)
        if len(runs) == 1:
            raise ValueError("first time")
        stop.set()
        return False

    assert Worker(here, does={}, duties=(Duty("odd", 0.01, attend),)).run(stop)
    assert len(runs) >= 2


def test_settling_does_everything_that_is_there_to_do(here: Runtime) -> None:
    mail = {"to": "a@b.example", "subject": "s", "body": "b"}
    sealed = base64.b64encode(here.seal.seal(json.dumps(mail))).decode()
    ask(here, "mail", payload={"sealed": sealed})
    with transaction(here.sessions) as session:
        append(session, kind="test", subject="s", ref="r", leaf=b"leaf", now=here.clock())
    Worker(here).settle()
    assert len(written(here.mailer.folder)) == 1
    with here.sessions() as session:
        assert session.scalars(select(Act.log_index)).first() == 0
    assert left(here) == []


def test_sigterm_ends_a_worker_process(here: Runtime) -> None:
    env = {
        **os.environ,
        **environment_of(here.settings.data_dir),
        "BYLINE_ORIGIN": "localhost",
    }
    with transaction(here.sessions) as session:
        append(session, kind="test", subject="s", ref="r", leaf=b"leaf", now=here.clock())
    with subprocess.Popen([sys.executable, "-m", "registry.cli", "worker"], env=env) as worker:
        wait_for(lambda: numbered(here))
        for _ in range(3):  # a terminal tells all processes of a group, and a parent its child once more
            worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=60) == 0


def test_a_worker_whose_server_was_killed_ends_as_well(here: Runtime) -> None:
    env = {
        **os.environ,
        **environment_of(here.settings.data_dir),
        "BYLINE_ORIGIN": "localhost",
    }
    words = [sys.executable, "-m", "registry.cli", "worker", "--parent", "1999999"]
    assert subprocess.run(words, env=env, timeout=30, check=False).returncode == 0


def numbered(here: Runtime) -> bool:
    with here.sessions() as session:
        return session.scalars(select(Act.number)).first() is not None
