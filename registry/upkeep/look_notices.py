"""Notices by lineage: each leads to the notice of the same opt-out where the rows are."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from sqlalchemy import Row, or_, select
from sqlalchemy.orm import Session, aliased

from registry.database import Sessions
from registry.models import Dataset, Notice, Publisher
from registry.optouts.answers import CLOSED
from registry.upkeep.findings import Finding, Findings

MOST = 100
Ups = Mapping[tuple[str, int], int]
"""(opt-out, dataset) -> the dataset it is said to be made from."""


def look_at_notices(sessions: Sessions) -> Findings:
    """Parents that are not asked by the same opt-out, or that have no rows of their own; at most MOST are told."""
    with sessions() as session:
        wrong = _wrong(session)
        ups = {(row.opt_out_id, row.dataset_id): row.parent_id for row in wrong}
        for row in islice(wrong, MOST):
            where = f"{row.slug}/{row.name}"
            if _comes_round(ups, row.opt_out_id, row.dataset_id):
                message = f"the notice to {where} by lineage leads in a circle, to no dataset with rows"
                yield Finding("lineage-circle", row.id, message, rebuild=True)
            else:
                message = f"the notice to {where} by lineage leads to a dataset that the same opt-out does not ask for rows"
                yield Finding("lineage-nowhere", row.id, message, rebuild=True)


def _wrong(session: Session) -> list[Row[str, str, int, int | None, str, str]]:
    up = aliased(Notice)
    columns = (
        select(
            Notice.id, Notice.opt_out_id, Notice.dataset_id, Notice.parent_id, Publisher.slug, Dataset.name
        )
        .join(Dataset, Dataset.id == Notice.dataset_id)
        .join(Publisher, Publisher.id == Dataset.publisher_id)
        .outerjoin(up, (up.opt_out_id == Notice.opt_out_id) & (up.dataset_id == Notice.parent_id))
        .where(Notice.parent_id.is_not(None), Notice.state != CLOSED)
        .where(or_(up.id.is_(None), up.state == CLOSED, up.parent_id.is_not(None)))
    )
    return list(session.execute(columns.order_by(Notice.id)).all())


def _comes_round(ups: Ups, opt_out_id: str, dataset_id: int) -> bool:
    """Whether who follows the parents is at some dataset twice."""
    seen: set[int] = set()
    at: int | None = dataset_id
    while at is not None and at not in seen:
        seen.add(at)
        at = ups.get((opt_out_id, at))
    return at is not None
