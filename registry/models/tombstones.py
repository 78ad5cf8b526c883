"""What must stay gone whatever is rebuilt: hidden, erased, retracted, voided."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from registry.models.base import Base


class Tombstone(Base):
    """`kind`: hidden, erased, retracted, voided.

    `subject` a contributor key digest, manifest digest or request id.
    """

    __tablename__ = "tombstone"
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    subject: Mapped[str] = mapped_column(String(300), primary_key=True)
    made_at: Mapped[dt.datetime]
