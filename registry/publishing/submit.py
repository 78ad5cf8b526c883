"""A manifest arrives: whose is it, does it follow what stands, and what must be sent beside it.

A manifest that is not published appears in no read. What it will be is kept in its rows from here on; the
extract makes it true, or the submission ends refused or expired and leaves no manifest behind.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from byline.errors import Conflict, NotFound, Refused
from byline.formats import croissant
from byline.formats.manifest import ManifestPredicate, read_manifest
from registry.config import Settings
from registry.models import (
    AliasLink,
    ContributorCount,
    ContributorName,
    Dataset,
    DerivedFrom,
    ExtractPart,
    Manifest,
    ManifestFile,
    Publisher,
    Submission,
)
from registry.models import Statement as StatementRow
from registry.publishing import signed
from registry.publishing.signed import Sent, Signer
from registry.storage import ObjectStore

AWAITING, RECEIVED, REFUSED, EXPIRED = "awaiting-extract", "received", "refused", "expired"
ENDED = (REFUSED, EXPIRED)


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
    standing = _standing(session, sent.digest)
    signer = signed.signer_of(session, sent, slug=predicate.dataset.publisher, role="manifest")
    if standing is not None:
        return standing
    check_offer(predicate, settings=settings)
    dataset = _dataset(session, signer.publisher, predicate.dataset.name, now)
    check_place(session, predicate, dataset)
    store.put(manifest_key(sent.digest), sent.raw)
    manifest = _accept(session, sent, predicate=predicate, dataset=dataset, signer=signer)
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
    if predicate.visibility == "withheld":
        raise Refused(
            "withheld-not-offered", "this registry takes named manifests only", at="predicate.visibility"
        )
    if predicate.records.extract_rows > settings.max_records:
        raise Refused(
            "too-many-records",
            f"{predicate.records.extract_rows:,} records; this registry takes {settings.max_records:,} a version",
            at="predicate.records.extract.rows",
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
        "awaits": awaits if submission.state == AWAITING else [],
        "progress": submission.progress,
        "errors": submission.errors,
        "expires_at": submission.expires_at if submission.state == AWAITING else None,
        "receipt": f"/v1/receipts/{submission.digest}"
        if published and submission.state == "published"
        else None,
    }


def drop_manifest(
    session: Session, submission: Submission, *, state: str, errors: list[dict[str, object]]
) -> None:
    """End a submission: its manifest leaves no row behind, so that its version may be sent again."""
    manifest_id = submission.manifest_id
    submission.state, submission.errors, submission.manifest_id = state, errors[:100], None
    session.flush()
    if manifest_id is None:
        return
    session.execute(update(Submission).where(Submission.manifest_id == manifest_id).values(manifest_id=None))
    session.execute(delete(AliasLink).where(AliasLink.manifest_id == manifest_id))
    session.execute(delete(AliasLink).where(AliasLink.other_manifest_id == manifest_id))
    for table in (ContributorName, ContributorCount, DerivedFrom, ManifestFile):
        session.execute(delete(table).where(table.manifest_id == manifest_id))
    session.execute(delete(Manifest).where(Manifest.id == manifest_id))


def _standing(session: Session, digest: str) -> Submission | None:
    return session.scalar(
        select(Submission)
        .where(Submission.digest == digest, Submission.state.not_in(ENDED))
        .order_by(Submission.received_at.desc())
        .limit(1)
    )


def _dataset(session: Session, publisher: Publisher, name: str, now: dt.datetime) -> Dataset:
    found = session.scalar(select(Dataset).where(Dataset.publisher_id == publisher.id, Dataset.name == name))
    if found is None:
        found = Dataset(publisher_id=publisher.id, name=name, created_at=now)
        session.add(found)
        session.flush()
    return found


def _accept(
    session: Session, sent: Sent, *, predicate: ManifestPredicate, dataset: Dataset, signer: Signer
) -> Manifest:
    """What a manifest says, in columns."""
    records, disclosure = predicate.records, predicate.disclosure
    card = croissant.summary(predicate.croissant)
    supersedes = session.scalar(
        select(Manifest.id).where(Manifest.digest == (predicate.dataset.supersedes or ""))
    )
    manifest = Manifest(
        dataset_id=dataset.id,
        version=predicate.dataset.version,
        digest=sent.digest,
        key_id=signer.key.key_id,
        state=AWAITING,
        role=predicate.role,
        visibility=predicate.visibility,
        format=records.format,
        reading={"columns": dict(records.columns), "options": asdict(records.options)},
        supersedes_id=supersedes,
        title=card.title,
        description=card.description,
        records=records.count,
        rows=records.extract_rows,
        bad_rows=records.bad_rows,
        purposes=list(disclosure.purposes),
        access=disclosure.access,
        annotations=[
            {"name": one.name, "category": one.category, "method": one.method}
            for one in disclosure.annotations
        ],
        consent=disclosure.consent,
        contact=disclosure.contact,
        personal_data=disclosure.personal_data,
        licenses={},
        platforms={},
        made_at=predicate.made_at,
    )
    session.add(manifest)
    session.flush()
    session.add_all(
        ManifestFile(
            manifest_id=manifest.id, position=position, name=one.name, sha256=one.sha256, records=one.records
        )
        for position, one in enumerate(records.files)
    )
    session.add_all(
        DerivedFrom(
            manifest_id=manifest.id,
            position=position,
            dataset=one.dataset,
            version=one.version,
            digest=one.digest,
        )
        for position, one in enumerate(predicate.derived_from)
    )
    return manifest


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
        state=AWAITING,
        on_bad_rows=predicate.records.on_bad_rows,
        progress={"step": AWAITING, "done": 0, "total": None},
        errors=[],
        received_at=now,
        expires_at=now + dt.timedelta(hours=settings.upload_hours),
    )
    session.add(submission)
    session.flush()
    return submission
