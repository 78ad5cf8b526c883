"""A registry whose tables stand as a publication of many names leaves them, and that registry served."""

from __future__ import annotations

import datetime as dt
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from sqlalchemy import insert
from sqlalchemy.engine import Connection

from benchmarks.people import Person
from byline.formats.selectors import public_id
from registry.config import Settings
from registry.database import Sessions, transaction
from registry.models import Act, Contributor, ContributorCount, ContributorName, Dataset, Manifest, Publisher
from registry.tlog.sequence import assign_numbers

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


def fill(sessions: Sessions, found: list[Person], *, manifest: int = 1) -> None:
    """One published manifest that names them all; `manifest` counts from 1."""
    digest = f"{manifest:064x}"
    with transaction(sessions) as session:
        if manifest == 1:
            session.add(Publisher(id=1, slug="bench", name="Bench", approved=True, registered_at=NOW))
            session.flush()
        session.add(Dataset(id=manifest, publisher_id=1, name=f"names-{manifest}", created_at=NOW))
        session.flush()
        session.add(
            Manifest(
                id=manifest, dataset_id=manifest, version="1", digest=digest, key_id="0" * 64, state="published", role="holder",
                format="csv", records=len(found), rows=len(found), contributors=len(found), purposes=["other"], access="open",
                annotations=[], consent={}, licenses={}, platforms={}, made_at=NOW, published_at=NOW,
            )
        )  # fmt: skip
        session.add(Act(kind="published", subject=f"bench/names-{manifest}@1", ref=digest, made_at=NOW))
        session.flush()
        for at in range(0, len(found), 5_000):
            _fill_some(session.connection(), found[at : at + 5_000], manifest)
        assign_numbers(session)


def _fill_some(connection: Connection, some: list[Person], manifest: int) -> None:
    """Contributors, their counts and names."""
    keys = {person.number: f"flickr:{person.nsid}" for person in some}
    connection.execute(insert(Contributor), [
        {"id": at + 1, "key": key, "public_id": public_id(key), "kind": "number", "platform": "flickr",
         "handle": key[7:], "root_id": at + 1, "hidden": False}
        for at, key in keys.items()
    ])  # fmt: skip
    connection.execute(insert(ContributorCount), [
        {"contributor_id": at + 1, "manifest_id": manifest, "start": at, "entries": 1, "records": 1 + at % 7,
         "licenses": {"CC-BY-2.0": 1}, "samples": []}
        for at in keys
    ])  # fmt: skip
    connection.execute(insert(ContributorName), [
        {"contributor_id": person.number + 1, "manifest_id": manifest, "name": name[:500], "records": 1}
        for person in some for name in dict.fromkeys(name[:500] for name in person.names)
    ])  # fmt: skip


def number(platform_id: str) -> int:
    """Whose NSID it is."""
    return int(platform_id.partition("@")[0]) - 10_000_000


@contextmanager
def served(data: Path) -> Iterator[httpx.Client]:
    """The registry of a folder, served on loopback by a process of its own; a client that keeps its connection."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "registry.cli", "serve", "--no-worker", "--port", str(port)]
    environment = os.environ | {
        "BYLINE_DATA_DIR": str(data),
        "BYLINE_ORIGIN": Settings(data_dir=data).origin,
        "BYLINE_BUDGET_READ": "9999999/second",
        "BYLINE_BUDGET_LOOKUP": "9999999/second",
    }
    with (
        subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
    ):
        try:
            _wait(client)
            yield client
        finally:
            server.terminate()


def _wait(client: httpx.Client) -> None:
    for _ in range(300):
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise SystemExit("the registry did not come up")
