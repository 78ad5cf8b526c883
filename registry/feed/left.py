"""What left since the last head, and why: written down when it happens, forgotten when a head has said it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from pyroaring import BitMap64
from sqlalchemy import delete, exists, or_, select
from sqlalchemy.orm import Session

from byline.formats.keyset import Keys
from registry.models import Act, Dataset, Manifest, Publisher, WithdrawnKey, WithdrawnRows
from registry.optouts.pieces import pieces


@dataclass(frozen=True)
class Left:
    """Keys and rows (by manifest and file) of withdrawn opt-outs, whether a source was voided, versions not shown now."""

    keys: Keys
    rows: Mapping[tuple[int, int], BitMap64]
    voided: bool
    versions: Mapping[tuple[str, str], str]
    ids: tuple[tuple[int, ...], tuple[int, ...]]


def read_left(session: Session, *, since: int) -> Left:
    """`since`: the number of the act the last head was made at."""
    keys = session.execute(select(WithdrawnKey.id, WithdrawnKey.k)).all()
    rows: dict[tuple[int, int], BitMap64] = {}
    row_ids = []
    for one in session.scalars(select(WithdrawnRows)):
        place = (one.manifest_id, one.file)
        rows[place] = rows.get(place, BitMap64()) | BitMap64.deserialize(one.rows)
        row_ids.append(one.id)
    voided = select(exists().where(Act.kind == "voided", Act.number >= since))
    return Left(
        keys=np.array([row.k for row in keys], dtype=np.int64),
        rows=rows,
        voided=bool(session.scalar(voided)),
        versions=_not_shown(session),
        ids=(tuple(row.id for row in keys), tuple(row_ids)),
    )


def forget_left(session: Session, left: Left) -> None:
    """A head says it now."""
    keys, rows = left.ids
    for piece in pieces(keys):
        session.execute(delete(WithdrawnKey).where(WithdrawnKey.id.in_(piece)))
    for piece in pieces(rows):
        session.execute(delete(WithdrawnRows).where(WithdrawnRows.id.in_(piece)))


def _not_shown(session: Session) -> dict[tuple[str, str], str]:
    """Versions that stand in no row index, and why."""
    found = (
        select(Publisher.slug, Dataset.name, Manifest.version, Manifest.state)
        .join(Dataset, Dataset.id == Manifest.dataset_id)
        .join(Publisher, Publisher.id == Dataset.publisher_id)
        .where(
            or_(
                Manifest.state.in_(("retracted", "voided")),
                (Manifest.state == "published") & or_(~Publisher.approved, Publisher.suspended),
            )
        )
    )
    return {
        (f"{row.slug}/{row.name}", row.version): row.state if row.state != "published" else "not-approved"
        for row in session.execute(found)
    }
