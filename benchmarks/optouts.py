"""One wish among 1,000 datasets, and a manifest among a million wishes: `make bench-optouts`.

First: a maker with 40,000 rows in three datasets opts out, with those three registered and with 997 more. Time from
the request to the last notice, and the SQL statements it takes: the untouched must cost none. The 997 are rows in the
tables the matcher asks (dataset, version, makers), copied from the three without this maker.
Second: the same million records published where nobody objected and where a million stand, a thousand of them reached: by a
process that published something small before, and by one that did not.
"""

from __future__ import annotations

import json
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import event, func, insert, select

from benchmarks.desk import Desk, make_extract
from benchmarks.ingest import run
from benchmarks.photos import SEED, photos, write_photos
from byline.formats.selectors import fingerprint
from registry.config import Settings
from registry.contributors import claim as claims
from registry.database import transaction
from registry.models import (
    Contributor,
    ContributorCount,
    Dataset,
    Manifest,
    MatcherState,
    Notice,
    OptOut,
    OptOutSelector,
)
from registry.optouts.match import match_opt_out
from registry.optouts.request import make_opt_out
from registry.runtime import Runtime, open_runtime, prepare

DATASETS, TOUCHED, OWN, OTHERS = 1_000, 3, 40_000, 20_000
ROWS, STANDING, REACHED, SMALL = 1_000_000, 1_000_000, 1_000, 10_000
MAKER = "77777777@N00"
MODULE = "benchmarks.optouts"


def main(rows: int, standing: int) -> int:
    """Measure both, print both."""
    with tempfile.TemporaryDirectory(prefix="byline-bench-") as folder:
        among_datasets(Path(folder))
    with tempfile.TemporaryDirectory(prefix="byline-bench-") as folder:
        run("make", folder, rows, 0, module=MODULE)
        none, _ = run("publish", folder, rows, 0, module=MODULE)
        first, _ = run("first", folder, rows, standing, module=MODULE)
        later, rss = run("publish", folder, rows, standing, module=MODULE)
    print(
        f"a manifest of {rows:,} rows, {min(REACHED, standing):,} of them opted out, submitted to published"
    )
    print(f"  nobody objected {none:13.2f} s")
    for words, took in ((f"{standing:,} stand", later), ("and are read first", first)):
        print(f"  {words:22} {took:6.2f} s   ratio {took / none:.2f} (goal <= 1.10)")
    print(f"  peak RSS {rss / (1 << 30):.2f} GiB")
    return 0


def among_datasets(folder: Path) -> None:
    """One wish, with three datasets and with a thousand."""
    desk = Desk.opened(folder)
    for number in range(TOUCHED):
        where = folder / str(number)
        where.mkdir()
        pq.write_table(_with_maker(number), where / "records.parquet")
        make_extract(where)
        desk.publish(where, f"photos-{number}")
    few = wish(desk.runtime)
    copies(desk.runtime, DATASETS - TOUCHED)
    many = wish(desk.runtime)
    desk.runtime.close()
    print(
        f"a maker of {OWN:,} rows in {TOUCHED} datasets opts out (goals: <= 2 s, no statement more for the others)"
    )
    for count, (took, used, asked, notices) in ((TOUCHED, few), (DATASETS, many)):
        print(
            f"  {count:5,} datasets  {took:6.2f} s ({used:.2f} s CPU)  {asked} SQL statements, {notices} notices"
        )


def wish(runtime: Runtime) -> tuple[float, float, int, int]:
    """Claim, confirm, opt out, match: seconds from the request, CPU seconds of it, SQL statements, notices."""
    now = runtime.clock()
    with transaction(runtime.sessions) as session:
        claim = claims.make_claim(
            session, seal=runtime.seal, now=now, token_bytes=secrets.token_bytes,
            identity=f"flickr:{MAKER}", email="somebody@example.org",
        )  # fmt: skip
        claims.confirm(session, claim_id=claim["id"], who="bench", why="bench", now=now)
    with statements(runtime) as asked:
        began, cpu = time.perf_counter(), time.process_time()
        with transaction(runtime.sessions) as session:
            made = make_opt_out(
                session, seal=runtime.seal, settings=runtime.settings, now=now, token_bytes=secrets.token_bytes,
                claims=[{"id": claim["id"], "token": claim["token"]}],
            )  # fmt: skip
        match_opt_out(
            runtime.sessions, items=runtime.items, store=runtime.store, opt_out_id=made["id"], now=now
        )
        took, used = time.perf_counter() - began, time.process_time() - cpu
    with runtime.sessions() as session:
        notices = session.scalar(select(func.count()).where(Notice.opt_out_id == made["id"])) or 0
    return took, used, len(asked), notices


@contextmanager
def statements(runtime: Runtime) -> Iterator[list[str]]:
    """Every SQL statement of either database."""
    asked: list[str] = []

    def heard(*words: Any) -> None:
        asked.append(words[2])

    for engine in (runtime.engine, runtime.items):
        event.listen(engine, "before_cursor_execute", heard)
    yield asked
    for engine in (runtime.engine, runtime.items):
        event.remove(engine, "before_cursor_execute", heard)


def copies(runtime: Runtime, count: int) -> None:
    """More datasets, of whoever else stands in the first one."""
    with transaction(runtime.sessions) as session:
        model = session.scalars(select(Manifest).order_by(Manifest.id).limit(1)).one()
        publisher = session.scalars(select(Dataset.publisher_id)).first()
        others = session.scalars(
            select(ContributorCount).join(Contributor, Contributor.id == ContributorCount.contributor_id)
            .where(ContributorCount.manifest_id == model.id, Contributor.handle != MAKER).limit(50)
        ).all()  # fmt: skip
        said = {column.name: getattr(model, column.name) for column in Manifest.__table__.columns}
        counted = [
            {column.name: getattr(one, column.name) for column in ContributorCount.__table__.columns}
            for one in others
        ]
        first_dataset = (session.scalar(select(func.max(Dataset.id))) or 0) + 1
        first = (session.scalar(select(func.max(Manifest.id))) or 0) + 1
        session.execute(insert(Dataset), [
            {"id": first_dataset + at, "publisher_id": publisher, "name": f"copy-{at}", "created_at": runtime.clock()}
            for at in range(count)
        ])  # fmt: skip
        session.execute(insert(Manifest), [
            said | {"id": first + at, "dataset_id": first_dataset + at, "digest": f"{at:064x}"} for at in range(count)
        ])  # fmt: skip
        session.execute(
            insert(ContributorCount),
            [one | {"manifest_id": first + at} for at in range(count) for one in counted],
        )


def stand(runtime: Runtime, count: int) -> None:
    """So many confirmed wishes, one photo each; a thousand of them name a photo of the set that will come."""
    now = runtime.clock()
    with transaction(runtime.sessions) as session:
        session.add(MatcherState(id=1, generation=1))
        session.flush()
        for at in range(0, count, 50_000):
            some = range(at, min(at + 50_000, count))
            session.execute(insert(OptOut), [
                {"id": f"{n:032x}", "state": "in-force", "assurance": "verified", "relation": "maker", "scope": "all",
                 "categories": 31, "vocabulary": [], "salt": b"", "commitment": f"{n:064x}", "made_at": now,
                 "in_force_at": now, "matched_at": now, "generation": 1}
                for n in some
            ])  # fmt: skip
            session.execute(insert(OptOutSelector), [_photo(n) for n in some])


def _published(folder: Path, *, home: str, first: bool) -> float:
    """The seconds of one publication: this process's first, or after a small one."""
    desk = Desk.opened(folder, home=home)
    try:
        if not first:
            small = folder / home / "small"
            small.mkdir()
            write_photos(small / "records.parquet", SMALL, seed=SEED + 1)
            make_extract(small)
            desk.publish(small, "small")
        return desk.publish(folder, "photos")
    finally:
        desk.runtime.close()


def _photo(number: int) -> dict[str, Any]:
    value = f"flickr:{3_000_000_000 + number if number < REACHED else 9_000_000_000 + number}"
    return {
        "opt_out_id": f"{number:032x}", "kind": "photo", "value": value,
        "k": fingerprint("photo", value), "k_beside": fingerprint("photo2", value),
    }  # fmt: skip


def _with_maker(number: int) -> pa.Table:
    """Others' photos, and a third of this maker's."""
    own = OWN // TOUCHED
    table = photos(OTHERS + own, seed=SEED + number)
    owners = [f"https://www.flickr.com/people/{MAKER}/"] * own
    ids = [str(8_000_000_000 + number * OWN + at) for at in range(own)]
    own_rows = table.slice(0, own)
    own_rows = own_rows.set_column(
        own_rows.schema.get_field_index("creator_url"), "creator_url", pa.array(owners)
    )
    pages = [f"https://www.flickr.com/photos/{MAKER}/{one}/" for one in ids]
    own_rows = own_rows.set_column(
        own_rows.schema.get_field_index("landing_url"), "landing_url", pa.array(pages)
    )
    urls = [f"https://live.staticflickr.com/65535/{one}_abcdef0123_b.jpg" for one in ids]
    own_rows = own_rows.set_column(own_rows.schema.get_field_index("url"), "url", pa.array(urls))
    names = pa.array(["The Maker"] * own)
    own_rows = own_rows.set_column(own_rows.schema.get_field_index("creator_name"), "creator_name", names)
    return pa.concat_tables([own_rows, table.slice(own)])


def part(what: str, folder: Path, rows: int, standing: int) -> None:
    """One of them, in this process."""
    seconds = 0.0
    if what == "make":
        write_photos(folder / "records.parquet", rows)
        make_extract(folder)
    else:
        home = f"registry-{standing}-{what}"
        if standing:
            settings = Settings(data_dir=folder / home, disk_reserve=0)
            prepare(settings)
            runtime = open_runtime(settings)
            stand(runtime, standing)
            runtime.close()
        seconds = _published(folder, home=home, first=what == "first")
    print(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    if len(sys.argv) == 5:
        part(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        sys.exit(main(*(int(word) for word in sys.argv[1:3])) if len(sys.argv) == 3 else main(ROWS, STANDING))
