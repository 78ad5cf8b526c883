"""What must stay gone whatever is rebuilt or restored: hidden, erased, retracted, voided."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from registry.models.base import Base


class Tombstone(Base):
    """`kind`: hidden, shown, forgotten (who asked), erased (a name out of a version), retracted, voided.

    `subject`: a contributor's public id, the id of a claim, opt-out or watch, a manifest's digest.
    `kept`: it stands in the object store as well.
    """

    __tablename__ = "tombstone"
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    subject: Mapped[str] = mapped_column(String(300), primary_key=True)
    made_at: Mapped[dt.datetime]
    kept: Mapped[bool] = mapped_column(default=False, index=True)
