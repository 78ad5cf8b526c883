"""The bytes of an extract, as they come: in blocks that lie safe one by one, so that a broken upload goes on.

Only what an accepted manifest awaits is taken, for as long as it awaits it. Bytes belong to that submission alone: a
digest that is known already attaches nothing, or naming a digest would disclose another's list.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from byline.errors import Conflict, NotFound, Refused
from registry import disk
from registry.config import Settings
from registry.contributors import withheld
from registry.database import Sessions, transaction
from registry.jobs import enqueue
from registry.models import ExtractPart, Manifest, Submission
from registry.publishing import quota
from registry.publishing.submissions import AWAITING, EXPIRED, RECEIVED, drop_manifest
from registry.storage import ObjectStore

BLOCK = 8 << 20


@dataclass(frozen=True)
class Range:
    """Bytes `offset` up to `end` of a part of `total` bytes; `sha256` (hex) of the whole part where it was given."""

    part: int
    parts: int
    offset: int
    end: int
    total: int
    sha256: str | None


def receive_part(
    sessions: Sessions,
    *,
    store: ObjectStore,
    submission_id: str,
    sent: Range,
    stream: BinaryIO,
    settings: Settings,
    now: dt.datetime,
) -> dict[str, Any]:
    """Take a range of a part; with the last byte of the last part the submission is *received* and its ingest is due.

    A stream that ends early keeps what came. Conflict("wrong-offset") names where to go on.
    """
    with transaction(sessions) as session:
        _expect(session, submission_id, sent, settings=settings, now=now)
    offset = sent.offset
    for block in _blocks(stream, sent.end - sent.offset):
        if offset > sent.offset:  # others send at the same time, and of the same quota
            with sessions() as session:
                quota.check_more(session, submission_id, coming=len(block), settings=settings)
            disk.check_room(settings, coming=len(block))
        store.put(block_key(submission_id, sent.part, offset), block)
        with transaction(sessions) as session:
            _advance(session, submission_id, sent.part, offset=offset, received=offset + len(block))
        offset += len(block)
    if offset == sent.total:
        _check_whole(sessions, store=store, submission_id=submission_id, sent=sent)
    with transaction(sessions) as session:
        return _settle(session, submission_id, sent, received=offset, now=now)


def receive_key(session: Session, *, submission_id: str, key: bytes, now: dt.datetime) -> dict[str, Any]:
    """Take the key of withheld rows, before the extract; the same key may come again. `{"id", "state"}`.

    Refused("wrong-withheld-key") unless it is the one that the manifest names.
    """
    submission = _awaited(session, submission_id, now=now)
    withheld.keep_key(session, session.get_one(Manifest, submission.manifest_id), key)
    return {"id": submission.id, "state": submission.state}


def expire_overdue(sessions: Sessions, *, store: ObjectStore, now: dt.datetime) -> int:
    """End the submissions whose extract did not come in time, and give back the space of all that ended so."""
    with transaction(sessions) as session:
        overdue = session.scalars(
            select(Submission).where(Submission.state == AWAITING, Submission.expires_at < now).limit(100)
        ).all()
        for submission in overdue:
            late = {
                "code": "extract-too-late",
                "message": "the extract did not come in time; submit the manifest again",
                "at": None,
            }
            drop_manifest(session, submission, state=EXPIRED, errors=[dict(late)])
    _sweep(sessions, store)
    return len(overdue)


def _sweep(sessions: Sessions, store: ObjectStore) -> None:
    # The parts' rows go after the blocks: a crash between the two costs a repeat, and no space.
    begun = (
        select(ExtractPart.submission_id)
        .join(Submission, Submission.id == ExtractPart.submission_id)
        .where(Submission.state == EXPIRED)
        .distinct()
        .limit(100)
    )
    with sessions() as session:
        ended = session.scalars(begun).all()
    for id_ in ended:
        drop_blocks(store, id_)
        with transaction(sessions) as session:
            session.execute(delete(ExtractPart).where(ExtractPart.submission_id == id_))


def block_key(submission_id: str, part: int, offset: int) -> str:
    """Where a block lies: sorted by name, the blocks of a part are in order."""
    return f"uploads/{submission_id}/{part:04d}/{offset:013d}"


def assemble_part(store: ObjectStore, submission_id: str, part: int, *, to: Path, size: int) -> None:
    """Write a part whole into a scratch file."""
    with to.open("wb") as out:
        for data in _stored(store, submission_id, part, size=size):
            out.write(data)


def drop_blocks(store: ObjectStore, submission_id: str) -> None:
    """Forget what was sent."""
    for key in list(store.list(f"uploads/{submission_id}/")):
        store.delete(key)


def _expect(
    session: Session, submission_id: str, sent: Range, *, settings: Settings, now: dt.datetime
) -> None:
    submission = _awaited(session, submission_id, now=now)
    _check_key(session, submission)
    _check_range(sent, settings=settings)
    quota.check(session, submission, coming=min(sent.end - sent.offset, BLOCK), settings=settings)
    disk.check_room(settings, coming=sent.end - sent.offset)
    there = {
        row.part: row
        for row in session.scalars(select(ExtractPart).where(ExtractPart.submission_id == submission_id))
    }
    if not there:
        submission.parts = sent.parts
        session.add_all(
            ExtractPart(submission_id=submission_id, part=number, received=0) for number in range(sent.parts)
        )
        session.flush()
        there = {
            row.part: row
            for row in session.scalars(select(ExtractPart).where(ExtractPart.submission_id == submission_id))
        }
    if len(there) != sent.parts:
        raise Conflict(
            "parts-changed", f"this upload was begun with {len(there)} parts", details={"parts": len(there)}
        )
    part = there[sent.part]
    if part.received != sent.offset:
        raise Conflict(
            "wrong-offset",
            f"part {sent.part} goes on at byte {part.received}",
            details={"received": part.received},
        )
    if part.size not in (None, sent.total):
        raise Conflict(
            "size-changed",
            f"part {sent.part} was begun with {part.size} bytes in all",
            details={"size": part.size},
        )
    part.size = sent.total


def _awaited(session: Session, submission_id: str, *, now: dt.datetime) -> Submission:
    submission = session.get(Submission, submission_id)
    if submission is None:
        raise NotFound("no-such-submission", "there is no submission of this id")
    if submission.state != AWAITING or submission.expires_at < now:
        raise Conflict(
            "extract-not-awaited",
            f"this submission is {submission.state}; it awaits no extract",
            details={"state": submission.state},
        )
    return submission


def _check_key(session: Session, submission: Submission) -> None:
    manifest = session.get_one(Manifest, submission.manifest_id)
    if manifest.withheld_sha256 is not None and manifest.withheld_key is None:
        raise Conflict(
            "withheld-key-missing",
            "the rows of this manifest are withheld: send the key first, PUT /v1/submissions/ID/key",
        )


def _check_range(sent: Range, *, settings: Settings) -> None:
    if not 1 <= sent.parts <= settings.max_parts or not 0 <= sent.part < sent.parts:
        raise Refused(
            "no-such-part", f"an extract has 1 to {settings.max_parts} parts, counted from 0", at="part"
        )
    if not 0 < sent.total <= settings.max_extract_part:
        raise Refused(
            "part-too-large",
            f"a part has 1 to {settings.max_extract_part:,} bytes; send the extract in more parts",
            at="Content-Range",
        )
    if not 0 <= sent.offset < sent.end <= sent.total:
        raise Refused("bad-range", "the range does not lie within the part", at="Content-Range")


def _advance(session: Session, submission_id: str, part: int, *, offset: int, received: int) -> None:
    moved = session.execute(
        update(ExtractPart)
        .where(
            ExtractPart.submission_id == submission_id,
            ExtractPart.part == part,
            ExtractPart.received == offset,
        )
        .values(received=received)
    )
    if moved.rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict("wrong-offset", "another upload of this part is under way; ask where to go on")


def _check_whole(sessions: Sessions, *, store: ObjectStore, submission_id: str, sent: Range) -> None:
    """Compare the part with the digest that came with it; a part that differs is begun anew."""
    if sent.sha256 is None:
        return
    digest = hashlib.sha256()
    for data in _stored(store, submission_id, sent.part, size=sent.total):
        digest.update(data)
    if digest.hexdigest() == sent.sha256:
        return
    with transaction(sessions) as session:
        _advance(session, submission_id, sent.part, offset=sent.total, received=0)
    raise Refused(
        "part-digest-mismatch",
        "the bytes that arrived are not the ones of Content-Digest; send the part again",
        at="Content-Digest",
    )


def _settle(
    session: Session, submission_id: str, sent: Range, *, received: int, now: dt.datetime
) -> dict[str, Any]:
    submission = session.get_one(Submission, submission_id)
    parts = session.scalars(select(ExtractPart).where(ExtractPart.submission_id == submission_id)).all()
    if received == sent.total:
        next(row for row in parts if row.part == sent.part).sha256 = sent.sha256
    if submission.state == AWAITING and all(row.received == row.size for row in parts):
        submission.state = RECEIVED
        submission.progress = {"step": RECEIVED, "done": 0, "total": None}
        session.get_one(Manifest, submission.manifest_id).state = RECEIVED
        enqueue(
            session,
            lane="long",
            kind="ingest",
            key=submission_id,
            payload={"submission": submission_id},
            now=now,
        )
    return {"part": sent.part, "received": received, "size": sent.total, "state": submission.state}


def _blocks(stream: BinaryIO, length: int) -> Iterator[bytes]:
    """The stream, in blocks; what arrived before it broke off is a block as well."""
    while length > 0:
        pieces, held = [], 0
        while held < min(BLOCK, length):
            piece = stream.read(min(1 << 20, BLOCK - held, length - held))
            if not piece:
                break
            pieces.append(piece)
            held += len(piece)
        if pieces:
            yield b"".join(pieces)
        if held < min(BLOCK, length):
            return
        length -= held


def _stored(store: ObjectStore, submission_id: str, part: int, *, size: int) -> Iterator[bytes]:
    offset = 0
    while offset < size:
        data = store.get(block_key(submission_id, part, offset))
        yield data
        offset += len(data)
