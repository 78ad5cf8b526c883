"""Which manifests may be shown: one place for all that reads about makers."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from registry.models import Dataset, Manifest, Publisher

PIECE = 2_000  # keys a statement: SQLite takes 32,766 parameters, PostgreSQL 65,535


def published() -> ColumnElement[bool]:
    """Published, and the dataset not hidden. Needs Manifest and Dataset in the statement."""
    return and_(Manifest.state == "published", Dataset.hidden.is_(False))


def named() -> ColumnElement[bool]:
    """Published with names: what name search may show. A withheld one answers exact look-ups only."""
    return and_(published(), Manifest.visibility == "named")


def versions() -> Select[Manifest, Dataset, Publisher]:
    """Manifests with their dataset and publisher; add columns, conditions and order."""
    return (
        select(Manifest, Dataset, Publisher)
        .join(Dataset, Dataset.id == Manifest.dataset_id)
        .join(Publisher, Publisher.id == Dataset.publisher_id)
    )


def newest_first(manifest: Manifest) -> tuple[float, int]:
    """Order of the versions of a dataset, the newest last."""
    return (manifest.published_at.timestamp() if manifest.published_at else 0.0, manifest.id)


def pieces(values: Collection[Any], size: int = PIECE) -> Iterator[list[Any]]:
    """The values, sorted, in lists of at most `size`."""
    ordered = sorted(values)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def select_in(
    session: Session,
    statement: Select[*tuple[Any, ...]],
    column: InstrumentedAttribute[Any],
    values: Collection[Any],
) -> Iterator[Any]:
    """Rows of `statement` where `column` is one of `values`, asked in pieces."""
    for piece in pieces(values):
        yield from session.execute(statement.where(column.in_(piece)))
