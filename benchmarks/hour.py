"""Opt-outs at the pace of 10,000 an hour, beside searches and the ingest of a million rows: `make bench-hour`.

One small machine as `byline-registry serve` sets it up: SQLite, a folder, one worker. Every opt-out is a POST of its own to the
running server; it counts as answered when its first notice stands. Afterwards each must be in force, in the log and
noticed. Searches are asked five times a second, first with nothing else going on. One opt-out
goes before all others. `python -m benchmarks.hour SECONDS` (3600 for the whole hour).
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path

import httpx
from sqlalchemy import func, select

from benchmarks.desk import Desk, make_extract, submit_extract
from benchmarks.photos import SEED, write_photos
from benchmarks.search import follow
from registry.contributors import claim as claims
from registry.database import LONG_WRITE, transaction
from registry.models import Act, Contributor, Notice, OptOut, Submission
from registry.optouts.match import OF_OPT_OUT
from registry.runtime import Runtime
from registry.tlog.sequence import assign_numbers

SECONDS, AN_HOUR, SEARCHES, IDLE, WARM = 600, 10_000, 5.0, 20, 5
STANDING, COMING, MAKERS = 1_000_000, 1_000_000, 12_000
MOST_NOTICE, MOST_SEARCH = 2.0, 2.0
_OFTEN = {f"BYLINE_BUDGET_{name}": "999999/minute" for name in ("READ", "LOOKUP", "WRITE")}
_LOG = {"BYLINE_LOG": "json"}
_PUBLIC = {
    "BYLINE_FEED_INTERVAL": "1d"
}  # as a public registry builds it; a private one builds it at every change


@dataclass
class Told:
    """What was asked when, and how long answers took, in seconds."""

    asked: dict[str, float] = field(default_factory=dict)
    noticed: list[float] = field(default_factory=list)
    posts: list[float] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    refused: int = 0


def main(seconds: int) -> int:
    """Fill a registry, serve it, ask it, print."""
    with tempfile.TemporaryDirectory(prefix="byline-bench-") as given:
        folder, told = Path(given), Told()
        desk, [first, *wishes] = filled(folder, 1 + seconds * AN_HOUR // 3600)
        with served(folder / "registry") as url:
            opt_out(url, [first], Told())  # the first of a process loads libraries
            time.sleep(WARM)
            search(url, told.idle, until=time.monotonic() + IDLE)
            ingested = burden(desk, url, wishes, told)
        lost = missing(desk.runtime, told)
        desk.runtime.close()
        tail = explained(folder / "registry" / "serve.log")
    print(
        f"{len(told.asked):,} opt-outs in {seconds} s, {AN_HOUR:,} an hour; {told.refused} refused, {lost} lost"
    )
    print(f"  POST answered               {spread(told.posts)}")
    print(f"  its notices made            {spread(told.noticed)}   goal {MOST_NOTICE} s")
    print(f"  a search, nothing else on   {spread(told.idle)}")
    print(f"  a search meanwhile          {spread(told.busy)}   goal p99 {MOST_SEARCH} times as long")
    print(f"  {COMING:,} rows submitted to published meanwhile: {ingested:.0f} s")
    print("\n".join(tail))
    return 1 if lost or told.refused else 0


def filled(folder: Path, count: int) -> tuple[Desk, list[dict[str, str]]]:
    """A registry with one dataset and confirmed claims to so many of its makers; another dataset that waits to be sent."""
    names = [f"Photographer {number}" for number in range(MAKERS)]
    for name, rows, seed in (("standing", STANDING, SEED), ("coming", COMING, SEED + 1)):
        (folder / name).mkdir()
        write_photos(folder / name / "records.parquet", rows, names, seed=seed)
        make_extract(folder / name)
    desk = Desk.opened(folder)
    desk.publish(folder / "standing", "standing")
    with transaction(desk.runtime.sessions) as session:
        assign_numbers(session)
    follow(desk.runtime)
    with desk.runtime.sessions() as session:
        keys = session.scalars(select(Contributor.key).order_by(Contributor.key).limit(count)).all()
    return desk, [claimed(desk.runtime, key) for key in keys]


def claimed(runtime: Runtime, key: str) -> dict[str, str]:
    """A claim to a maker, confirmed by the operator."""
    now = runtime.clock()
    with transaction(runtime.sessions) as session:
        made = claims.make_claim(
            session, seal=runtime.seal, now=now, token_bytes=secrets.token_bytes, identity=key,
            email=f"{secrets.token_hex(8)}@example.org",
        )  # fmt: skip
        claims.confirm(session, claim_id=made["id"], who="bench", why="bench", now=now)
    return {"id": made["id"], "token": made["token"]}


def burden(desk: Desk, url: str, wishes: Sequence[dict[str, str]], told: Told) -> float:
    """Everything at once; seconds from the second dataset's last byte to published."""
    done = threading.Event()
    asking: list[Callable[[], None]] = [
        lambda: search(url, told.busy, until=None, done=done),
        lambda: watch(desk.runtime, told, done),
    ]
    threads = [threading.Thread(target=one) for one in asking]
    for thread in threads:
        thread.start()
    sending = threading.Thread(target=lambda: opt_out(url, wishes, told))
    sending.start()
    folder = desk.runtime.settings.data_dir.parent / "coming"
    submission, began = (
        submit_extract(desk.runtime, desk.manifest(folder, "coming"), folder / "extract.parquet"),
        time.monotonic(),
    )
    while state_of(desk.runtime, submission) not in {"published", "refused"}:
        time.sleep(0.2)
    took = time.monotonic() - began
    sending.join()
    deadline = time.monotonic() + 120
    while len(told.noticed) < len(told.asked) and time.monotonic() < deadline:
        time.sleep(0.2)
    done.set()
    for thread in threads:
        thread.join()
    if state_of(desk.runtime, submission) != "published":
        raise SystemExit("the second dataset was refused")
    return took


def opt_out(url: str, wishes: Sequence[dict[str, str]], told: Told) -> None:
    """One after another at the pace."""
    began = time.monotonic()
    with httpx.Client(base_url=url, timeout=60) as client:
        for at, claim in enumerate(wishes):
            time.sleep(max(0.0, began + at * 3600 / AN_HOUR - time.monotonic()))
            since = time.monotonic()
            answer = client.post("/v1/opt-outs", json={"claims": [claim], "relation": "maker"})
            told.posts.append(time.monotonic() - since)
            if answer.is_success:
                told.asked[answer.json()["id"]] = time.monotonic()
            else:
                told.refused += 1


def search(url: str, took: list[float], *, until: float | None, done: threading.Event | None = None) -> None:
    """Names of makers, five times a second."""
    with httpx.Client(base_url=url, timeout=60) as client:
        for at in range(sys.maxsize):
            since = time.monotonic()
            if (until and since >= until) or (done and done.is_set()):
                return
            client.get("/v1/search", params={"q": f"Photographer {at * 7919 % MAKERS}"}).raise_for_status()
            took.append(time.monotonic() - since)
            time.sleep(max(0.0, 1 / SEARCHES - took[-1]))


def watch(runtime: Runtime, told: Told, done: threading.Event) -> None:
    """When each opt-out's first notice stands, looked at ten times a second."""
    seen: set[str] = set()
    while not done.is_set():
        waiting = [one for one in list(told.asked) if one not in seen]
        if waiting:
            with runtime.sessions() as session:
                found = session.scalars(
                    select(Notice.opt_out_id).where(Notice.opt_out_id.in_(waiting)).distinct()
                ).all()
            now = time.monotonic()
            told.noticed += [now - told.asked[one] for one in found]
            seen.update(found)
        time.sleep(0.1)


def explained(log: Path) -> list[str]:
    """What notices waited for, as the worker's log has it: lines to print."""
    said = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
    matched = [one for one in said if one["message"] == "job done" and one["kind"] == OF_OPT_OUT][1:]
    writes = sorted((one["write"] for one in said if one["message"] == "long write"), key=itemgetter("held"))
    together = max(one["together"] for one in matched)
    return [
        f"  of that waited to be begun  {spread([one['waited'] for one in matched])}",
        f"  of that matched             {spread([one['seconds'] for one in matched])}, up to {together} at once",
        f"  writes that held SQLite's lock for more than {LONG_WRITE} s: {len(writes)}",
        *(f"    {one['held']:.2f} s in {one['module']}.{one['function']}" for one in reversed(writes[-3:])),
    ]


def missing(runtime: Runtime, told: Told) -> int:
    """How many of those that were answered are not in force, not in the log, or without a notice."""
    kept: set[str] = set(told.asked)
    with runtime.sessions() as session:
        standing = session.execute(
            select(OptOut.id, OptOut.commitment).where(OptOut.state == "in-force")
        ).all()
        noticed = set(session.scalars(select(Notice.opt_out_id).distinct()))
        logged = set(session.scalars(select(Act.ref).where(Act.kind == "opt-out")))
        if not session.scalar(select(func.count()).select_from(Act)):
            raise SystemExit("the log is empty")
    whole = {one.id for one in standing if one.id in noticed and one.commitment in logged}
    return len(kept - whole)


def state_of(runtime: Runtime, submission: str) -> str:
    """Of a submission."""
    with runtime.sessions() as session:
        return session.get_one(Submission, submission).state


@contextmanager
def served(data: Path) -> Iterator[str]:
    """`byline-registry serve` of a folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    tool = str(Path(sys.executable).with_name("byline-registry"))
    environment = (
        os.environ | _OFTEN | _PUBLIC | {"BYLINE_DATA_DIR": str(data), "BYLINE_DISK_RESERVE": "0"} | _LOG
    )
    url = f"http://127.0.0.1:{port}"
    with (data / "serve.log").open("wb") as log:
        subprocess.run([tool, "init"], env=environment, stdout=log, stderr=log, check=True)
        process = subprocess.Popen(
            [tool, "serve", "--port", str(port)], env=environment, stdout=log, stderr=log
        )
        try:
            for _ in range(600):
                try:
                    if httpx.get(f"{url}/v1", timeout=5).is_success:
                        break
                except httpx.HTTPError:
                    time.sleep(0.1)
            yield url
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def spread(took: list[float]) -> str:
    """Median, p99 and longest, in milliseconds."""
    found = sorted(took)
    at = [found[int(len(found) * share)] for share in (0.5, 0.99)] + [found[-1]]
    return "p50 {:7.0f}  p99 {:7.0f}  longest {:7.0f} ms".format(*(1000 * one for one in at))


if __name__ == "__main__":
    sys.exit(main(*(int(one) for one in sys.argv[1:]) if sys.argv[1:] else (SECONDS,)))
