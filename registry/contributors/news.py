"""Since when each dataset names a maker: what a reader of news wants to know, newest first."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from byline.errors import NotFound
from registry.contributors.visible import named
from registry.models import Contributor, ContributorCount, Dataset, Manifest, Publisher

MOST = 100


@dataclass(frozen=True)
class FirstNamed:
    """A dataset, and when its first version that names the maker came out."""

    dataset: str
    published_at: dt.datetime


def first_named(session: Session, public_id: str) -> tuple[str, list[FirstNamed]]:
    """The maker's key, and the newest hundred datasets that name them under any handle that is theirs.

    NotFound("no-such-contributor").
    """
    found = session.execute(
        select(Contributor.key, Contributor.root_id).where(Contributor.public_id == public_id)
    ).one_or_none()
    if found is None:
        raise NotFound("no-such-contributor", "no registered dataset names this maker", at=public_id[:64])
    first = func.min(Manifest.published_at)
    columns = (
        select(Publisher.slug, Dataset.name, first)
        .join(Dataset, Dataset.publisher_id == Publisher.id)
        .join(Manifest, Manifest.dataset_id == Dataset.id)
        .join(ContributorCount, ContributorCount.manifest_id == Manifest.id)
        .join(Contributor, Contributor.id == ContributorCount.contributor_id)
        .where(Contributor.root_id == found.root_id, named())
        .group_by(Publisher.slug, Dataset.name)
    )
    rows = session.execute(columns.order_by(first.desc(), Publisher.slug, Dataset.name).limit(MOST))
    return found.key, [FirstNamed(f"{slug}/{name}", at) for slug, name, at in rows if at is not None]
