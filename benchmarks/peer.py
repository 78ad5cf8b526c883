"""The peer, datadiligence 0.1.7, and ours over the same Parquet file and the same denied set, at 0, 20 and 80 ms a request.

Its service is not reachable from a benchmark, so a loopback server gives its answers, from memory; ours are served by the same
process. Ours runs on one core. `make bench-peer`: the peer has an environment of its own (requirements/bench.txt).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.filter import KEYS, NOW, ROWS, feed_files, write_set
from byline.client.feed import Feed, use_of
from byline.client.filter import Target, Wish, filter_files
from byline.client.sources import Source
from byline.client.state import State
from byline.client.sync import sync
from byline.client.transport import Transport

HERE = Path(__file__).parent
DELAYS = (0, 20, 80)
KEY = "SPAWNING_OPTS_KEY"


def main() -> None:
    """Both, at each delay; then the peer without a key."""
    python = sys.argv[1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data, denied = prepare(folder)
        expected = ~np.isin(np.asarray(pq.read_table(data, columns=["url"])["url"].to_pylist()), denied)
        with serving(python, folder) as address:
            for delay in DELAYS:
                httpx.post(f"{address}/delay/{delay}").raise_for_status()
                peer(python, (data, address, folder / "peer.npy"), delay, expected)
                ours(folder / f"state-{delay}", (data, address, folder / "ours.npy"), delay, expected)
            without_key(python, (data, address, folder / "none.npy"))


def prepare(folder: Path) -> tuple[Path, np.ndarray[Any, Any]]:
    """A Parquet file nobody registered, the URLs in it that are opted out, and a feed of a million keys that has them."""
    rng = np.random.default_rng(20261122)
    registered, data = folder / "set.parquet", folder / "copy.parquet"
    gone = write_set(registered, rng)
    table = pq.read_table(registered)
    denied = np.asarray(table["url"].take(pa.array(gone)).to_pylist())
    pq.write_table(table.take(rng.permutation(ROWS)), data, compression="zstd")
    (folder / "denied.txt").write_text("\n".join(denied))
    for path, content in feed_files(registered, gone, rng).items():
        name = (
            "about" if path == "/v1" else path.lstrip("/")
        )  # a folder cannot hold both /v1 and what lies below
        file = folder / "feed" / (name if path.startswith("/") else f"feed/v1/{path}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return data, denied


@contextmanager
def serving(python: str, folder: Path) -> Iterator[str]:
    """The loopback server's address."""
    command = [python, str(HERE / "peer_server.py"), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.terminate()


Where = tuple[Path, str, Path]


class Took(NamedTuple):
    """Seconds, seconds of CPU in the client's own process, peak MiB."""

    seconds: float
    cpu: float
    rss: float = 0.0

    @classmethod
    def now(cls) -> Took:
        """The clocks of this process."""
        return cls(time.perf_counter(), time.process_time())

    def since(self, begun: Took) -> Took:
        """From one to the other."""
        return Took(self.seconds - begun.seconds, self.cpu - begun.cpu)


def peer(python: str, where: Where, delay: int, expected: np.ndarray[Any, Any]) -> None:
    """Its own defaults, with a key."""
    took = run_peer(python, where, key="a key")
    assert (np.load(where[2]) == expected).all()
    show("datadiligence 0.1.7", delay, took, counted(where[1]))


def run_peer(python: str, where: Where, *, key: str) -> Took:
    """As it tells."""
    data, address, mask = where
    environ = {
        **{name: value for name, value in os.environ.items() if name != KEY},
        **({KEY: key} if key else {}),
    }
    words = [python, str(HERE / "peer_client.py"), str(data), f"{address}/api/v2/query/urls/", str(mask)]
    done = subprocess.run(words, env=environ, capture_output=True, text=True, check=True)
    seconds, cpu, rss = done.stdout.splitlines()[-1].split()
    return Took(float(seconds), float(cpu), float(rss))


def ours(folder: Path, where: Where, delay: int, expected: np.ndarray[Any, Any]) -> None:
    """Sync from nothing and filter; then filter again."""
    data, address, mask = where
    begun = Took.now()
    state = State(folder, make=True)
    with Transport(address) as transport:
        sync(transport, state, now=lambda: NOW)
    moved, synced = counted(address), Took.now()
    feed = Feed.open(folder, now=NOW)
    source, wish = Source(str(data), data.name), Wish(use=use_of(None))
    report = filter_files([source], feed, wish, target=Target(mask=mask))
    done = Took.now()
    assert report["files"][0]["tier"] == "key"
    assert (np.load(mask) == expected).all()
    show("byline, sync and filter", delay, done.since(begun), moved)
    show("byline, the feed synced before", delay, done.since(synced), counted(address))


def without_key(python: str, where: Where) -> None:
    """What becomes of opted-out rows where nobody set a key; ours where nobody synced."""
    run_peer(python, where, key="")
    kept = int(np.load(where[2]).sum())
    print(
        f"datadiligence without a key: {kept:,} of {ROWS:,} rows allowed, {counted(where[1])['requests']} requests"
    )
    words = [
        str(Path(sys.executable).with_name("byline")),
        "filter",
        str(where[0]),
        "--report-only",
        "--state",
        "/nonexistent",
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    print(f"byline without a feed: exit {done.returncode}, {done.stderr.strip().splitlines()[0]}")


def counted(address: str) -> dict[str, int]:
    """What the server moved since it was asked last."""
    found: dict[str, int] = httpx.get(f"{address}/counted").json()
    return found


def show(name: str, delay: int, took: Took, moved: dict[str, int]) -> None:
    """A line of the table."""
    memory = f", {took.rss:,.0f} MiB" if took.rss else ""
    print(
        f"{delay:>3} ms  {name:<31} {took.seconds:6.2f} s ({took.cpu:5.2f} s of CPU)  {ROWS / took.seconds / 1e6:5.2f} M rows/s  "
        f"{moved['bytes'] / 1e6:6.1f} MB in {moved['requests']} requests, {moved['rows']:,} rows disclosed{memory}",
        flush=True,
    )


if __name__ == "__main__":
    print(f"{ROWS:,} rows, {KEYS:,} keys, {os.cpu_count()} cores")
    main()
