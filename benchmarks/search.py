"""Finding a maker among 100,000, beside SQLite FTS5 on the same documents: `make bench-search`.

Ours is the whole of `GET /v1/search` (engine, records and datasets from SQL) and, apart, the engine alone. The floor is
what FTS5 does best with each kind of question: words that are all there (unicode61, accents removed) for exact,
folded, begun and handle; trigrams in any order, best 10 by bm25, for typos and variants. The floor gives ids and no more.
"""

from __future__ import annotations

import datetime as dt
import gc
import re
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy import insert

from benchmarks.people import Person, Question, people, questions
from byline.formats.selectors import public_id
from registry.contributors import find, indexing
from registry.database import Sessions, make_engine, make_sessions, transaction
from registry.models import (
    Act,
    Base,
    Contributor,
    ContributorCount,
    ContributorName,
    Dataset,
    Manifest,
    Publisher,
)
from registry.tlog.sequence import assign_numbers
from search.whoosh_engine import WhooshEngine

COUNT, ASKED = 100_000, 1_000
MOST_P99_MS, LEAST = 25.0, {"one typo": 0.95, "variant": 0.9}
NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
Ask = Callable[[str], Sequence[int]]


def main(count: int) -> int:
    """Measure both, print both."""
    found, source = people(count)
    with tempfile.TemporaryDirectory(prefix="byline-bench-") as folder:
        sessions, engine, seconds = ours(Path(folder), found)
        print(f"search among {len(found):,} contributors ({source}), {ASKED:,} questions a kind")
        print(f"  indexed in {seconds:.1f} s: {len(found) / seconds:,.0f} a second; peak RSS {rss():.2f} GiB")
        began = time.perf_counter()
        floor = fts(Path(folder) / "fts.sqlite", found)
        print(f"  FTS5 indexed in {time.perf_counter() - began:.1f} s (words and trigrams)")
        print(
            f"  {'':14} {'p50':>7} {'p99':>7} {'recall':>7}   {'engine alone':>15}   {'FTS5 p50':>8} {'p99':>7} {'recall':>7}   ratio"
        )
        gc.freeze()
        for kind, asked in questions(found, ASKED).items():
            report(kind, asked, sessions, engine, floor)
        merged(sessions)
        engine.close()
    print(f"  peak RSS {rss():.2f} GiB")
    return 0


def report(
    kind: str, asked: list[Question], sessions: Sessions, engine: WhooshEngine, floor: dict[str, Ask]
) -> None:
    """One line: ours, the floor, and how many times as long ours takes (p99)."""
    if not asked:
        print(f"  {kind:14} none to ask")
        return
    with sessions() as session:
        keys = {}

        def answered(text: str) -> list[int]:
            page = find.search(session, engine, text, limit=10)["items"]
            return [
                keys.setdefault(
                    item["contributor"]["platform_id"], number(item["contributor"]["platform_id"])
                )
                for item in page
            ]

        whole = measure(asked, answered)
    alone = measure(asked, lambda text: [hit.id - 1 for hit in engine.search(text).hits[:10]])
    best = measure(
        asked, floor["near" if kind in {"one typo", "variant", "unseen variant"} else kind_of(kind)]
    )
    goals = f"goal p99 <= {MOST_P99_MS:g}" + (f", recall >= {LEAST[kind]}" if kind in LEAST else "")
    print(
        f"  {kind:14} {whole[0]:7.2f} {whole[1]:7.2f} {whole[2]:7.3f}   {alone[0]:7.2f} {alone[1]:7.2f}   "
        f"{best[0]:8.2f} {best[1]:7.2f} {best[2]:7.3f}   {whole[1] / best[1]:5.1f}   ({goals})"
    )


def kind_of(kind: str) -> str:
    """Which FTS5 query."""
    return "begun" if kind == "prefix" else "words"


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


def ours(folder: Path, found: list[Person]) -> tuple[Sessions, WhooshEngine, float]:
    """Tables as a publication leaves them, and an index that has followed them; the seconds that took."""
    sessions = make_sessions(make_engine(f"sqlite:///{folder / 'byline.sqlite'}"))
    with sessions() as session:
        Base.metadata.create_all(session.get_bind())
    fill(sessions, found)
    engine = WhooshEngine(folder / "search")
    began = time.perf_counter()
    while indexing.follow(sessions, engine):
        pass
    return sessions, engine, time.perf_counter() - began


def fill(sessions: Sessions, found: list[Person]) -> None:
    """One published manifest that names them all."""
    with transaction(sessions) as session:
        session.add(Publisher(id=1, slug="bench", name="Bench", approved=True, registered_at=NOW))
        session.flush()
        session.add(Dataset(id=1, publisher_id=1, name="names", created_at=NOW))
        session.flush()
        session.add(
            Manifest(
                id=1, dataset_id=1, version="1", digest="0" * 64, key_id="0" * 64, state="published", role="holder", format="csv",
                records=len(found), rows=len(found), contributors=len(found), purposes=["other"], access="open", annotations=[],
                consent={}, licenses={}, platforms={}, made_at=NOW, published_at=NOW,
            )
        )  # fmt: skip
        session.add(Act(kind="published", subject="bench/names@1", ref="0" * 64, made_at=NOW))
        session.flush()
        for at in range(0, len(found), 5_000):
            fill_some(session.connection(), found[at : at + 5_000])
        assign_numbers(session)


def fill_some(connection: object, some: list[Person]) -> None:
    """Contributors, their counts and names."""
    run = connection.execute  # type: ignore[attr-defined]
    keys = {person.number: f"flickr:{person.nsid}" for person in some}
    run(insert(Contributor), [
        {"id": at + 1, "key": key, "public_id": public_id(key), "kind": "number", "platform": "flickr",
         "handle": key[7:], "root_id": at + 1, "hidden": False}
        for at, key in keys.items()
    ])  # fmt: skip
    run(insert(ContributorCount), [
        {"contributor_id": at + 1, "manifest_id": 1, "start": at, "entries": 1, "records": 1 + at % 7,
         "licenses": {"CC-BY-2.0": 1}, "samples": []}
        for at in keys
    ])  # fmt: skip
    run(insert(ContributorName), [
        {"contributor_id": person.number + 1, "manifest_id": 1, "name": name[:500], "records": 1}
        for person in some for name in dict.fromkeys(name[:500] for name in person.names)
    ])  # fmt: skip


def number(platform_id: str) -> int:
    """Whose NSID it is."""
    return int(platform_id.partition("@")[0]) - 10_000_000


def fts(path: Path, found: list[Person]) -> dict[str, Ask]:
    """Two FTS5 tables over the same names and handles."""
    file = sqlite3.connect(path)
    file.execute(
        "CREATE VIRTUAL TABLE words USING fts5(text, tokenize = \"unicode61 remove_diacritics 2\", prefix = '2 3')"
    )
    file.execute("CREATE VIRTUAL TABLE trigrams USING fts5(text, tokenize = 'trigram')")
    for table in ("words", "trigrams"):
        rows = ((person.number, " | ".join((*person.names, person.nsid))) for person in found)
        file.executemany(f"INSERT INTO {table} (rowid, text) VALUES (?, ?)", rows)
        file.execute(f"INSERT INTO {table} ({table}) VALUES ('optimize')")
    file.commit()

    def ask(table: str, query: str) -> list[int]:
        if not query:
            return []
        return [
            row[0]
            for row in file.execute(
                f"SELECT rowid FROM {table} WHERE {table} MATCH ? ORDER BY rank LIMIT 10", (query,)
            )
        ]

    def words(text: str) -> str:
        return " ".join(f'"{word}"' for word in re.findall(r"\w+", text))

    def trigrams(text: str) -> str:
        folded = text.lower()
        return " OR ".join(
            sorted(
                {f'"{folded[at : at + 3]}"' for at in range(len(folded) - 2) if folded[at : at + 3].isalnum()}
            )
        )

    return {
        "words": lambda text: ask("words", words(text)),
        "begun": lambda text: ask("words", words(text) + "*"),
        "near": lambda text: ask("trigrams", trigrams(text)),
    }


def merged(sessions: Sessions) -> None:
    """No two platform ids are one contributor."""
    with sessions() as session:
        together = session.query(Contributor).where(Contributor.root_id != Contributor.id).count()
    print(f"  platform ids merged: {together} (goal 0)")


def rss() -> float:
    """Peak resident memory of this process, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT))
