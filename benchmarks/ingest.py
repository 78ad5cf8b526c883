"""From submitted to published, beside what DuckDB alone needs for the heart of it: `make bench-ingest`.

Floor: DuckDB reads the same Parquet, makes two SHA-256 keys a row, sorts by maker and writes Parquet. Ours is the whole
flow: the signed manifest accepted, the extract sent and checked (bounds, order, UTF-8, canonical digest), selectors of
every row, the record index, item keys, makers with counts and names, links, the log's act, matching, published. Each runs in a
process of its own; RSS is the sum over a process and its children, looked at every 20 ms.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import psutil
from sqlalchemy import insert

from benchmarks.desk import make_extract, publish
from benchmarks.photos import write_photos
from registry.config import Settings
from registry.database import make_items_engine
from registry.models import item_key
from registry.runtime import prepare

ROWS, KEYS = 1_000_000, 20_000_000
STANDING, PIECE = "standing", 100_000
MOST_RATIO, MOST_RSS_GIB = 3.0, 1.5
_KEY = "('0x' || substr(sha256('b1|' || {}), 1, 15))::BIGINT"


def main(rows: int, standing: int) -> int:
    """Measure both, print both; then ours once more where `standing` item keys are already."""
    with tempfile.TemporaryDirectory(prefix="byline-bench-") as folder:
        run("make", folder, rows)
        floor, floor_rss = run("floor", folder, rows)
        ours, ours_rss = run("ours", folder, rows)
        run("keys", folder, standing)
        later, later_rss = run("ours", folder, rows, standing)
    ratio, rss = ours / floor, ours_rss / (1 << 30)
    print(f"ingest of {rows:,} records, submitted to published")
    print(
        f"  ours   {ours:6.2f} s  {rows / ours:>11,.0f} rows/s   peak RSS {rss:.2f} GiB (goal <= {MOST_RSS_GIB})"
    )
    print(
        f"  floor  {floor:6.2f} s  {rows / floor:>11,.0f} rows/s   peak RSS {floor_rss / (1 << 30):.2f} GiB (DuckDB alone)"
    )
    print(f"  ratio  {ratio:6.2f}    (goal <= {MOST_RATIO})")
    print(
        f"  {standing:,} keys standing: {later:.2f} s, {later / ours:.2f} times as long, "
        f"peak RSS {later_rss / (1 << 30):.2f} GiB"
    )
    return 0


def run(what: str, folder: str, *counts: int, module: str = "benchmarks.ingest") -> tuple[float, int]:
    """Run one part in a process of its own: its own seconds, and the peak RSS of it and its children."""
    command = [sys.executable, "-m", module, what, folder, *map(str, counts)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    peak, watched = 0, psutil.Process(process.pid)
    while process.poll() is None:
        peak = max(peak, memory(watched))
        time.sleep(0.02)
    said = process.communicate()[0]
    if process.returncode != 0:
        raise SystemExit(f"{what} failed")
    return float(json.loads(said.splitlines()[-1])["seconds"]), peak


def memory(process: psutil.Process) -> int:
    """RSS of a process and all below it."""
    total = 0
    try:
        for one in (process, *process.children(recursive=True)):
            total += one.memory_info().rss
    except psutil.NoSuchProcess:
        return 0
    return total


def floor(folder: Path) -> float:
    """DuckDB alone; with 512 MiB it cannot sort a hundred million rows."""
    began = time.perf_counter()
    with duckdb.connect(
        config={"threads": "2", "memory_limit": "2GiB", "preserve_insertion_order": "false"}
    ) as connection:
        connection.execute(f"SET temp_directory = '{folder / 'spill'}'")
        connection.execute(
            f"COPY (SELECT *, {_KEY.format('landing_url')} AS k1, {_KEY.format('url')} AS k2 "
            f"FROM read_parquet('{folder / 'records.parquet'}') ORDER BY creator_url) "
            f"TO '{folder / 'floor.parquet'}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 8192)"
        )
    return time.perf_counter() - began


def stand(folder: Path, count: int) -> None:
    """A registry where so many items are known: keys spread evenly, as fingerprints are, of one earlier version."""
    settings = Settings(data_dir=folder / STANDING, disk_reserve=0)
    prepare(settings)
    engine = make_items_engine(settings.items_url)
    step = (1 << 60) // max(count, 1)
    for at in range(0, count, PIECE):
        keys = [
            {"k": n * step + 1, "manifest_id": 1 << 40, "position": n}
            for n in range(at, min(at + PIECE, count))
        ]
        with engine.begin() as connection:
            connection.execute(insert(item_key), keys)
    engine.dispose()


def part(what: str, folder: Path, rows: int, standing: int = 0) -> None:
    """One of them, in this process."""
    seconds = 0.0
    if what == "make":
        write_photos(folder / "records.parquet", rows)
        make_extract(folder)
    elif what == "keys":
        stand(folder, rows)
    elif what == "floor":
        seconds = floor(folder)
    else:
        seconds = publish(folder, home=STANDING if standing else "registry")
    print(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    if len(sys.argv) > 3:
        part(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:]))
    else:
        given = [int(word) for word in sys.argv[1:]]
        sys.exit(main(*(given + [ROWS, KEYS][len(given) :])))
