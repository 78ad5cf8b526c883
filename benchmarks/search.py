"""Finding a maker among 100,000 (or COUNT), beside SQLite FTS5 and tantivy on the same documents: `make bench-search`.

Ours is measured three times: `GET /v1/search` over HTTP on loopback, the same
call in process (engine, records and datasets from SQL), and the engine alone. The peers give ids and no more.
"""

from __future__ import annotations

import gc
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import httpx
from sqlalchemy import func, select

from benchmarks.names import fill, number, served
from benchmarks.peers import Ask, fts5, tantivy_index
from benchmarks.people import Person, Question, people, questions
from registry.config import Settings
from registry.contributors import find, indexing
from registry.models import Contributor
from registry.runtime import Runtime, open_runtime, prepare

T = TypeVar("T")
COUNT, ASKED, MORE = 100_000, 1_000, 1_000
MOST_P99_MS, LEAST = 25.0, {"one typo": 0.95, "variant": 0.9}


def main(count: int) -> int:
    """Measure all, print all."""
    found, source = people(count + MORE)
    found, more = found[:count], found[count:]
    with tempfile.TemporaryDirectory(prefix="byline-bench-") as folder:
        data = Path(folder) / "registry"
        runtime = filled(data, found)
        print(f"search among {len(found):,} contributors ({source}), {ASKED:,} questions a kind")
        timed(f"indexed ({len(found):,})", lambda: follow(runtime), len(found))
        peers = {
            "FTS5": timed("FTS5 indexed", lambda: fts5(Path(folder) / "fts.sqlite", found)),
            "tantivy": timed("tantivy indexed", lambda: tantivy_index(Path(folder) / "tantivy", found)),
        }
        print(f"  index {size(data / 'search') / 1e6:,.0f} MB; peak RSS {rss():.2f} GiB")
        gc.freeze()
        print(
            f"  {'p50 / p99 ms, recall':14}  {'over HTTP':>22} {'in process':>14} {'engine alone':>14}",
            end="",
        )
        print("".join(f" {name:>21}" for name in peers) + "   ratio of p99, HTTP to FTS5")
        with served(data) as client:
            for kind, asked in questions(found, ASKED).items():
                report(kind, asked, ways(runtime, client), peers)
        merged(runtime)
        fill(runtime.sessions, more, manifest=2)
        timed(f"a commit of {len(more):,} more", lambda: follow(runtime), len(more))
        runtime.close()
    print(f"  peak RSS {rss():.2f} GiB")
    return 0


def report(kind: str, asked: list[Question], ours: dict[str, Ask], peers: dict[str, dict[str, Ask]]) -> None:
    """One line: each way to ask ours, each peer, the ratio."""
    if not asked:
        print(f"  {kind:14} none to ask")
        return
    http, inside, alone = (measure(asked, ours[way]) for way in ("http", "process", "engine"))
    best = [measure(asked, peer[asked_as(kind)]) for peer in peers.values()]
    goals = f"goal p99 <= {MOST_P99_MS:g}" + (f", recall >= {LEAST[kind]}" if kind in LEAST else "")
    print(f"  {kind:14} ", *(f"{one[0]:7.2f} {one[1]:7.2f} {one[2]:.3f}" for one in (http,)), end="")
    print("".join(f" {one[0]:6.2f} {one[1]:7.2f}" for one in (inside, alone)), end="")
    print("".join(f" {one[0]:7.2f} {one[1]:7.2f} {one[2]:.3f}" for one in best), end="")
    print(f"   {http[1] / best[0][1]:6.1f}  ({goals})")


def ways(runtime: Runtime, client: httpx.Client) -> dict[str, Ask]:
    """The three ways to ask ours."""

    def http(text: str) -> list[int]:
        answer = client.get("/v1/search", params={"q": text, "limit": 10})
        answer.raise_for_status()
        return [number(item["contributor"]["platform_id"]) for item in answer.json()["items"]]

    return {"http": http, **ways_inside(runtime)}


def ways_inside(runtime: Runtime) -> dict[str, Ask]:
    """The two without HTTP: the whole answer, and the engine alone."""

    def process(text: str) -> list[int]:
        with runtime.sessions() as session:
            page = find.search(session, runtime.search, text, limit=10)["items"]
        return [number(item["contributor"]["platform_id"]) for item in page]

    def engine(text: str) -> list[int]:
        return [hit.id - 1 for hit in runtime.search.search(text).hits[:10]]

    return {"process": process, "engine": engine}


def asked_as(kind: str) -> str:
    """Which of a peer's queries."""
    return {"prefix": "begun", "one typo": "near", "variant": "near", "unseen variant": "near"}.get(
        kind, "words"
    )


def measure(asked: list[Question], ask: Ask) -> tuple[float, float, float]:
    """p50 and p99 in ms, and recall among the first ten."""
    for question in asked[:20]:
        ask(question.text)
    times, hits = [], 0
    for question in asked:
        began = time.perf_counter()
        answer = ask(question.text)
        times.append((time.perf_counter() - began) * 1000)
        hits += question.wanted in answer
    times.sort()
    return times[len(times) // 2], times[int(len(times) * 0.99)], hits / len(asked)


def filled(data: Path, found: list[Person]) -> Runtime:
    """A registry whose tables hold one manifest of all these names."""
    settings = Settings(data_dir=data, disk_reserve=0)
    prepare(settings)
    runtime = open_runtime(settings)
    fill(runtime.sessions, found)
    return runtime


def follow(runtime: Runtime) -> None:
    """Bring the index up to date."""
    while indexing.follow(runtime.sessions, runtime.search):
        pass


def timed(what: str, work: Callable[[], T], count: int = 0) -> T:
    """Do it, and say how long it took."""
    began = time.perf_counter()
    result = work()
    took = time.perf_counter() - began
    print(f"  {what}: {took:.2f} s" + (f", {count / took:,.0f} a second" if count else ""))
    return result


def merged(runtime: Runtime) -> None:
    """No two platform ids are one contributor."""
    with runtime.sessions() as session:
        together = session.scalar(select(func.count()).where(Contributor.root_id != Contributor.id))
    print(f"  platform ids merged: {together} (goal 0)")


def size(folder: Path) -> int:
    """Bytes below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def rss() -> float:
    """Peak RSS of this process in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) == 2 else COUNT))
