"""A manifest arrives: whose is it, does it follow what stands, and what must be sent beside it.

A manifest that is not published appears in no read. What it will be is kept in its rows from here on; the
extract makes it true, or the submission ends refused or expired and leaves no manifest behind.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from byline.errors import Conflict, NotFound, Refused, Unavailable
from byline.formats.manifest import ManifestPredicate, read_manifest
from registry import disk
from registry.config import Settings
from registry.models import (
    Dataset,
    ExtractPart,
    Manifest,
    Publisher,
    Submission,
)
from registry.models import Statement as StatementRow
from registry.publishing import lineage, signed, submissions
from registry.storage import ObjectStore

MOST_WAITING = 100


def manifest_key(digest: str) -> str:
    """Where a manifest's envelope lies in the store, byte for byte as it came."""
    return f"manifests/{digest}.dsse.json"


def submit_manifest(
    session: Session,
    *,
    store: ObjectStore,
    envelope: bytes,
    settings: Settings,
    now: dt.datetime,
    new_id: Callable[[], str],
) -> Submission:
    """Accept a signed manifest and say what it awaits; the same statement again answers the same submission.

    Refused for its shape, Untrusted for its signature, Conflict for what stands already.
    """
    sent = signed.open_sent(envelope, max_payload=settings.max_payload)
    predicate = read_manifest(sent.statement)
    signed.meant_for_us(predicate, origin=settings.origin, now=now)
    standing = submissions.standing_submission(session, sent.digest)
    signer = signed.signer_of(session, sent, slug=predicate.dataset.publisher, role="manifest")
    if standing is not None:
        return standing
    check_offer(predicate, settings=settings)
    disk.check_room(settings)
    check_waiting(session, signer.publisher)
    dataset = submissions.dataset_of(session, signer.publisher, predicate.dataset.name, now)
    submissions.give_way(session, dataset, predicate)
    check_place(session, predicate, dataset)
    store.put(manifest_key(sent.digest), sent.raw)
    manifest = submissions.accept(session, sent, predicate=predicate, dataset=dataset, signer=signer)
    check_lineage(session, manifest)
    return _await_extract(
        session,
        manifest,
        predicate=predicate,
        publisher=signer.publisher,
        settings=settings,
        now=now,
        id_=new_id(),
    )


def check_offer(predicate: ManifestPredicate, *, settings: Settings) -> None:
    """Refuse what no extract could make good."""
    if predicate.records.extract_rows > settings.max_records:
        raise Refused(
            "too-many-records",
            f"{predicate.records.extract_rows:,} records; this registry takes {settings.max_records:,} a version",
            at="predicate.records.extract.rows",
        )


def check_waiting(session: Session, publisher: Publisher) -> None:
    """Unavailable("too-many-waiting") for a publisher who submits without ever sending."""
    waiting = select(func.count()).where(
        Submission.publisher_id == publisher.id, Submission.state == submissions.AWAITING
    )
    if (session.scalar(waiting) or 0) >= MOST_WAITING:
        raise Unavailable(
            "too-many-waiting",
            f"{MOST_WAITING} of your manifests await their extracts; send those first",
            retry_after=3600,
        )


def check_lineage(session: Session, manifest: Manifest) -> None:
    """Conflict("circular-lineage") where a version would be made from itself."""
    session.flush()
    if lineage.closes_a_cycle(session, manifest):
        raise Conflict(
            "circular-lineage",
            "by what `derived_from` says here and in manifests that stand, this version would be made from itself; "
            "name the versions it was made from",
            at="predicate.derived_from",
        )


def check_place(session: Session, predicate: ManifestPredicate, dataset: Dataset) -> None:
    """Conflict unless the version is new and the manifest follows the dataset's last statement and newest version."""
    version = predicate.dataset.version
    there = session.scalar(
        select(Manifest).where(Manifest.dataset_id == dataset.id, Manifest.version == version)
    )
    if there is not None:
        raise Conflict(
            "version-exists",
            f"{predicate.dataset.label} is here already ({there.state}); give a changed one another version",
            at="predicate.dataset.version",
            details={"digest": there.digest, "state": there.state},
        )
    signed.must_follow(session, subject=f"dataset:{predicate.dataset.dataset}", previous=predicate.previous)
    if predicate.dataset.supersedes is not None:
        _check_superseded(session, predicate.dataset.supersedes, dataset)


def _check_superseded(session: Session, digest: str, dataset: Dataset) -> None:
    newest = newest_manifest(session, dataset.id)
    superseded = session.scalar(
        select(Manifest).where(
            Manifest.digest == digest, Manifest.dataset_id == dataset.id, Manifest.published_at.is_not(None)
        )
    )
    if superseded is None:
        raise Conflict(
            "unknown-superseded",
            "supersedes names no published version of this dataset",
            at="predicate.dataset.supersedes",
        )
    if newest is None or superseded.id != newest.id:
        raise Conflict(
            "superseded-not-newest",
            "supersedes must name the newest version of this dataset",
            at="predicate.dataset.supersedes",
            details={"newest": newest.digest if newest else None},
        )


def newest_manifest(session: Session, dataset_id: int) -> Manifest | None:
    """The version of a dataset that was published last and stands."""
    return session.scalar(
        select(Manifest)
        .where(Manifest.dataset_id == dataset_id, Manifest.state == "published")
        .order_by(Manifest.published_at.desc(), Manifest.id.desc())
        .limit(1)
    )


def submission_view(session: Session, submission_id: str) -> dict[str, Any]:
    """What a client shows while it waits; NotFound("no-such-submission")."""
    submission = session.get(Submission, submission_id)
    if submission is None:
        raise NotFound("no-such-submission", "there is no submission of this id")
    there = session.scalars(
        select(ExtractPart).where(ExtractPart.submission_id == submission_id).order_by(ExtractPart.part)
    ).all()
    awaits = [{"part": row.part, "received": row.received} for row in there if row.received != row.size]
    if not there:
        awaits = [{"part": 0, "received": 0}]
    published = session.get(StatementRow, submission.digest) is not None
    return {
        "id": submission.id,
        "state": submission.state,
        "dataset": submission.dataset,
        "version": submission.version,
        "digest": submission.digest,
        "awaits": awaits if submission.state == submissions.AWAITING else [],
        "progress": submission.progress,
        "errors": submission.errors,
        "expires_at": submission.expires_at if submission.state == submissions.AWAITING else None,
        "receipt": f"/v1/receipts/{submission.digest}"
        if published and submission.state == "published"
        else None,
    }


def _await_extract(
    session: Session,
    manifest: Manifest,
    *,
    predicate: ManifestPredicate,
    publisher: Publisher,
    settings: Settings,
    now: dt.datetime,
    id_: str,
) -> Submission:
    submission = Submission(
        id=id_,
        digest=manifest.digest,
        publisher_id=publisher.id,
        manifest_id=manifest.id,
        dataset=predicate.dataset.dataset,
        version=predicate.dataset.version,
        state=submissions.AWAITING,
        on_bad_rows=predicate.records.on_bad_rows,
        progress={"step": submissions.AWAITING, "done": 0, "total": None},
        errors=[],
        received_at=now,
        expires_at=now + dt.timedelta(hours=settings.upload_hours),
    )
    session.add(submission)
    session.flush()
    return submission
