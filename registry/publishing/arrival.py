"""A submission whose extract is there: what there is to do, and a folder to do it in."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from byline.formats.manifest import ManifestPredicate, read_manifest
from registry.config import Settings
from registry.database import Sessions
from registry.models import ExtractPart, Manifest, Submission
from registry.publishing import signed, submit
from registry.publishing.signed import Sent
from registry.publishing.submissions import AWAITING
from registry.publishing.task import Task
from registry.storage import ObjectStore


@dataclass(frozen=True)
class Arrived:
    """A submission whose extract is there: its manifest as sent, and as read."""

    submission_id: str
    manifest_id: int
    digest: str
    sent: Sent
    predicate: ManifestPredicate
    parts: tuple[tuple[int, int], ...]


def open_arrived(
    sessions: Sessions, store: ObjectStore, submission_id: str, *, settings: Settings
) -> Arrived | None:
    """What there is to do; None where it is done, refused or expired."""
    with sessions() as session:
        submission = session.get(Submission, submission_id)
        if (
            submission is None
            or submission.manifest_id is None
            or submission.state in (AWAITING, "published")
        ):
            return None
        parts = session.execute(
            select(ExtractPart.part, ExtractPart.size)
            .where(ExtractPart.submission_id == submission_id)
            .order_by(ExtractPart.part)
        ).all()
    sent = signed.open_sent(
        store.get(submit.manifest_key(submission.digest)), max_payload=settings.max_payload
    )
    return Arrived(
        submission_id=submission_id,
        manifest_id=submission.manifest_id,
        digest=submission.digest,
        sent=sent,
        predicate=read_manifest(sent.statement),
        parts=tuple((part, size or 0) for part, size in parts),
    )


def state_of(sessions: Sessions, arrived: Arrived) -> str:
    """The manifest's state now."""
    with sessions() as session:
        return session.scalars(select(Manifest.state).where(Manifest.id == arrived.manifest_id)).one()


@contextmanager
def scratch(settings: Settings, submission_id: str) -> Iterator[Path]:
    """A folder of this attempt's own; what a killed attempt left of this submission is swept first."""
    home = settings.data_dir / "scratch"
    home.mkdir(parents=True, exist_ok=True)
    for left in home.glob(f"{submission_id}-*"):
        shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{submission_id}-", dir=home))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def part_name(part: int) -> str:
    """A part's file in the scratch folder."""
    return f"part-{part:04d}.parquet"


def task_of(arrived: Arrived, folder: Path, settings: Settings) -> Task:
    """What the fenced process is asked to do with it."""
    parts = tuple(part_name(part) for part, _ in arrived.parts)
    return task_for(arrived.predicate, folder, parts=parts, settings=settings)


def task_for(
    predicate: ManifestPredicate, folder: Path, *, parts: tuple[str, ...], settings: Settings
) -> Task:
    """The same for parts that lie in the folder already."""
    found = predicate.records
    return Task(
        folder=str(folder),
        parts=parts,
        dataset=predicate.dataset.dataset,
        columns=dict(found.columns),
        files=tuple(one.records for one in found.files),
        rows=found.extract_rows,
        sha256=found.extract_sha256,
        max_row=settings.max_row,
        max_url=settings.max_url,
        memory=settings.ingest_memory,
        seconds=settings.ingest_seconds,
        threads=settings.ingest_threads,
        withheld=found.withheld is not None,
    )
