"""A manifest withdrawn: at once by its publisher, or voided by the operator.

Retracted: its rows leave search and look-up with the change of state, its extract is deleted. Its record
index and item keys stay, unread by anybody but the matcher: what its attributions caused stays protected.
Voided: its word counts no more, so index and keys go as well, and feeds drop what stood on it alone.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from byline.errors import Conflict, NotFound, Refused
from byline.formats import statements
from byline.formats.statements import Retraction
from registry.config import Settings
from registry.contributors.aliases import recompute_for_manifest
from registry.database import Sessions
from registry.jobs import enqueue
from registry.models import Act, Dataset, Manifest, OperatorAct, Publisher, Tombstone
from registry.models import Statement as StatementRow
from registry.optouts import match
from registry.publishing import publishers, records, signed
from registry.storage import ObjectStore, item_index
from registry.tlog import append


def retract(session: Session, *, envelope: bytes, settings: Settings, now: dt.datetime) -> dict[str, Any]:
    """Take a signed retraction; the same statement again answers the same.

    NotFound("no-such-version"), Conflict("not-published") for a manifest that is not shown anyway.
    """
    sent = signed.open_sent(envelope, max_payload=settings.max_payload)
    retraction = statements.read_retraction(sent.statement)
    signed.meant_for_us(retraction, origin=settings.origin, now=now)
    signer = signed.signer_of(session, sent, slug=retraction.publisher, role="manifest")
    manifest = _named(session, retraction)
    if session.get(StatementRow, sent.digest) is not None:
        return _answer(retraction, manifest)
    if manifest.state != "published":
        raise Conflict("not-published", f"this version is {manifest.state}; there is nothing to retract")
    subject = f"dataset:{retraction.publisher}/{retraction.name}"
    signed.must_follow(session, subject=subject, previous=retraction.previous)
    publishers.record(
        session,
        sent,
        kind="retraction",
        subject=subject,
        previous=retraction.previous,
        key_id=signer.key.key_id,
        now=now,
    )
    withdraw(session, manifest, state="retracted", label=f"{subject[8:]}@{manifest.version}", now=now)
    return _answer(retraction, manifest)


def void_dataset(session: Session, *, dataset: str, who: str, why: str, now: dt.datetime) -> list[str]:
    """Void every version of `publisher/name`: the operator's word that its attributions are not to be believed.

    Gives the versions voided. NotFound("no-such-dataset").
    """
    found = find_dataset(session, dataset)
    manifests = session.scalars(
        select(Manifest).where(
            Manifest.dataset_id == found.id, Manifest.state.in_(("published", "retracted"))
        )
    ).all()
    for manifest in manifests:
        withdraw(session, manifest, state="voided", label=f"{dataset}@{manifest.version}", now=now)
    session.add(OperatorAct(who=who, what="dataset-void", subject=dataset, why=why, at=now))
    return [manifest.version for manifest in manifests]


def hide_dataset(session: Session, *, dataset: str, who: str, why: str, now: dt.datetime) -> None:
    """Show a dataset no more; its word goes on counting. NotFound("no-such-dataset")."""
    found = find_dataset(session, dataset)
    found.hidden = True
    session.add(OperatorAct(who=who, what="dataset-hide", subject=dataset, why=why, at=now))
    _tell(session, kind="hidden", subject=f"dataset:{dataset}", ref=dataset, now=now)


def withdraw(session: Session, manifest: Manifest, *, state: str, label: str, now: dt.datetime) -> None:
    """Change the state, leave a tombstone, tell the followers, and have the rest deleted after this commits."""
    manifest.state = state
    session.flush()
    if session.get(Tombstone, (state, manifest.digest)) is None:
        session.add(Tombstone(kind=state, subject=manifest.digest, made_at=now))
    _tell(session, kind=state, subject=label, ref=manifest.digest, now=now)
    changed = recompute_for_manifest(session, manifest.id)
    match.ask(session, now=now, manifest=manifest.id)
    if changed:
        match.ask(session, now=now, contributors=sorted(changed))
    key, payload = (
        f"{state}:{manifest.id}",
        {"manifest": manifest.id, "digest": manifest.digest, "state": state},
    )
    enqueue(session, lane="long", kind="forget", key=key, payload=payload, now=now)


def forget(payload: dict[str, Any], *, sessions: Sessions, items: Engine, store: ObjectStore) -> None:
    """Delete what a withdrawn manifest need not keep. May be repeated; does nothing while it is shown."""
    with sessions() as session:
        state = session.scalar(select(Manifest.state).where(Manifest.id == payload["manifest"]))
    if state == "retracted":
        records.drop_extract(store, payload["digest"])
    if state == "voided":
        records.drop_objects(store, payload["digest"])
        item_index.forget(items, payload["manifest"])


def find_dataset(session: Session, dataset: str) -> Dataset:
    """`publisher/name`; NotFound("no-such-dataset")."""
    publisher, _, name = dataset.partition("/")
    found = session.scalar(
        select(Dataset)
        .join(Publisher, Publisher.id == Dataset.publisher_id)
        .where(Publisher.slug == publisher, Dataset.name == name)
    )
    if found is None:
        raise NotFound("no-such-dataset", f"there is no dataset {dataset!r} here")
    return found


def _named(session: Session, retraction: Retraction) -> Manifest:
    dataset = find_dataset(session, f"{retraction.publisher}/{retraction.name}")
    manifest = session.scalar(
        select(Manifest).where(Manifest.dataset_id == dataset.id, Manifest.version == retraction.version)
    )
    if manifest is None:
        raise NotFound(
            "no-such-version",
            f"there is no version {retraction.version!r} of this dataset",
            at="predicate.dataset.version",
        )
    if manifest.digest != retraction.manifest:
        raise Refused(
            "wrong-subject", "the subject is not the digest of this version's manifest", at="subject"
        )
    return manifest


def _answer(retraction: Retraction, manifest: Manifest) -> dict[str, Any]:
    return {
        "digest": manifest.digest,
        "dataset": f"{retraction.publisher}/{retraction.name}",
        "version": manifest.version,
        "state": manifest.state,
    }


def _tell(session: Session, *, kind: str, subject: str, ref: str, now: dt.datetime) -> Act:
    """A private act: the followers look at what it names."""
    return append.append(session, kind=kind, subject=subject, ref=ref, leaf=None, now=now)
