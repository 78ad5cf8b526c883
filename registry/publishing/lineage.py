"""What a dataset was made from and what was made from it, as far as manifests say so and datasets are registered."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from registry.models import Dataset, DerivedFrom, Manifest, Publisher

MOST = 200


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


def registered(session: Session, refs: Collection[str]) -> set[str]:
    """Which of these datasets can be looked at here."""
    names = {ref.partition("/")[2] for ref in refs}
    rows = session.execute(
        select(Publisher.slug, Dataset.name)
        .join(Dataset, Dataset.publisher_id == Publisher.id)
        .join(Manifest, Manifest.dataset_id == Dataset.id)
        .where(Dataset.name.in_(names), Dataset.hidden.is_(False), Manifest.published_at.is_not(None))
        .distinct()
    )
    return {f"{slug}/{name}" for slug, name in rows} & set(refs)
