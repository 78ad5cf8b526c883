"""The store: every manifest, extract and record index the tables name is there, and nothing that should be gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from byline.errors import BylineError, NotFound
from registry.config import Settings
from registry.database import Sessions
from registry.models import ExtractPart, Manifest, Submission
from registry.moving.objects import sha256_of
from registry.publishing.records import extract_key
from registry.storage import ObjectStore
from registry.storage.record_index import index_key
from registry.upkeep.erasing import erased
from registry.upkeep.findings import Finding, Findings
from registry.upkeep.staged import STAGED
from registry.upkeep.versions import HELD, read_predicate

EXTRACT_KEPT = ("recorded", "logged", "published")


@dataclass(frozen=True)
class Part:
    """What is known of one part of an extract."""

    number: int
    size: int | None
    sha256: str | None


def look_at_objects(sessions: Sessions, store: ObjectStore, *, settings: Settings) -> Findings:
    """What is missing, changed, or still there."""
    with sessions() as session:
        rows = session.execute(
            select(Manifest.digest, Manifest.state, Manifest.index_sha256).order_by(Manifest.id)
        ).all()
    gone = erased(sessions)
    for row in rows:
        yield from _manifest(store, row.digest, settings)
        if row.state in HELD:
            yield from _index(store, row.digest, row.index_sha256)
        if row.digest in gone:
            yield from _erased(store, row.digest)
        elif row.state in EXTRACT_KEPT:
            with sessions() as session:
                parts = _parts(session, row.digest)
            yield from _extract(store, row.digest, parts)
        yield from _should_be_gone(store, row.digest, row.state)
    yield from _strangers(store, {row.digest for row in rows})


def _manifest(store: ObjectStore, digest: str, settings: Settings) -> Findings:
    try:
        read_predicate(store, digest, settings=settings)
    except BylineError as error:
        yield Finding(error.code, digest, error.message)


def _index(store: ObjectStore, digest: str, sha256: str | None) -> Findings:
    key = index_key(digest)
    try:
        found = sha256_of(store, key)
    except NotFound:
        yield Finding("index-lost", key, "the store has lost this record index", rebuild=True)
        return
    if found != sha256:
        yield Finding("index-changed", key, "this record index is not the one that was written", rebuild=True)


def _parts(session: Session, digest: str) -> list[Part]:
    """Of the submission that was published."""
    rows = session.execute(
        select(ExtractPart.part, ExtractPart.size, ExtractPart.sha256)
        .join(Submission, Submission.id == ExtractPart.submission_id)
        .where(Submission.digest == digest, Submission.manifest_id.is_not(None))
        .order_by(ExtractPart.part)
    )
    return [Part(*row) for row in rows]


def _extract(store: ObjectStore, digest: str, parts: Sequence[Part]) -> Findings:
    """By the digest it came with, where its sender gave one; else by its size. A rebuild reads it against the manifest."""
    for part in parts:
        key = extract_key(digest, part.number)
        try:
            same = store.size(key) == part.size and part.sha256 in {None, _hash(store, key, part.sha256)}
        except NotFound:
            yield Finding("extract-lost", key, "the store has lost this part of an extract; a backup has it")
            continue
        if not same:
            yield Finding("extract-changed", key, "this is not the extract as it was sent: it was damaged")


def _erased(store: ObjectStore, digest: str) -> Findings:
    """A version that lost a name has no extract any more."""
    for key in store.list(f"extracts/{digest}/"):
        message = "a name was erased from this version, and its extract is still there"
        yield Finding("not-erased", key, message, rebuild=True)


def _hash(store: ObjectStore, key: str, sha256: str | None) -> str | None:
    return sha256_of(store, key) if sha256 is not None else None


def _should_be_gone(store: ObjectStore, digest: str, state: str) -> Findings:
    """A retraction deletes the extract, a void the record index as well; both a moment later."""
    gone = {"retracted": [f"extracts/{digest}/"], "voided": [f"extracts/{digest}/", index_key(digest)]}
    for prefix in gone.get(state, ()):
        for key in store.list(prefix):
            yield Finding("not-deleted", key, f"this version was {state}, and this is still there")


def _strangers(store: ObjectStore, known: set[str]) -> Findings:
    """Rows of no version: an ingest that was refused deletes its own. An index that was to take another's place."""
    for key in store.list(STAGED):
        yield Finding("not-settled", key, "this record index has not taken its place", rebuild=True)
    for prefix, ending in (("records/", ".parquet"), ("extracts/", "")):
        for key in store.list(prefix):
            digest = key.removeprefix(prefix).partition("/")[0].removesuffix(ending)
            if digest not in known:
                yield Finding("object-unknown", key, "no version of any dataset is known by this digest")
