"""One dataset version made again from what lies in the store: its columns, its record index, its keys, its makers.

Its extract is the truth, if it still has the digest that was signed. One that is gone (a retraction) or has lost
somebody's columns since (an erasure) does not come back: then what the record index still holds is all there is.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Engine, delete, or_, select

from byline.errors import NotFound, Refused, Unavailable, Untrusted
from byline.formats.manifest import ManifestPredicate, read_manifest
from registry.config import Settings
from registry.database import Sessions, transaction
from registry.models import AliasLink, ContributorCount, ContributorName, Manifest
from registry.moving.objects import sha256_of
from registry.publishing import contributors, fence, pipeline, records, signed, submissions
from registry.publishing.arrival import part_name, scratch, task_for
from registry.publishing.submit import manifest_key
from registry.publishing.task import INDEX, Totals
from registry.storage import ObjectStore, open_object
from registry.storage.record_index import index_key
from registry.upkeep.staged import settle, stage

Say = Callable[[str, int, int | None], None]
Lost = dict[str, str | None]
EXTRACT, RECORD_INDEX = "extract", "index"
HELD = ("recorded", "logged", "published", "retracted")
_CHUNK = 1 << 20


def lost(error: Untrusted) -> Lost:
    """What is told of it."""
    return {"code": error.code, "at": error.at, "message": error.message}


def versions_with_source(
    sessions: Sessions, store: ObjectStore, *, settings: Settings
) -> tuple[list[int], list[Lost]]:
    """Manifests whose rows are kept, in the order they came; and those of them the store has nothing of any more."""
    with sessions() as session:
        kept = select(Manifest.id, Manifest.digest, Manifest.index_sha256).where(Manifest.state.in_(HELD))
        rows = session.execute(kept.order_by(Manifest.id)).all()
    there, gone = [], []
    for row in rows:
        try:
            read_predicate(store, row.digest, settings=settings)
            _check_rows(store, row.digest, row.index_sha256)
        except Untrusted as error:
            gone.append(lost(error))
        else:
            there.append(row.id)
    return there, gone


def _check_rows(store: ObjectStore, digest: str, index_sha256: str | None) -> None:
    if next(iter(store.list(f"extracts/{digest}/")), None) is not None:
        return
    try:
        whole = sha256_of(store, index_key(digest)) == index_sha256
    except NotFound:
        whole = False
    if not whole:
        raise _rows_lost(digest)


def _rows_lost(digest: str) -> Untrusted:
    return Untrusted(
        "rows-lost", "neither the extract nor the record index of this version can be read", at=digest
    )


def forget_version(sessions: Sessions, manifest_id: int) -> None:
    """Take out what was counted of it; a link that was proved by its owner is no view and stays."""
    with transaction(sessions) as session:
        for table in (ContributorName, ContributorCount):
            session.execute(delete(table).where(table.manifest_id == manifest_id))
        session.execute(
            delete(AliasLink).where(
                or_(AliasLink.manifest_id == manifest_id, AliasLink.other_manifest_id == manifest_id),
                AliasLink.how != "proof",
            )
        )


def remake_version(
    manifest_id: int, *, sessions: Sessions, items: Engine, store: ObjectStore, settings: Settings, say: Say
) -> str:
    """Make it again; from what: "extract" or "index". Untrusted("manifest-lost", "rows-lost") where neither is there."""
    with sessions() as session:
        digest = session.get_one(Manifest, manifest_id).digest
    predicate = read_predicate(store, digest, settings=settings)
    with scratch(settings, f"rebuild-{manifest_id}") as folder:
        totals = _from_extract(predicate, digest, folder, store=store, settings=settings, say=say)
        source = EXTRACT if totals is not None else RECORD_INDEX
        if totals is None:
            totals = _from_index(predicate, digest, folder, store=store, settings=settings, say=say)
        keep = records.keep_index if source == EXTRACT else stage  # where it is read from is the only copy
        index_sha256 = keep(store, digest, folder / INDEX)
        pipeline.keep_keys_and_makers(
            manifest_id, folder, total=totals.entries, sessions=sessions, items=items, say=say
        )
    with transaction(sessions) as session:
        manifest = session.get_one(Manifest, manifest_id)
        submissions.say_again(session, manifest, predicate)
        if source == EXTRACT:
            pipeline.keep_totals(session, manifest, totals=totals, index_sha256=index_sha256)
        else:  # licences, platforms and column digests are of rows that are not there any more: as they were counted
            manifest.contributors, manifest.index_sha256 = totals.makers, index_sha256
            manifest.items_sha256 = totals.items_sha256
            manifest.spread = contributors.spread(session, manifest_id)
    settle(sessions, store)
    return source


def read_predicate(store: ObjectStore, digest: str, *, settings: Settings) -> ManifestPredicate:
    """What the signed manifest says; Untrusted("manifest-lost") where the store has it not, or another."""
    try:
        sent = signed.open_sent(store.get(manifest_key(digest)), max_payload=settings.max_payload)
    except (NotFound, Refused) as error:
        raise Untrusted("manifest-lost", "the store has lost this version's manifest", at=digest) from error
    if sent.digest != digest:
        raise Untrusted("manifest-lost", "the store holds another manifest in this one's place", at=digest)
    return read_manifest(sent.statement)


def _from_extract(
    predicate: ManifestPredicate,
    digest: str,
    folder: Path,
    *,
    store: ObjectStore,
    settings: Settings,
    say: Say,
) -> Totals | None:
    """None where the extract is not there, or not the one that was signed."""
    keys = sorted(store.list(f"extracts/{digest}/"))
    if not keys:
        return None
    names = tuple(part_name(number) for number in range(len(keys)))
    for name, key in zip(names, keys, strict=True):
        _fetch(store, key, folder / name)
    task = task_for(predicate, folder, parts=names, settings=settings)
    try:
        return fence.read_extract(task, heard=say)
    except (Refused, Unavailable):
        return None
    finally:
        for name in names:
            (folder / name).unlink(missing_ok=True)


def _from_index(
    predicate: ManifestPredicate,
    digest: str,
    folder: Path,
    *,
    store: ObjectStore,
    settings: Settings,
    say: Say,
) -> Totals:
    for left in folder.iterdir():
        left.unlink() if left.is_file() else shutil.rmtree(left)
    try:
        _fetch(store, index_key(digest), folder / INDEX)
        return fence.read_extract(task_for(predicate, folder, parts=(), settings=settings), heard=say)
    except (NotFound, Refused, Unavailable) as error:
        raise _rows_lost(digest) from error


def _fetch(store: ObjectStore, key: str, to: Path) -> None:
    source: BinaryIO
    with open_object(store, key) as source, to.open("wb") as target:
        while block := source.read(_CHUNK):
            target.write(block)
