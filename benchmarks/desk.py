"""A publisher beside a registry in a folder, both real: what `byline publish` sends and what the worker then does."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from byline.client import describe
from byline.client.describe import Measured, Said, Stamp, Standing
from byline.client.extract import write_extract
from byline.formats.keys import PrivateKey
from byline.formats.manifest import RecordFile
from byline.formats.records import ReadOptions
from registry.config import Settings
from registry.database import transaction
from registry.models import Submission
from registry.publishing import pipeline, publishers, submit, uploads
from registry.runtime import Runtime, open_runtime, prepare

COLUMNS = {name: name for name in ("url", "landing_url", "creator_name", "creator_url", "license", "title")}


def make_extract(folder: Path) -> None:
    """Read `records.parquet` as a publisher does, write its extract and what was measured."""
    options = ReadOptions(format="parquet", columns=COLUMNS)
    made = write_extract([folder / "records.parquet"], options=options, out=folder / "extract.parquet")
    (folder / "extract.json").write_text(json.dumps(asdict(made)))


@dataclass
class Desk:
    """A publisher's key beside an open registry. `steps`: of the last publication, the seconds that each was shown as going on."""

    runtime: Runtime
    key: PrivateKey
    steps: dict[str, float] = field(default_factory=dict)

    @classmethod
    def opened(cls, folder: Path, *, home: str = "registry") -> Desk:
        """Make or open the registry in `folder/home`, and register."""
        settings = Settings(data_dir=folder / home, disk_reserve=0)
        prepare(settings)
        desk = cls(open_runtime(settings), PrivateKey.generate())
        registration = describe.publisher_statement(
            slug="bench", name="Bench", key=desk.key, origin=settings.origin, stamp=desk.stamp()
        )
        with transaction(desk.runtime.sessions) as session:
            publishers.register_publisher(
                session, envelope=registration, settings=settings, now=desk.runtime.clock()
            )
        return desk

    def stamp(self) -> Stamp:
        """Now, and once."""
        return Stamp(self.runtime.clock(), secrets.token_bytes(16))

    def publish(self, folder: Path, name: str) -> float:
        """Publish what `make_extract` left in the folder; the seconds from the submission to *published*."""
        runtime, manifest = self.runtime, self.manifest(folder, name)
        began = time.perf_counter()
        submission = submit_extract(runtime, manifest, folder / "extract.parquet")
        with steps(runtime, submission) as self.steps:
            pipeline.ingest(
                submission,
                sessions=runtime.sessions,
                items=runtime.items,
                store=runtime.store,
                settings=runtime.settings,
                clock=runtime.clock,
            )
        took = time.perf_counter() - began
        with runtime.sessions() as session:
            view = submit.submission_view(session, submission)
        if view["state"] != "published":
            raise SystemExit(f"{view['state']}: {view['errors']}")
        return took

    def manifest(self, folder: Path, name: str) -> bytes:
        """The signed manifest of what `make_extract` left in the folder."""
        made = json.loads((folder / "extract.json").read_text())
        measured = Measured(
            files=[RecordFile(**one) for one in made["files"]],
            format="parquet",
            columns=COLUMNS,
            extract_rows=made["rows"],
            extract_sha256=made["sha256"],
        )
        said = Said(dataset=f"bench/{name}", version="1", title="Photos", purposes=["other"])
        standing = Standing(self.runtime.settings.origin, None, None, None)
        draft = describe.draft(said, measured, registry_says=standing)
        return describe.sign_draft(draft, self.key, registry_says=standing, stamp=self.stamp())


def publish(folder: Path, *, home: str = "registry") -> float:
    """A registry of its own, one publication; the seconds from the submission to *published*."""
    desk = Desk.opened(folder, home=home)
    try:
        return desk.publish(folder, "photos")
    finally:
        desk.runtime.close()


@contextmanager
def steps(runtime: Runtime, submission_id: str) -> Iterator[dict[str, float]]:
    """Which step the submission says it is at, looked at ten times a second."""
    seconds: dict[str, float] = {}
    done = threading.Event()

    def look() -> None:
        last = time.perf_counter()
        while not done.wait(0.1):
            with runtime.sessions() as session:
                step = session.get_one(Submission, submission_id).progress.get("step", "")
            now = time.perf_counter()
            seconds[step] = seconds.get(step, 0.0) + now - last
            last = now

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield seconds
    finally:
        done.set()
        looking.join()


def submit_extract(runtime: Runtime, manifest: bytes, extract: Path) -> str:
    """Send a manifest and its extract; the submission, which a worker may take up now."""
    with transaction(runtime.sessions) as session:
        submission = submit.submit_manifest(
            session,
            store=runtime.store,
            envelope=manifest,
            settings=runtime.settings,
            now=runtime.clock(),
            new_id=lambda: secrets.token_hex(16),
        ).id
    size = extract.stat().st_size
    with extract.open("rb") as stream:
        uploads.receive_part(
            runtime.sessions,
            store=runtime.store,
            submission_id=submission,
            sent=uploads.Range(part=0, parts=1, offset=0, end=size, total=size, sha256=None),
            stream=stream,
            settings=runtime.settings,
            now=runtime.clock(),
        )
    return submission
