"""Manifests as the matcher sees them: which may be asked something, and whose word counts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from registry.models import Dataset, Manifest, Publisher
from registry.optouts.pieces import select_in

# A manifest is matched once it is in the log, before it is shown. A retracted one asks nothing of anybody any
# more, but what it caused stays protected; a voided one counts for nothing.
TARGET_STATES = frozenset({"logged", "published"})
SOURCE_STATES = TARGET_STATES | {"retracted"}


@dataclass(frozen=True)
class Source:
    """One manifest.

    `counts`: its publisher is approved, so its word is heard about others' rows; `named`: its rows are
    public, not withheld; `observed`: it documents a dataset its publisher does not hold; `items_sha256`: S of
    the items feed, where its rows have ids.
    """

    id: int
    digest: str
    dataset_id: int
    dataset: str
    version: str
    observed: bool
    target: bool
    counts: bool
    named: bool
    items_sha256: str | None = None

    @property
    def label(self) -> str:
        """`publisher/name@version`."""
        return f"{self.dataset}@{self.version}"


def read_sources(session: Session, ids: Collection[int]) -> dict[int, Source]:
    """Those of the manifests that are a source of anything."""
    columns = (
        select(Manifest, Dataset.name, Publisher.slug, Publisher.approved, Publisher.suspended)
        .join(Dataset, Dataset.id == Manifest.dataset_id)
        .join(Publisher, Publisher.id == Dataset.publisher_id)
        .where(Manifest.state.in_(SOURCE_STATES))
    )
    return {
        manifest.id: Source(
            id=manifest.id,
            digest=manifest.digest,
            dataset_id=manifest.dataset_id,
            dataset=f"{slug}/{name}",
            version=manifest.version,
            observed=manifest.role == "observer",
            target=manifest.state in TARGET_STATES,
            counts=approved and not suspended,
            named=manifest.visibility == "named",
            items_sha256=manifest.items_sha256,
        )
        for manifest, name, slug, approved, suspended in select_in(session, columns, Manifest.id, ids)
    }


def target_ids(session: Session) -> Collection[int]:
    """Every manifest that may be asked something."""
    return session.scalars(select(Manifest.id).where(Manifest.state.in_(TARGET_STATES))).all()
