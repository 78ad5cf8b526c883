"""What is registered: datasets, their versions, their publishers. Only what is published, and what was and is withdrawn.

Each answer takes a constant number of queries, however many versions or datasets there are on the page.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from sqlalchemy import Select, and_, func, or_, select, tuple_
from sqlalchemy.orm import Session

from byline.errors import NotFound, Refused
from byline.formats import canonical, envelope, statements
from byline.formats import croissant as croissant_format
from byline.formats.keys import PublicKey
from registry.models import (
    Dataset,
    Manifest,
    ManifestFile,
    Publisher,
    PublisherKey,
    Statement,
    SubjectHead,
)
from registry.publishing import lineage
from registry.publishing.submit import manifest_key
from registry.storage import ObjectStore

SHOWN = ("published", "retracted", "voided")
MOST_WORDS = 8
View = dict[str, Any]


def datasets(session: Session, *, limit: int, cursor: str | None = None, q: str = "") -> View:
    """A page of datasets by name, each with its newest published version.

    `q`: words that must each stand in the dataset's name or title, or in its publisher's.
    """
    statement = _newest().order_by(Publisher.slug, Dataset.name).limit(limit + 1)
    for word in q.split()[:MOST_WORDS]:
        said = (Publisher.slug + "/" + Dataset.name, Manifest.title, Publisher.name)
        statement = statement.where(or_(*(one.icontains(word, autoescape=True) for one in said)))
    if cursor is not None:
        statement = statement.where(tuple_(Publisher.slug, Dataset.name) > tuple_(*_read_cursor(cursor)))
    rows = session.execute(statement).all()
    items = [
        {"dataset": _ref(dataset, publisher), **_publisher_line(publisher), **_in_short(manifest)}
        for manifest, dataset, publisher in rows[:limit]
    ]
    after = rows[limit - 1] if len(rows) > limit else None
    return {"items": items, "next": _write_cursor(after[2].slug, after[1].name) if after else None}


def dataset(session: Session, ref: str) -> View:
    """`publisher/name`: its newest version whole, all versions in short, and the statement the next one must follow."""
    found, publisher, manifests = _dataset(session, ref)
    newest = manifests[0]
    head = session.get(SubjectHead, f"dataset:{ref}")
    return {
        **_whole(session, newest, ref),
        **_publisher_line(publisher),
        "head": head.digest if head else None,
        "created_at": found.created_at,
        "derivatives": lineage.derivatives(session, ref),
        "versions": [{**_in_short(one), "dataset": ref} for one in manifests],
    }


def version(session: Session, publisher: str, name: str, version: str | None) -> View:
    """One version whole, the newest where none is named; NotFound("no-such-version")."""
    ref = f"{publisher}/{name}"
    return _whole(session, _manifest(session, ref, version), ref)


def manifest_envelope(session: Session, *, store: ObjectStore, dataset: str, version: str | None) -> bytes:
    """The signed manifest, byte for byte as it came."""
    return store.get(manifest_key(_manifest(session, dataset, version).digest))


def statement_envelope(session: Session, *, store: ObjectStore, digest: str) -> bytes:
    """Any signed statement that stands in the log, byte for byte as it came.

    NotFound("no-such-statement"); NotFound("redacted") for a manifest whose dataset the operator has taken from view: its
    entry stays in the log.
    """
    found = session.get(Statement, digest)
    if found is None:
        raise NotFound("no-such-statement", "no statement has this digest", at=digest)
    if found.envelope is not None:
        return found.envelope
    hidden = session.scalar(select(Dataset.hidden).join(Manifest).where(Manifest.digest == digest))
    if hidden is not False:
        raise NotFound("redacted", "this manifest was taken from view; its entry stays in the log", at=digest)
    try:
        return store.get(manifest_key(digest))
    except NotFound as error:
        raise NotFound(
            "no-such-statement", "the log holds this statement, and it is lost here", at=digest
        ) from error


def croissant(session: Session, *, store: ObjectStore, dataset: str, version: str | None) -> View:
    """The publisher's own Croissant document, or a Croissant 1.1 card made from what the manifest says."""
    manifest = _manifest(session, dataset, version)
    opened = envelope.open_envelope(store.get(manifest_key(manifest.digest)))
    given: View = dict(statements.parse(opened.payload).predicate["croissant"])
    if given:
        return given
    main = max(manifest.licenses, key=manifest.licenses.__getitem__, default=None)
    return croissant_format.minimal(
        title=manifest.title or dataset,
        description=manifest.description,
        license_=main,
        version=manifest.version,
    )


def publisher(session: Session, slug: str) -> View:
    """A publisher, its keys and datasets; NotFound("no-such-publisher")."""
    found = session.scalar(select(Publisher).where(Publisher.slug == slug))
    if found is None:
        raise NotFound("no-such-publisher", f"there is no publisher {slug!r} here")
    keys = session.scalars(
        select(PublisherKey)
        .where(PublisherKey.publisher_id == found.id)
        .order_by(PublisherKey.added_at, PublisherKey.key_id)
    )
    names = session.scalars(
        select(Dataset.name)
        .join(Manifest, and_(Manifest.dataset_id == Dataset.id, Manifest.state.in_(SHOWN)))
        .where(Dataset.publisher_id == found.id, Dataset.hidden.is_(False))
        .distinct()
        .order_by(Dataset.name)
    )
    head = session.get(SubjectHead, f"keys:{slug}")
    return {
        "slug": found.slug,
        "name": found.name,
        "status": found.status,
        "domain": found.domain,
        "approved": found.approved,
        "suspended": found.suspended,
        "registered_at": found.registered_at,
        "head": head.digest if head else None,
        "keys": [_key(key) for key in keys],
        "datasets": [f"{slug}/{name}" for name in names],
    }


def totals(session: Session) -> dict[str, int]:
    """How many datasets are published, and how many records their newest versions have together."""
    newest = _newest().with_only_columns(Manifest.records).subquery()
    row = session.execute(
        select(func.count(), func.coalesce(func.sum(newest.c.records), 0)).select_from(newest)
    ).one()
    return {"datasets": int(row[0]), "records": int(row[1])}


def _newest() -> Select[Manifest, Dataset, Publisher]:
    """The newest published version of each dataset that is shown."""
    order = (Manifest.published_at.desc(), Manifest.id.desc())
    ranked = (
        select(
            Manifest.id,
            func.row_number().over(partition_by=Manifest.dataset_id, order_by=order).label("rank"),
        )
        .where(Manifest.state == "published")
        .subquery()
    )
    return (
        select(Manifest, Dataset, Publisher)
        .join(ranked, and_(ranked.c.id == Manifest.id, ranked.c.rank == 1))
        .join(Dataset, Dataset.id == Manifest.dataset_id)
        .join(Publisher, Publisher.id == Dataset.publisher_id)
        .where(Dataset.hidden.is_(False))
    )


def _dataset(session: Session, ref: str) -> tuple[Dataset, Publisher, list[Manifest]]:
    """A dataset with its versions: the published ones first, newest first."""
    slug, _, name = ref.partition("/")
    rows = session.execute(
        select(Dataset, Publisher, Manifest)
        .join(Publisher, Publisher.id == Dataset.publisher_id)
        .join(Manifest, Manifest.dataset_id == Dataset.id)
        .where(
            Publisher.slug == slug, Dataset.name == name, Dataset.hidden.is_(False), Manifest.published_at.is_not(None),
            Manifest.state.in_(SHOWN),
        )
        .order_by(Manifest.published_at.desc(), Manifest.id.desc())
    ).all()  # fmt: skip
    if not rows:
        raise NotFound("no-such-dataset", f"there is no dataset {ref!r} here")
    manifests = sorted((row[2] for row in rows), key=lambda one: one.state != "published")
    return rows[0][0], rows[0][1], manifests


def _manifest(session: Session, ref: str, version: str | None) -> Manifest:
    manifests = _dataset(session, ref)[2]
    if version is None:
        return manifests[0]
    for manifest in manifests:
        if manifest.version == version:
            return manifest
    raise NotFound("no-such-version", f"{ref} has no version {version!r}")


def _publisher_line(publisher: Publisher) -> View:
    return {
        "publisher": publisher.slug,
        "publisher_name": publisher.name,
        "publisher_status": publisher.status,
        "publisher_approved": publisher.approved and not publisher.suspended,
    }


def _in_short(manifest: Manifest) -> View:
    return {
        "version": manifest.version,
        "digest": manifest.digest,
        "state": manifest.state,
        "role": manifest.role,
        "visibility": manifest.visibility,
        "title": manifest.title,
        "records": manifest.records,
        "rows": manifest.rows,
        "bad_rows": manifest.bad_rows,
        "contributors": manifest.contributors,
        "unattributed": manifest.unattributed,
        "purposes": manifest.purposes,
        "access": manifest.access,
        "annotations": manifest.annotations,
        "made_at": manifest.made_at,
        "published_at": manifest.published_at,
    }


def _whole(session: Session, manifest: Manifest, ref: str) -> View:
    files = session.scalars(
        select(ManifestFile).where(ManifestFile.manifest_id == manifest.id).order_by(ManifestFile.position)
    )
    superseded = session.scalar(select(Manifest.digest).where(Manifest.id == manifest.supersedes_id))
    return {
        "dataset": ref,
        **_in_short(manifest),
        "description": manifest.description,
        "format": manifest.format,
        "licenses": manifest.licenses,
        "platforms": manifest.platforms,
        "spread": manifest.spread or {},
        "consent": manifest.consent,
        "contact": manifest.contact,
        "personal_data": manifest.personal_data,
        "supersedes": superseded,
        "derived_from": lineage.parents(session, manifest.id),
        "files": [{"name": one.name, "sha256": one.sha256, "records": one.records} for one in files],
    }


def _key(key: PublisherKey) -> View:
    return {
        "key_id": key.key_id,
        "public_key": PublicKey(key.public_key).to_pem(),
        "roles": key.roles.split(","),
        "added_at": key.added_at,
        "revoked_at": key.revoked_at,
    }


def _ref(dataset: Dataset, publisher: Publisher) -> str:
    return f"{publisher.slug}/{dataset.name}"


def _write_cursor(slug: str, name: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([slug, name]).encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[str, str]:
    try:
        found = canonical.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, Refused):
        found = None
    if not isinstance(found, list) or [type(one) for one in found] != [str, str]:
        raise Refused("bad-cursor", "this is no cursor of ours; begin without one", at="cursor")
    return found[0], found[1]
