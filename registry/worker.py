"""The background: lanes of jobs, and the standing duties.

Every lane and every duty has a thread of its own, so nothing short waits behind an ingest (whose reading is done
in a fenced child process). Any number of workers may run: jobs are claimed by lease, duties are held by
`only_one`. `byline-registry worker` is two: what somebody waits for, and beside it, in a process of its own and with
less of the processor, what takes long. In one process they shared one interpreter, and notices waited for an ingest.
"""

from __future__ import annotations

import datetime as dt
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from sqlalchemy.exc import SQLAlchemyError

from byline.errors import BylineError, Refused
from registry import jobs, logs
from registry.database import only_one, presence, transaction
from registry.duties import (
    DUTIES,
    JOBS,
    LANES,
    LONG_DUTIES,
    QUICK_DUTIES,
    QUICK_LANES,
    TOGETHER,
    Do,
    DoAll,
    Duty,
)
from registry.jobs import LONG, Work
from registry.runtime import Runtime

logger = logging.getLogger(__name__)
POLL = 0.2  # seconds between two looks for work
GRACE = 20.0  # seconds a running job is given to end when the worker is asked to stop
AT_ONCE = 50  # jobs done together, of a kind that can be
GENTLE = 5  # added to the niceness of the process that does what takes long


class Worker:
    """Runs jobs and duties over one Runtime until it is asked to stop."""

    def __init__(
        self,
        runtime: Runtime,
        *,
        lanes: tuple[str, ...] = LANES,
        does: Mapping[str, Do] = JOBS,
        together: Mapping[str, DoAll] = TOGETHER,
        duties: tuple[Duty, ...] = DUTIES,
        lease: dt.timedelta = jobs.LEASE,
        rand: Callable[[], float] = random.random,
    ) -> None:
        self._here, self._lanes, self._duties = runtime, lanes, duties
        self._does, self._together = does, together
        self._lease, self._rand = lease, rand
        self._running: dict[int, Work] = {}

    def run(self, stop: threading.Event, *, grace: float = GRACE) -> bool:
        """Work until `stop`; True when everything ended, False when a job still runs and was given back.

        After False the process must end: the thread of that job goes on, but no longer owns it.
        """
        here = self._here
        with ExitStack() as stack:
            held = {lane: stack.enter_context(presence(here.engine, lane)) for lane in set(self._lanes)}
            if any(held.values()):
                alone = [lane for lane, mine in held.items() if mine]
                with transaction(here.sessions) as session:
                    jobs.lapse(session, lanes=alone, now=here.clock())
            return self._run(stop, grace)

    def _run(self, stop: threading.Event, grace: float) -> bool:
        threads = [
            threading.Thread(target=self._keep_lane, args=(lane, stop), daemon=True) for lane in self._lanes
        ]
        threads += [
            threading.Thread(target=self._keep_duty, args=(duty, stop), daemon=True) for duty in self._duties
        ]
        for thread in threads:
            thread.start()
        stop.wait()
        deadline = time.monotonic() + grace
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._give_back()
        return not any(thread.is_alive() for thread in threads)

    def run_once(self, lane: str) -> bool:
        """Do the next job of a lane; False when there is none."""
        here = self._here
        with here.sessions() as session:
            if not jobs.has_work(session, lane=lane, now=here.clock()):
                return False
        works = self._claim(lane)
        if works:
            self._do(works)
        return bool(works)

    def _claim(self, lane: str) -> list[Work]:
        """The next job, and with it what waits and can be done together with it."""
        now = self._here.clock()
        with transaction(self._here.sessions) as session:
            work = jobs.claim(session, lane=lane, now=now, lease=self._lease)
            if work is None:
                return []
            if work.kind not in self._together or work.attempts > 1:
                return [work]
            return [work, *jobs.claim_more(session, work, most=AT_ONCE - 1, now=now, lease=self._lease)]

    def settle(self) -> None:
        """Do all there is to do now, in this thread: jobs of the lanes and duties, until nothing is left."""
        while True:
            did = [self.run_once(lane) for lane in self._lanes]
            did += [self._attend(duty) for duty in self._duties]
            if not any(did):
                return

    def _do(self, works: Sequence[Work]) -> None:
        """One job, or some of one kind together."""
        self._running.update({work.id: work for work in works})
        began, now = time.monotonic(), self._here.clock()
        try:
            with self._heartbeat(works):
                self._perform(works)
        except Exception as error:  # noqa: BLE001 - whatever a job does, its lane goes on
            for work in works:
                self._failed(work, error)
        else:
            with transaction(self._here.sessions) as session:
                for work in works:
                    jobs.finish(session, work)
            self._say_done(works, began=now, seconds=time.monotonic() - began)
        finally:
            for work in works:
                self._running.pop(work.id, None)

    def _perform(self, works: Sequence[Work]) -> None:
        kind = works[0].kind
        if kind in self._together:
            self._together[kind](self._here, works)
        else:
            for work in works:
                self._does[kind](self._here, work)

    def _say_done(self, works: Sequence[Work], *, began: dt.datetime, seconds: float) -> None:
        for work in works:
            said = {"job": work.id, "kind": work.kind, "lane": work.lane, "attempt": work.attempts}
            waited = round((began - work.run_at).total_seconds(), 3)
            more = {"waited": waited, "seconds": round(seconds, 3), "together": len(works)}
            logger.info("job done", extra=said | more)

    def _failed(self, work: Work, error: Exception) -> None:
        """Again later; a Refused is the input's fault, which no second try mends.

        The log has the job's number: its key may be the id of an opt-out or of an upload, which open things.
        """
        known = isinstance(error, BylineError)
        logger.warning(
            "job %d (%s) failed (attempt %d): %s",
            work.id,
            work.kind,
            work.attempts,
            logs.named(error),
            exc_info=not known,
        )
        said = (
            f"{error.code}: {error.message}"
            if isinstance(error, BylineError)
            else f"{type(error).__name__}: {error}"
        )
        with transaction(self._here.sessions) as session:
            jobs.fail(
                session,
                work,
                now=self._here.clock(),
                error=said,
                jitter=self._rand(),
                final=isinstance(error, Refused),
                blameless=isinstance(error, BylineError) and error.code == "disk-full",
            )

    @contextmanager
    def _heartbeat(self, works: Sequence[Work]) -> Iterator[None]:
        """Extend the lease every third of it while the job runs."""
        done = threading.Event()
        thread = threading.Thread(target=self._beat, args=(works, done), daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _beat(self, works: Sequence[Work], done: threading.Event) -> None:
        ours = list(works)
        while ours and not done.wait(self._lease.total_seconds() / 3):
            try:
                with transaction(self._here.sessions) as session:
                    kept = {
                        work.id: jobs.extend(session, work, now=self._here.clock(), lease=self._lease)
                        for work in ours
                    }
            except (BylineError, SQLAlchemyError) as error:  # the next beat may come through
                logger.warning(
                    "could not extend job %d (%s): %s", ours[0].id, ours[0].kind, logs.named(error)
                )
                continue
            for work in ours:
                if not kept[work.id]:
                    logger.warning("job %d (%s) belongs to another worker now", work.id, work.kind)
            ours = [work for work in ours if kept[work.id]]

    def _keep_lane(self, lane: str, stop: threading.Event) -> None:
        self._keep(lambda: self.run_once(lane), f"lane {lane}", POLL, stop)

    def _keep_duty(self, duty: Duty, stop: threading.Event) -> None:
        self._keep(lambda: self._attend(duty), f"duty {duty.name}", duty.seconds, stop)

    def _attend(self, duty: Duty) -> bool:
        with only_one(self._here.engine, duty.name) as mine:
            return mine and duty.run(self._here)

    def _keep(self, step: Callable[[], bool], name: str, seconds: float, stop: threading.Event) -> None:
        """Repeat a step; after an error wait longer each time, up to a minute."""
        wait = seconds
        while not stop.is_set():
            try:
                again, wait = step(), seconds
            except Exception:
                logger.exception("%s failed; it will be tried again", name)
                again, wait = False, min(max(wait, 0.5) * 2, 60.0)
            if not again:
                stop.wait(wait)

    def _give_back(self) -> None:
        for work in list(self._running.values()):
            with transaction(self._here.sessions) as session:
                jobs.release(session, work, now=self._here.clock())


def worker_of(runtime: Runtime, *, lanes: tuple[str, ...], bulk: bool) -> Worker:
    """The part of the work one process does: the lanes it is told, what takes long, or all that somebody waits for."""
    if lanes:
        return Worker(runtime, lanes=lanes)
    if bulk:
        return Worker(runtime, lanes=(LONG,), duties=LONG_DUTIES)
    return Worker(runtime, lanes=QUICK_LANES, duties=QUICK_DUTIES)
