"""Flow 1, from an extract that arrived to a published manifest. `ingest` tells it; the steps lie beside it.

Each step may be repeated, and what it wrote is shown to nobody before the last one: kill -9 between any two
lines costs a repeat. States: received -> recorded -> logged -> published, or refused.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from byline.errors import BylineError, Conflict, Refused, Unavailable, Untrusted
from registry.config import Settings
from registry.contributors.aliases import recompute_for_manifest
from registry.database import Sessions, transaction
from registry.models import Manifest, ManifestFile, Publisher, PublisherKey, Submission
from registry.optouts import match
from registry.publishing import (
    attributions,
    contributors,
    fence,
    publishers,
    records,
    signed,
    submissions,
    uploads,
)
from registry.publishing.arrival import Arrived, open_arrived, part_name, scratch, state_of, task_of
from registry.publishing.progress import Progress
from registry.publishing.task import INDEX, ITEMS, LINKS, MAKERS, Totals
from registry.storage import ObjectStore, item_index
from registry.tlog import append

Clock = Callable[[], dt.datetime]
Say = Callable[[str, int, int | None], None]
MAX_CRASHES = 3


def ingest(
    submission_id: str,
    *,
    sessions: Sessions,
    items: Engine,
    store: ObjectStore,
    settings: Settings,
    clock: Clock,
) -> None:
    """Bring a received submission to *published*, or to *refused* with the reason.

    May be called again at any time.
    """
    arrived = open_arrived(sessions, store, submission_id, settings=settings)
    if arrived is None:
        return
    progress = Progress(sessions, submission_id)
    try:
        record(arrived, sessions=sessions, items=items, store=store, settings=settings, progress=progress)
        log(sessions, arrived, now=clock())
    except (Refused, Untrusted, Conflict) as error:
        refuse(sessions, arrived, error=error, items=items, store=store)
        return
    learn(sessions, arrived, now=clock())
    progress.say("matching", 0, 1)
    match.match_manifest(sessions, items=items, store=store, manifest_id=arrived.manifest_id, now=clock())
    publish(sessions, arrived, now=clock())
    uploads.drop_blocks(store, submission_id)


def record(
    arrived: Arrived,
    *,
    sessions: Sessions,
    items: Engine,
    store: ObjectStore,
    settings: Settings,
    progress: Progress,
) -> None:
    """Received -> recorded.

    A killed attempt is made again from the start: all it wrote is written over, or there already.
    """
    if state_of(sessions, arrived) != "received":
        return
    with scratch(settings, arrived.submission_id) as folder:
        totals = read_extract(
            arrived, folder, sessions=sessions, store=store, settings=settings, progress=progress
        )
        index_sha256 = records.keep_index(store, arrived.digest, folder / INDEX)
        total = arrived.predicate.records.extract_rows
        # Said before the first key is in: a refusal after this has keys to take out again.
        progress.say("item-keys", 0, total, force=True)
        keep_keys_and_makers(
            arrived.manifest_id, folder, total=total, sessions=sessions, items=items, say=progress.say
        )
    mark_recorded(sessions, arrived, totals=totals, index_sha256=index_sha256)


def read_extract(
    arrived: Arrived,
    folder: Path,
    *,
    sessions: Sessions,
    store: ObjectStore,
    settings: Settings,
    progress: Progress,
) -> Totals:
    """Have the fenced process read it.

    Its third death refuses the submission: an extract that kills is not tried for ever.
    """
    progress.say("reading", 0, arrived.predicate.records.extract_rows)
    for part, size in arrived.parts:
        uploads.assemble_part(store, arrived.submission_id, part, to=folder / part_name(part), size=size)
    try:
        totals = fence.read_extract(task_of(arrived, folder, settings), heard=progress.say)
    except Unavailable as error:
        if _count_crash(sessions, arrived) >= MAX_CRASHES:
            raise Refused("extract-kills-its-reader", f"three times: {error.message}") from error
        raise
    records.keep_extract(store, arrived.digest, [folder / part_name(part) for part, _ in arrived.parts])
    return totals


def keep_keys_and_makers(
    manifest_id: int, folder: Path, *, total: int, sessions: Sessions, items: Engine, say: Say
) -> None:
    """Item keys into their database; meanwhile makers, counts and names into theirs; then who is shown to be one."""
    with ThreadPoolExecutor(1) as beside:
        loading = beside.submit(
            records.load_item_keys,
            items,
            manifest_id=manifest_id,
            keys=folder / ITEMS,
            loaded=lambda count: say("item-keys", count, total),
        )
        contributors.count_contributors(
            sessions,
            manifest_id=manifest_id,
            makers=folder / MAKERS,
            counted=lambda count: say("makers", count, None) if loading.done() else None,
        )
        loading.result()
    attributions.learn_own_links(sessions, manifest_id=manifest_id, links=folder / LINKS)
    attributions.learn_photo_links(sessions, items, manifest_id=manifest_id, keys=folder / ITEMS)


def mark_recorded(sessions: Sessions, arrived: Arrived, *, totals: Totals, index_sha256: str) -> None:
    """Received -> recorded: everything this manifest holds is kept."""
    with transaction(sessions) as session:
        manifest = session.get_one(Manifest, arrived.manifest_id)
        manifest.state = "recorded"
        keep_totals(session, manifest, totals=totals, index_sha256=index_sha256)
        session.get_one(Submission, arrived.submission_id).state = "recorded"


def keep_totals(session: Session, manifest: Manifest, *, totals: Totals, index_sha256: str) -> None:
    """What was counted over the whole extract."""
    manifest.contributors, manifest.unattributed = totals.makers, totals.unattributed
    manifest.licenses, manifest.platforms = totals.licenses, totals.platforms
    manifest.index_sha256, manifest.items_sha256 = index_sha256, totals.items_sha256
    manifest.spread = contributors.spread(session, manifest.id)
    for position, found in enumerate(totals.column_sha256):
        session.execute(
            update(ManifestFile)
            .where(ManifestFile.manifest_id == manifest.id, ManifestFile.position == position)
            .values(column=totals.column, column_sha256=found)
        )


def log(sessions: Sessions, arrived: Arrived, *, now: dt.datetime) -> None:
    """Recorded -> logged: the statement becomes its dataset's last, and a leaf, in one transaction.

    What was true when the manifest was accepted must still be true: the key stands, nothing else came
    between.
    """
    with transaction(sessions) as session:
        manifest = session.get_one(Manifest, arrived.manifest_id)
        if manifest.state != "recorded":
            return
        _check_still(session, arrived, manifest)
        publishers.record(
            session,
            arrived.sent,
            kind="manifest",
            subject=f"dataset:{arrived.predicate.dataset.dataset}",
            previous=arrived.predicate.previous,
            key_id=manifest.key_id,
            now=now,
        )
        manifest.state = session.get_one(Submission, arrived.submission_id).state = "logged"


def learn(sessions: Sessions, arrived: Arrived, *, now: dt.datetime) -> None:
    """Its links count from here on; whoever that joins or parts is matched again."""
    with transaction(sessions) as session:
        changed = recompute_for_manifest(session, arrived.manifest_id)
        if changed:
            match.ask(session, now=now, contributors=sorted(changed))


def publish(sessions: Sessions, arrived: Arrived, *, now: dt.datetime) -> None:
    """Logged -> published: from here on it is shown, and the followers are told."""
    with transaction(sessions) as session:
        manifest = session.get_one(Manifest, arrived.manifest_id)
        if manifest.state != "logged":
            return
        manifest.state, manifest.published_at = "published", now
        submission = session.get_one(Submission, arrived.submission_id)
        submission.state = "published"
        submission.progress = {"step": "published", "done": manifest.rows, "total": manifest.rows}
        label = arrived.predicate.dataset.label
        append.append(session, kind="published", subject=label, ref=manifest.digest, leaf=None, now=now)


def refuse(
    sessions: Sessions, arrived: Arrived, *, error: BylineError, items: Engine, store: ObjectStore
) -> None:
    """End it with the reason.

    Keys go before the manifest's row does: its number may be given to another manifest.
    """
    with sessions() as session:
        step = session.get_one(Submission, arrived.submission_id).progress.get("step")
    if step not in (submissions.RECEIVED, "reading"):
        item_index.forget(items, arrived.manifest_id)
    records.drop_objects(store, arrived.digest)
    uploads.drop_blocks(store, arrived.submission_id)
    listed = error.details if error.code == "bad-rows" and isinstance(error.details, list) else []
    with transaction(sessions) as session:
        submission = session.get_one(Submission, arrived.submission_id)
        said = {"code": error.code, "message": error.message, "at": error.at}
        submissions.drop_manifest(
            session, submission, state=submissions.REFUSED, errors=[dict(said), *listed]
        )


def _count_crash(sessions: Sessions, arrived: Arrived) -> int:
    with transaction(sessions) as session:
        submission = session.get_one(Submission, arrived.submission_id)
        submission.crashes += 1
        return submission.crashes


def _check_still(session: Session, arrived: Arrived, manifest: Manifest) -> None:
    key = session.get_one(PublisherKey, manifest.key_id)
    if key.revoked_at is not None:
        raise Untrusted("revoked-key", "the signing key was revoked before the manifest reached the log")
    if session.get_one(Publisher, key.publisher_id).suspended:
        raise Untrusted(
            "publisher-suspended", "the publisher was suspended before the manifest reached the log"
        )
    dataset = arrived.predicate.dataset.dataset
    signed.must_follow(session, subject=f"dataset:{dataset}", previous=arrived.predicate.previous)
