from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sqlalchemy import select

from registry import jobs
from registry.database import Sessions, transaction
from registry.jobs import LONG, SHORT, Work
from registry.models import Job

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
LEASE = dt.timedelta(seconds=60)
LATER = NOW + LEASE + dt.timedelta(seconds=1)


def ask(sessions: Sessions, key: str = "k", *, lane: str = SHORT, after: float = 0.0) -> None:
    with transaction(sessions) as session:
        run_at = NOW + dt.timedelta(seconds=after)
        jobs.enqueue(session, lane=lane, kind="test", key=key, payload={"key": key}, now=NOW, run_at=run_at)


def take(sessions: Sessions, *, lane: str = SHORT, now: dt.datetime = NOW) -> Work | None:
    with transaction(sessions) as session:
        return jobs.claim(session, lane=lane, now=now, lease=LEASE)


def taken(sessions: Sessions, *, now: dt.datetime = NOW) -> Work:
    work = take(sessions, now=now)
    assert work is not None
    return work


def count(sessions: Sessions) -> int:
    with sessions() as session:
        return len(session.scalars(select(Job)).all())


def test_a_job_is_claimed_once(sessions: Sessions) -> None:
    ask(sessions)
    assert taken(sessions).payload == {"key": "k"}
    assert take(sessions) is None


def test_a_rolled_back_transaction_asked_for_nothing(sessions: Sessions) -> None:
    with suppress(ValueError), transaction(sessions) as session:
        jobs.enqueue(session, lane=SHORT, kind="test", key="k", payload={}, now=NOW)
        raise ValueError
    assert count(sessions) == 0


def test_what_waits_already_is_not_asked_twice(sessions: Sessions) -> None:
    ask(sessions)
    ask(sessions)
    assert count(sessions) == 1


def test_what_is_asked_while_it_runs_runs_again_afterwards(sessions: Sessions) -> None:
    ask(sessions)
    first = taken(sessions)
    ask(sessions)
    assert take(sessions) is None, "never two of one key at a time"
    with transaction(sessions) as session:
        jobs.finish(session, first)
    assert taken(sessions).key == "k"


def test_lanes_do_not_see_each_other(sessions: Sessions) -> None:
    ask(sessions, lane=LONG)
    assert take(sessions, lane=SHORT) is None
    assert take(sessions, lane=LONG) is not None


def test_a_job_for_later_waits(sessions: Sessions) -> None:
    ask(sessions, after=10)
    assert take(sessions) is None
    assert take(sessions, now=NOW + dt.timedelta(seconds=10)) is not None


def test_who_waits_longest_is_first(sessions: Sessions) -> None:
    for key, after in (("c", 3), ("a", 1), ("b", 2)):
        ask(sessions, key, after=after)
    late = NOW + dt.timedelta(minutes=1)
    assert [taken(sessions, now=late).key for _ in range(3)] == ["a", "b", "c"]


def test_a_finished_job_is_gone(sessions: Sessions) -> None:
    ask(sessions)
    work = taken(sessions)
    with transaction(sessions) as session:
        assert jobs.finish(session, work)
    assert count(sessions) == 0


def test_a_dead_workers_job_comes_back_with_a_crash_on_its_count(sessions: Sessions) -> None:
    ask(sessions)
    assert taken(sessions).crashes == 0
    assert take(sessions, now=NOW + LEASE - dt.timedelta(seconds=1)) is None
    again = taken(sessions, now=LATER)
    assert (again.attempts, again.crashes) == (2, 1)


def test_an_extended_lease_is_kept(sessions: Sessions) -> None:
    ask(sessions)
    work = taken(sessions)
    with transaction(sessions) as session:
        assert jobs.extend(session, work, now=NOW + dt.timedelta(seconds=50), lease=LEASE)
    assert take(sessions, now=LATER) is None


@pytest.mark.parametrize("act", ["finish", "extend", "fail", "release"])
def test_who_lost_the_lease_changes_nothing(sessions: Sessions, act: str) -> None:
    ask(sessions)
    slow = taken(sessions)
    quick = taken(sessions, now=LATER)
    options = {"finish": {}, "extend": {"now": LATER}, "release": {"now": LATER}}.get(
        act, {"now": LATER, "error": "x", "jitter": 0.5}
    )
    with transaction(sessions) as session:
        assert not getattr(jobs, act)(session, slow, **options)
        assert jobs.finish(session, quick)


def test_a_failure_waits_longer_each_time(sessions: Sessions) -> None:
    ask(sessions)
    now, waits = NOW, []
    for _ in range(4):
        work = taken(sessions, now=now)
        with transaction(sessions) as session:
            jobs.fail(session, work, now=now, error="boom", jitter=0.5)
        with sessions() as session:
            run_at = session.scalars(select(Job.run_at)).one()
        waits.append((run_at - now).total_seconds())
        now = run_at
    assert waits == [2, 4, 8, 16]


@pytest.mark.parametrize(("jitter", "wait"), [(0.0, 1.0), (0.999, 2.998)])
def test_a_wait_is_spread_so_that_not_all_come_at_once(
    sessions: Sessions, jitter: float, wait: float
) -> None:
    ask(sessions)
    work = taken(sessions)
    with transaction(sessions) as session:
        jobs.fail(session, work, now=NOW, error="boom", jitter=jitter)
    with sessions() as session:
        assert (session.scalars(select(Job.run_at)).one() - NOW).total_seconds() == pytest.approx(wait)


def test_the_sixteenth_failure_is_kept_for_the_operator(sessions: Sessions) -> None:
    ask(sessions)
    now = NOW
    for _ in range(16):
        work = taken(sessions, now=now)
        with transaction(sessions) as session:
            jobs.fail(session, work, now=now, error="boom", jitter=0.5)
        now += dt.timedelta(hours=10)
    assert take(sessions, now=now) is None
    with sessions() as session:
        job = session.scalars(select(Job)).one()
        assert (job.state, job.last_error) == ("dead", "boom")
        assert jobs.waiting(session) == {"dead": 1}


def test_a_released_job_is_ready_at_once_and_without_blame(sessions: Sessions) -> None:
    ask(sessions)
    work = taken(sessions)
    with transaction(sessions) as session:
        assert jobs.release(session, work, now=NOW)
    assert taken(sessions).crashes == 0


def test_the_jobs_of_the_dead_can_be_had_at_once(sessions: Sessions) -> None:
    ask(sessions)
    taken(sessions)
    with transaction(sessions) as session:
        assert jobs.lapse(session, lanes=(SHORT,), now=NOW) == 1
    assert taken(sessions).crashes == 1


def more(sessions: Sessions, work: Work, *, most: int = 10, now: dt.datetime = NOW) -> list[str]:
    with transaction(sessions) as session:
        return [one.key for one in jobs.claim_more(session, work, most=most, now=now, lease=LEASE)]


def test_more_of_a_kind_are_taken_with_a_job_as_many_as_may_be(sessions: Sessions) -> None:
    for key in "abcd":
        ask(sessions, key)
    ask(sessions, "later", after=3600)
    ask(sessions, "elsewhere", lane=LONG)
    work = taken(sessions)
    assert (more(sessions, work, most=2), more(sessions, work)) == (["b", "c"], ["d"])


def test_what_was_tried_before_is_not_taken_with_others(sessions: Sessions) -> None:
    ask(sessions, "killed a worker")
    taken(sessions)
    ask(sessions, "new")
    ask(sessions, "other", after=0.1)
    assert (taken(sessions, now=LATER).crashes, taken(sessions, now=LATER).key) == (1, "new")
    ask(sessions, "newer")
    with transaction(sessions) as session:
        assert jobs.lapse(session, lanes=(SHORT,), now=LATER) == 2
    assert more(sessions, taken(sessions, now=LATER), now=LATER) == ["other", "newer"]


def test_racing_workers_never_get_the_same_job(sessions: Sessions) -> None:
    for n in range(40):
        ask(sessions, str(n))

    def work_off(_: int) -> list[str]:
        got = []
        with_work = True
        while with_work:
            work = take(sessions)
            with_work = work is not None
            if work is not None:
                got.append(work.key)
                with transaction(sessions) as session:
                    assert jobs.finish(session, work)
        return got

    with ThreadPoolExecutor(4) as pool:
        shares = list(pool.map(work_off, range(4)))
    # SKIP LOCKED may leave a worker empty-handed while another holds the last jobs
    keys = [key for share in shares for key in share]
    while (work := take(sessions)) is not None:
        keys.append(work.key)
        with transaction(sessions) as session:
            jobs.finish(session, work)
    assert sorted(keys, key=int) == [str(n) for n in range(40)]


def test_an_idle_look_sees_nothing_to_do(sessions: Sessions) -> None:
    with sessions() as session:
        assert not jobs.has_work(session, lane=SHORT, now=NOW)
    ask(sessions)
    with sessions() as session:
        assert jobs.has_work(session, lane=SHORT, now=NOW)
