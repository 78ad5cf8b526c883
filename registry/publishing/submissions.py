"""What a submission leaves in the tables: a manifest's rows while it is on its way, and none of them if it is refused."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Any

from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import Session

from byline.formats import croissant
from byline.formats.manifest import ManifestPredicate
from registry.models import (
    AliasLink,
    ContributorCount,
    ContributorName,
    Dataset,
    DerivedFrom,
    Manifest,
    ManifestFile,
    Publisher,
    Submission,
)
from registry.publishing.signed import Sent, Signer

AWAITING, RECEIVED, REFUSED, EXPIRED = "awaiting-extract", "received", "refused", "expired"
ENDED = (REFUSED, EXPIRED)


def standing_submission(session: Session, digest: str) -> Submission | None:
    """The submission of this statement that has not ended badly."""
    return session.scalar(
        select(Submission)
        .where(Submission.digest == digest, Submission.state.not_in(ENDED))
        .order_by(Submission.received_at.desc())
        .limit(1)
    )


def dataset_of(session: Session, publisher: Publisher, name: str, now: dt.datetime) -> Dataset:
    """The publisher's dataset of this name; nothing shows it before a version of it is published."""
    found = session.scalar(select(Dataset).where(Dataset.publisher_id == publisher.id, Dataset.name == name))
    if found is None:
        found = Dataset(publisher_id=publisher.id, name=name, created_at=now)
        session.add(found)
        session.flush()
    return found


def give_way(session: Session, dataset: Dataset, predicate: ManifestPredicate) -> None:
    """End a submission of this version whose extract never came, where this manifest was made after that one.

    What was signed earlier never ends what was signed later, so an old statement sent again undoes nothing.
    """
    waiting = session.scalar(
        select(Submission)
        .join(Manifest, Manifest.id == Submission.manifest_id)
        .where(
            Manifest.dataset_id == dataset.id,
            Manifest.version == predicate.dataset.version,
            Manifest.made_at < predicate.made_at,
            Submission.state == AWAITING,
        )
    )
    if waiting is not None:
        overtaken = {"code": "overtaken", "message": "a later manifest of this version was sent", "at": None}
        drop_manifest(session, waiting, state=EXPIRED, errors=[dict(overtaken)])


def accept(
    session: Session, sent: Sent, *, predicate: ManifestPredicate, dataset: Dataset, signer: Signer
) -> Manifest:
    """What a manifest says, in columns."""
    manifest = Manifest(
        dataset_id=dataset.id,
        digest=sent.digest,
        key_id=signer.key.key_id,
        state=AWAITING,
        licenses={},
        platforms={},
        **_said(session, predicate),
    )
    session.add(manifest)
    session.flush()
    session.add_all(
        ManifestFile(
            manifest_id=manifest.id,
            position=position,
            name=one.name,
            sha256=one.sha256,
            records=one.records,
            **_column(predicate, position),
        )
        for position, one in enumerate(predicate.records.files)
    )
    session.add_all(_parents(manifest.id, predicate))
    return manifest


def say_again(session: Session, manifest: Manifest, predicate: ManifestPredicate) -> None:
    """The same columns, made once more from the signed manifest; what was counted stays."""
    for name, value in _said(session, predicate).items():
        setattr(manifest, name, value)
    standing = {one.position: one for one in session.scalars(_of(ManifestFile, manifest.id))}
    for position, one in enumerate(predicate.records.files):
        file = standing.pop(position, None) or ManifestFile(manifest_id=manifest.id, position=position)
        file.name, file.sha256, file.records = one.name, one.sha256, one.records
        for name, value in _column(predicate, position).items():
            setattr(file, name, value)
        session.add(file)
    for extra in standing.values():
        session.delete(extra)
    session.execute(delete(DerivedFrom).where(DerivedFrom.manifest_id == manifest.id))
    session.add_all(_parents(manifest.id, predicate))


def _column(predicate: ManifestPredicate, position: int) -> dict[str, str | None]:
    """What a withheld version says of a file's identifying column; of others it is found out while their rows are read."""
    records = predicate.records
    if records.withheld is None:
        return {}
    name = records.columns[records.identifying] if records.identifying else None
    return {"column": name, "column_sha256": records.withheld.column_sha256[position]}


def _of(table: type[ManifestFile], manifest_id: int) -> Select[ManifestFile]:
    return select(table).where(table.manifest_id == manifest_id)


def _said(session: Session, predicate: ManifestPredicate) -> dict[str, Any]:
    records, disclosure = predicate.records, predicate.disclosure
    card = croissant.summary(predicate.croissant)
    supersedes = session.scalar(
        select(Manifest.id).where(Manifest.digest == (predicate.dataset.supersedes or ""))
    )
    return {
        "version": predicate.dataset.version,
        "role": predicate.role,
        "visibility": predicate.visibility,
        "withheld_sha256": records.withheld.key_sha256 if records.withheld else None,
        "format": records.format,
        "reading": {"columns": dict(records.columns), "options": asdict(records.options)},
        "supersedes_id": supersedes,
        "title": card.title,
        "description": card.description,
        "records": records.count,
        "rows": records.extract_rows,
        "bad_rows": records.bad_rows,
        "purposes": list(disclosure.purposes),
        "access": disclosure.access,
        "annotations": [
            {"name": one.name, "category": one.category, "method": one.method}
            for one in disclosure.annotations
        ],
        "consent": disclosure.consent,
        "contact": disclosure.contact,
        "personal_data": disclosure.personal_data,
        "made_at": predicate.made_at,
    }


def _parents(manifest_id: int, predicate: ManifestPredicate) -> list[DerivedFrom]:
    return [
        DerivedFrom(
            manifest_id=manifest_id,
            position=position,
            dataset=one.dataset,
            version=one.version,
            digest=one.digest,
        )
        for position, one in enumerate(predicate.derived_from)
    ]


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
