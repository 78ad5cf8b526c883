"""How many look-ups and contributor pages a second, beside a trivial Flask route on the same server: `make bench-reads`.

A million records by some 5,800 makers; every request asks about another one. The trivial route is `jsonify(status="ok")`
alone in an app, under the same granian with as many processes and threads. The client is `wrk` where there is one, else
two processes that keep their connections.
"""

from __future__ import annotations

import http.client
import multiprocessing
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import flask
from sqlalchemy import select

from benchmarks.desk import Desk, make_extract
from benchmarks.photos import write_photos
from benchmarks.search import follow
from registry.database import transaction
from registry.models import Contributor
from registry.tlog.sequence import assign_numbers

ROWS, ASKED, SECONDS, CLIENTS = 1_000_000, 2_000, 6.0, 4
LEAST = 0.5


def trivial() -> flask.Flask:
    """The app beside."""
    app = flask.Flask("trivial")

    @app.get("/")
    def ok() -> flask.Response:
        return flask.jsonify(status="ok")

    return app


def main(rows: int) -> int:
    """Measure all, print all."""
    with tempfile.TemporaryDirectory(prefix="byline-bench-") as given:
        folder = Path(given)
        kinds = questions(folder, rows)
        with served("benchmarks.reads:trivial", folder) as port:
            floor = rate(port, ["/"])
        print(f"reads of {rows:,} records, requests a second; {CLIENTS} connections")
        print(f"  {'trivial Flask route':24} {floor:9,.0f}")
        with served("api.app:create_app", folder) as port:
            for kind, paths in kinds.items():
                ours = rate(port, paths)
                print(f"  {kind:24} {ours:9,.0f}   ratio {ours / floor:.2f} (goal >= {LEAST})")
    return 0


def questions(folder: Path, rows: int) -> dict[str, list[str]]:
    """A filled registry, and the addresses to ask it for."""
    write_photos(folder / "records.parquet", rows)
    make_extract(folder)
    desk = Desk.opened(folder)
    desk.publish(folder, "photos")
    with transaction(desk.runtime.sessions) as session:
        assign_numbers(session)
    follow(desk.runtime)
    with desk.runtime.sessions() as session:
        found = session.execute(select(Contributor.key, Contributor.public_id).limit(ASKED)).all()
    desk.runtime.close()
    chance = random.Random(1)
    chance.shuffle(found)
    return {
        "look-up of a maker": [f"/v1/lookup?q={key}" for key, _ in found],
        "look-up, found nowhere": [f"/v1/lookup?q=flickr:{n}@N77" for n in range(10_000, 10_000 + ASKED)],
        "contributor": [f"/v1/contributors/{public_id}" for _, public_id in found],
        "contributor's page": [f"/makers/{public_id}" for _, public_id in found],
    }


@contextmanager
def served(app: str, folder: Path) -> Iterator[int]:
    """A granian of two processes on loopback; its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    often = "9999999/second"
    environ = os.environ | {
        "BYLINE_DATA_DIR": str(folder / "registry"), "BYLINE_ORIGIN": "localhost", "BYLINE_BUDGET_READ": often,
        "BYLINE_BUDGET_LOOKUP": often,
    }  # fmt: skip
    words = ["--interface", "wsgi", "--factory", "--no-ws", "--workers", "2", "--blocking-threads", "4"]
    command = [sys.executable, "-m", "granian", *words, "--port", str(port), app]
    server = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
        time.sleep(1)
        yield port
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def rate(port: int, paths: Sequence[str]) -> float:
    """Answers a second over SECONDS, all of them 200."""
    with multiprocessing.get_context("spawn").Pool(CLIENTS) as pool:
        pool.starmap(ask, [(port, paths[at::CLIENTS] or paths, 0.5) for at in range(CLIENTS)])
        return (
            sum(pool.starmap(ask, [(port, paths[at::CLIENTS] or paths, SECONDS) for at in range(CLIENTS)]))
            / SECONDS
        )


def ask(port: int, paths: Sequence[str], seconds: float) -> int:
    """Ask one after the other over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    until, count = time.perf_counter() + seconds, 0
    while time.perf_counter() < until:
        connection.request("GET", paths[count % len(paths)])
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"{paths[count % len(paths)]}: {answer.status}")
        count += 1
    return count


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) == 2 else ROWS))
