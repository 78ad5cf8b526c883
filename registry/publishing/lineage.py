"""What a dataset was made from and what was made from it, as far as manifests say so and datasets are registered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, and_, select, tuple_
from sqlalchemy.orm import Session

from registry.models import Dataset, DerivedFrom, Manifest, Publisher

MOST = 200
DEEPEST = 32
STANDING_STATES = ("awaiting-extract", "received", "recorded", "logged", "published")


def derivatives(session: Session, ref: str) -> list[dict[str, str]]:
    """`[{"dataset", "version", "of"}]`: published versions that name `publisher/name` as what they were made from.

    `of` is the version they name, `""` where they name none; at most 200.
    """
    rows = session.execute(
        select(Publisher.slug, Dataset.name, Manifest.version, DerivedFrom.version.label("of"))
        .join(Dataset, Dataset.publisher_id == Publisher.id)
        .join(Manifest, and_(Manifest.dataset_id == Dataset.id, Manifest.state == "published"))
        .join(DerivedFrom, DerivedFrom.manifest_id == Manifest.id)
        .where(DerivedFrom.dataset == ref, Dataset.hidden.is_(False))
        .order_by(Publisher.slug, Dataset.name, Manifest.id)
        .limit(MOST)
    )
    return [{"dataset": f"{row.slug}/{row.name}", "version": row.version, "of": row.of or ""} for row in rows]


def parents(session: Session, manifest_id: int) -> list[dict[str, Any]]:
    """`[{"dataset", "version", "digest", "standing"}]`, in the order of the manifest.

    `standing`: registered, other-digest (the digest named is not that of the registered version, and is not
    believed), version-not-registered, not-registered (the dataset is a name here and nothing else).
    """
    said = session.scalars(
        select(DerivedFrom).where(DerivedFrom.manifest_id == manifest_id).order_by(DerivedFrom.position)
    ).all()
    held: dict[str, list[tuple[str, str]]] = {}
    shown = _named({one.dataset for one in said}).where(
        Dataset.hidden.is_(False), Manifest.published_at.is_not(None)
    )
    for ref, version, digest in session.execute(shown) if said else ():
        held.setdefault(ref, []).append((version, digest))
    return [
        {
            "dataset": one.dataset,
            "version": one.version,
            "digest": one.digest,
            "standing": _standing(one, held.get(one.dataset, [])),
        }
        for one in said
    ]


def closes_a_cycle(session: Session, manifest: Manifest) -> bool:
    """Whether a version would be made, by whatever steps, from itself: by the word of approved publishers."""
    may_say = Manifest.state.in_(STANDING_STATES) & Publisher.approved & ~Publisher.suspended
    here, seen = {manifest.id}, set[int]()
    for _ in range(DEEPEST):
        edges = session.scalars(select(DerivedFrom).where(DerivedFrom.manifest_id.in_(here))).all()
        if not edges:
            return False
        held: dict[str, list[tuple[int, str, str]]] = {}
        columns = _named({edge.dataset for edge in edges}).add_columns(Manifest.id)
        for ref, version, digest, id_ in session.execute(
            columns.where((Manifest.id == manifest.id) | may_say)
        ):
            held.setdefault(ref, []).append((id_, version, digest))
        here = {
            id_
            for edge in edges
            for id_, version, digest in held.get(edge.dataset, [])
            if edge.version in (None, version) and edge.digest in (None, digest)
        } - seen
        if manifest.id in here:
            return True
        seen |= here
    return False


def _named(refs: set[str]) -> Select[str, str, str]:
    """`(publisher/name, version, digest)` of every version of these datasets."""
    names = [tuple(ref.split("/", 1)) for ref in sorted(refs)]
    ref = (Publisher.slug + "/" + Dataset.name).label("ref")
    return (
        select(ref, Manifest.version, Manifest.digest)
        .join(Dataset, Dataset.publisher_id == Publisher.id)
        .join(Manifest, Manifest.dataset_id == Dataset.id)
        .where(tuple_(Publisher.slug, Dataset.name).in_(names))
    )


def _standing(said: DerivedFrom, held: Sequence[tuple[str, str]]) -> str:
    digests = [digest for version, digest in held if said.version in (None, version)]
    if said.digest is not None and held:
        return (
            "registered"
            if said.digest in digests
            else "other-digest"
            if digests
            else "version-not-registered"
        )
    if digests:
        return "registered"
    return "version-not-registered" if held else "not-registered"
