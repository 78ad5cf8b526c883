"""How many datasets there were, and when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from registry.models import Dataset, Manifest


def datasets_until(session: Session, ends: Sequence[dt.datetime]) -> list[int]:
    """How many datasets that are shown today had a version at each of these times; one query."""
    if not ends:
        return []
    shown = (Manifest.state == "published") & ~Dataset.hidden
    counts = [
        func.count(case((Manifest.published_at <= end, Manifest.dataset_id)).distinct()) for end in ends
    ]
    found = session.execute(
        select(*counts).join(Dataset, Dataset.id == Manifest.dataset_id).where(shown)
    ).one()
    return list(found)
