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

from benchmarks.desk import make_extract, publish
from benchmarks.photos import write_photos

ROWS = 1_000_000
MOST_RATIO, MOST_RSS_GIB = 3.0, 1.5
_KEY = "('0x' || substr(sha256('b1|' || {}), 1, 15))::BIGINT"


def main(rows: int) -> int:
    """Measure both, print both."""
    with tempfile.TemporaryDirectory(prefix="byline-bench-") as folder:
        run("make", folder, rows)
        floor, floor_rss = run("floor", folder, rows)
        ours, ours_rss = run("ours", folder, rows)
    ratio, rss = ours / floor, ours_rss / (1 << 30)
    print(f"ingest of {rows:,} records, submitted to published")
    print(
        f"  ours   {ours:6.2f} s  {rows / ours:>11,.0f} rows/s   peak RSS {rss:.2f} GiB (goal <= {MOST_RSS_GIB})"
    )
    print(
        f"  floor  {floor:6.2f} s  {rows / floor:>11,.0f} rows/s   peak RSS {floor_rss / (1 << 30):.2f} GiB (DuckDB alone)"
    )
    print(f"  ratio  {ratio:6.2f}    (goal <= {MOST_RATIO})")
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


def part(what: str, folder: Path, rows: int) -> None:
    """One of the three, in this process."""
    seconds = 0.0
    if what == "make":
        write_photos(folder / "records.parquet", rows)
        make_extract(folder)
    else:
        seconds = floor(folder) if what == "floor" else publish(folder)
    print(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    if len(sys.argv) == 4:
        part(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
    else:
        sys.exit(main(int(sys.argv[1]) if len(sys.argv) == 2 else ROWS))
