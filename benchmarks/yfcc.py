"""The size of YFCC100M: 99,206,564 records by 581,099 makers, published, then searched: `python -m benchmarks.yfcc FOLDER`.

Synthetic, with that set's counts and its photos per maker. It takes about 40 GB of disk in FOLDER, which is left as it is
for looking further. ROWS and MAKERS may be given after it, for a smaller try. Each part runs in a process of its own; RSS is
the sum over it and its children.
"""

from __future__ import annotations

import json
import secrets
import sys
import threading
import time
from itertools import cycle
from pathlib import Path

from sqlalchemy import func, select

from benchmarks.desk import Desk, make_extract
from benchmarks.hour import claimed
from benchmarks.ingest import floor, run
from benchmarks.people import Person, people, questions
from benchmarks.photos import SEED, write_photos
from benchmarks.search import follow, measure, size, ways_inside
from registry.config import Settings
from registry.database import transaction
from registry.models import Contributor, Notice
from registry.optouts.match import match_opt_out
from registry.optouts.request import make_opt_out
from registry.runtime import Runtime, open_runtime
from registry.tlog.sequence import assign_numbers

ROWS, MAKERS = 99_206_564, 581_099
ASKED = 300
FEW, PAUSE = 100_000, 5.0
_GIB = 1 << 30


def main(folder: Path, rows: int, makers: int) -> int:
    """Make, publish, index, search; print each."""
    print(f"{rows:,} records by {makers:,} makers", flush=True)
    for what in ("make", "extract", "floor", "publish", "index", "search"):
        seconds, rss = run(what, str(folder), rows, makers, module="benchmarks.yfcc")
        print(
            f"  {what:8} {seconds:8.1f} s  {rows / seconds:>11,.0f} rows/s  peak RSS {rss / _GIB:.2f} GiB",
            flush=True,
        )
    registry = folder / "registry"
    files = {"records.parquet": folder / "records.parquet", "extract.parquet": folder / "extract.parquet"}
    parts = {**files, **{path.name: path for path in sorted(registry.iterdir())}}
    print("  on disk, GB: " + ", ".join(f"{name} {_bytes(path) / 1e9:.2f}" for name, path in parts.items()))
    return 0


def part(what: str, folder: Path, rows: int, makers: int) -> float:
    """One of them, in this process; its seconds."""
    began = time.perf_counter()
    if what == "make":
        folder.mkdir(parents=True, exist_ok=True)
        write_photos(folder / "records.parquet", rows, [one.names[0] for one in _people(makers)])
    elif what == "extract":
        make_extract(folder)
    elif what == "floor":
        return floor(folder)
    elif what == "publish":
        return _publish(folder)
    else:
        _after(what, folder, makers)
    return time.perf_counter() - began


def _publish(folder: Path) -> float:
    """Publish it, and meanwhile opt makers of a small dataset out, one every few seconds, as another lane does."""
    desk, few = Desk.opened(folder), folder / "few"
    few.mkdir(exist_ok=True)
    write_photos(few / "records.parquet", FEW, seed=SEED + 1)
    make_extract(few)
    desk.publish(few, "few")
    with desk.runtime.sessions() as session:
        keys = session.scalars(select(Contributor.key).order_by(Contributor.key)).all()
    done, took = threading.Event(), list[float]()

    def opt_out() -> None:
        for key in cycle(keys):
            if done.wait(PAUSE):
                return
            took.append(_answered(desk.runtime, key))

    beside = threading.Thread(target=opt_out)
    beside.start()
    try:
        return desk.publish(folder, "photos")
    finally:
        done.set()
        beside.join()
        desk.runtime.close()
        print(
            "    of it " + ", ".join(f"{step} {seconds:.0f} s" for step, seconds in desk.steps.items()),
            file=sys.stderr,
        )
        print(
            f"    {len(took)} opt-outs meanwhile, from the request to the last notice: median {sorted(took)[len(took) // 2]:.2f} s, "
            f"longest {max(took):.2f} s",
            file=sys.stderr,
        )


def _answered(runtime: Runtime, key: str) -> float:
    """Opt a maker out; seconds until its notices stand."""
    claim, now = claimed(runtime, key), runtime.clock()
    began = time.perf_counter()
    with transaction(runtime.sessions) as session:
        made = make_opt_out(
            session, seal=runtime.seal, settings=runtime.settings, now=now, token_bytes=secrets.token_bytes,
            claims=[claim],
        )  # fmt: skip
    match_opt_out(runtime.sessions, items=runtime.items, store=runtime.store, opt_out_id=made["id"], now=now)
    took = time.perf_counter() - began
    with runtime.sessions() as session:
        if not session.scalar(select(func.count()).where(Notice.opt_out_id == made["id"])):
            raise SystemExit("an opt-out was not answered")
    return took


def _after(what: str, folder: Path, makers: int) -> None:
    """Index the makers; or ask for some of them."""
    runtime = open_runtime(Settings(data_dir=folder / "registry", disk_reserve=0))
    try:
        if what == "index":
            with transaction(runtime.sessions) as session:
                assign_numbers(session)
            follow(runtime)
            return
        asked = questions(_people(makers), ASKED)
        for kind in ("exact", "folded", "one typo", "prefix"):
            p50, p99, recall = measure(asked[kind], ways_inside(runtime)["process"])
            print(
                f"    search, {kind:9} p50 {p50:6.2f} ms  p99 {p99:6.2f} ms  recall@10 {recall:.3f}",
                file=sys.stderr,
            )
    finally:
        runtime.close()


def _people(makers: int) -> list[Person]:
    """Each with the one name that the records give."""
    return [Person(one.number, one.names[:1]) for one in people(makers)[0]]


def _bytes(path: Path) -> int:
    return size(path) if path.is_dir() else path.stat().st_size


if __name__ == "__main__":
    if sys.argv[1] in {"make", "extract", "floor", "publish", "index", "search"}:
        where, *counts = sys.argv[2:]
        print(json.dumps({"seconds": part(sys.argv[1], Path(where), *map(int, counts))}))
    else:
        where, *counts = sys.argv[1:]
        sys.exit(main(Path(where), *map(int, counts or (str(ROWS), str(MAKERS)))))
