"""kill -9 of the worker at ten random points of an ingest: one published manifest, nothing twice, nothing missing."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from benchmarks.photos import photos
from byline.errors import NotFound
from registry.models import Act, ContributorCount, ContributorName, Manifest
from registry.publishing import queries
from registry.storage.record_index import COLUMNS, scan_entries
from tests.registry.publishing.desk import Desk, Extract, Registry, extract_of, registry_in

ROWS = 50_000  # a million shows the same and takes minutes
KILLS = 10

WORKER = """
import sys, datetime as dt
from pathlib import Path
from tests.registry.publishing.desk import registry_in
with registry_in(Path(sys.argv[1])) as registry:
    registry.ingest(sys.argv[2])
"""


def worker(registry: Registry, submission: str) -> subprocess.Popen[bytes]:
    """An ingest in a process that can be killed."""
    command = [sys.executable, "-c", WORKER, str(registry.settings.data_dir), submission]
    return subprocess.Popen(command, cwd=Path(__file__).parents[3])


def fingerprint_of(registry: Registry, digest: str) -> list[object]:
    """Everything one manifest left, in an order of its own."""
    with registry.sessions() as session:
        tables = [
            session.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (Manifest, ContributorCount, ContributorName)
        ]
        acts = [tuple(row) for row in session.execute(select(Act.kind, Act.subject).order_by(Act.id))]
        summed = session.scalar(select(func.sum(ContributorCount.records)))
    with registry.items.connect() as connection:
        keys = [
            tuple(row)
            for row in connection.exec_driver_sql("SELECT k, position FROM item_key ORDER BY k, position")
        ]
    index = [table.drop_columns("position") for table in scan_entries(registry.store, digest, COLUMNS)]
    objects = sorted(
        key.split("/")[0]
        for prefix in ("extracts/", "records/", "uploads/")
        for key in registry.store.list(prefix)
    )
    return [tables, acts, summed, keys, index, objects]


def submitted(registry: Registry, extract: Extract) -> str:
    desk = Desk(registry)
    desk.register()
    submission = desk.submit(desk.manifest(extract))
    desk.send(submission, extract)
    return submission


@pytest.mark.slow
def test_killed_ten_times_it_leaves_what_an_undisturbed_one_leaves(tmp_path: Path) -> None:
    extract, chance = extract_of(photos(ROWS)), random.Random(20190129)  # noqa: S311 - moments, not secrets
    with registry_in(tmp_path / "undisturbed") as calm:
        submission = submitted(calm, extract)
        began = time.monotonic()
        process = worker(calm, submission)
        assert process.wait() == 0
        took = time.monotonic() - began
        wanted = fingerprint_of(calm, calm.view(submission)["digest"])
    with registry_in(tmp_path / "killed") as registry:
        submission = submitted(registry, extract)
        digest = registry.view(submission)["digest"]
        for number in range(KILLS):
            process = worker(registry, submission)
            # One in each tenth of the way, so that late steps are hit as well as early ones.
            time.sleep(took * (number + chance.random()) / KILLS)
            process.kill()
            process.wait()
            if registry.view(submission)["state"] == "published":
                break
            with registry.sessions() as session, pytest.raises(NotFound):
                queries.dataset(session, "lumen-labs/street-portraits")
        registry.ingest(submission)
        assert registry.view(submission)["state"] == "published"
        assert fingerprint_of(registry, digest) == wanted
