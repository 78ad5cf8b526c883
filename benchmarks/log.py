"""The log: append to published entries a second with durable writes, POST to receipt, an audit's rate: `make bench-log`.

The limit beside it is the disk: as many create-only, fsynced files of the same sizes as the log wrote.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import insert

from byline.client.auditing.findings import Report
from byline.client.auditing.history import replay
from byline.client.copy import Folder
from byline.client.log import Log
from byline.client.signed_log import SignedLog
from byline.formats import entries
from byline.formats.checkpoint import Checkpoint
from byline.formats.merkle import leaf_hash
from registry.config import Settings
from registry.database import transaction
from registry.models import Act
from registry.runtime import Runtime, open_runtime, prepare
from registry.tlog.append import append
from registry.tlog.integrate import integrate, newest
from registry.tlog.receipts import receipt_for
from registry.tlog.sequence import assign_numbers

ONE_BY_ONE, STEADY, PER_SECOND, MANY = 2_000, 200, 20, 100_000
NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


def main() -> int:
    """Measure all, print all."""
    with tempfile.TemporaryDirectory(prefix="byline-bench-") as folder:
        settings = Settings(data_dir=Path(folder) / "registry", disk_reserve=0)
        prepare(settings)
        here = open_runtime(settings)
        rate(here, Path(folder))
        receipts(here)
        audit_rate(here, settings.data_dir / "store")
        here.close()
    return 0


def rate(here: Runtime, folder: Path) -> None:
    """One commit an entry, integrated every 256."""
    began, cpu = time.perf_counter(), time.process_time()
    for at in range(ONE_BY_ONE):
        post(here, at)
        if at % 256 == 255:
            settle(here)
    settle(here)
    took = time.perf_counter() - began
    files = 4 * (ONE_BY_ONE // 256 + 1)
    limit = fsynced(folder / "limit", files) + committed(here, ONE_BY_ONE)
    print(f"append to published, one commit an entry: {ONE_BY_ONE / took:,.0f} entries/s (goal >= 100)")
    print(f"  limit (as many commits, {files} fsynced files): {ONE_BY_ONE / limit:,.0f}/s; ratio {took / limit:.2f}; "
          f"CPU {time.process_time() - cpu:.1f} s")  # fmt: skip


def receipts(here: Runtime) -> None:
    """At 20 a second, with an integrator every 0.3 s as the worker runs it: from POST to a receipt that can be had."""
    waiting: list[tuple[float, str]] = []
    took: list[float] = []
    began = last = time.perf_counter()
    for at in range(STEADY):
        while time.perf_counter() - began < at / PER_SECOND:
            time.sleep(0.005)
        waiting.append((time.perf_counter(), post(here, ONE_BY_ONE + at)))
        if time.perf_counter() - last > 0.3:
            settle(here)
            last = time.perf_counter()
            took += [time.perf_counter() - since for since, _ in waiting]
            with here.sessions() as session:
                receipt_for(session, here.store, ref=waiting[-1][1])
            waiting.clear()
    took.sort()
    print(
        f"POST to receipt at {PER_SECOND}/s: p50 {took[len(took) // 2]:.2f} s, p99 {took[int(len(took) * 0.99)]:.2f} s (goal p99 <= 2)"
    )


def audit_rate(here: Runtime, store: Path) -> None:
    """Every entry of a log read, hashed against its tile and taken apart."""
    with transaction(here.sessions) as session:
        session.connection().execute(insert(Act), [row(ONE_BY_ONE + STEADY + at) for at in range(MANY)])
    settle(here)
    with here.sessions() as session:
        tree = newest(session, here.settings.origin)
    report, began = Report(), time.perf_counter()
    source = Folder(store)
    replay(source, SignedLog(Log(source), Checkpoint(tree.origin, tree.size, tree.root)), report)
    took = time.perf_counter() - began
    began = time.perf_counter()
    for at in range(tree.size):
        hashlib.sha256(b"\x00%d" % at).digest()
    limit = time.perf_counter() - began
    print(f"audit: {tree.size / took:,.0f} entries/s, every entry taken apart (goal 100,000)")
    print(
        f"  limit (SHA-256 alone): {tree.size / limit:,.0f}/s; ratio {took / limit:.1f}; {report.holds and 'all holds'}"
    )


def post(here: Runtime, number: int) -> str:
    """One act in a transaction of its own."""
    with transaction(here.sessions) as session:
        return feed(session, number)


def feed(session: object, number: int) -> str:
    """Append an entry."""
    digest = hashlib.sha256(b"%d" % number).hexdigest()
    leaf = entries.feed_entry(number, digest, NOW)
    append(session, kind="feed", subject=f"feed:{number}", ref=digest, leaf=leaf, now=NOW)  # type: ignore[arg-type]
    return digest


def row(number: int) -> dict[str, object]:
    """A row as `append` leaves it."""
    digest = hashlib.sha256(b"%d" % number).hexdigest()
    leaf = entries.feed_entry(number, digest, NOW)
    return {
        "kind": "feed",
        "subject": f"feed:{number}",
        "ref": digest,
        "leaf": leaf,
        "leaf_hash": leaf_hash(leaf),
        "made_at": NOW,
    }


def settle(here: Runtime) -> None:
    """Number and integrate what waits."""
    given = 1
    while given:
        with transaction(here.sessions) as session:
            given = assign_numbers(session)
    while integrate(
        here.sessions, store=here.store, log_key=here.log_key, origin=here.settings.origin, now=NOW
    ):
        pass


def fsynced(folder: Path, count: int) -> float:
    """Seconds to create so many flushed files."""
    folder.mkdir()
    began = time.perf_counter()
    for at in range(count):
        handle = os.open(folder / str(at), os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        os.write(handle, bytes(8_192))
        os.fsync(handle)
        os.close(handle)
    return time.perf_counter() - began


def committed(here: Runtime, count: int) -> float:
    """Seconds to commit one row so many times."""
    with here.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE limit_of_the_disk (at INTEGER)")
    began = time.perf_counter()
    for at in range(count):
        with here.engine.begin() as connection:
            connection.exec_driver_sql("INSERT INTO limit_of_the_disk VALUES (?)", (at,))
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
