"""What must stay gone whatever is rebuilt or restored: hidden, erased, retracted, voided."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from registry.models.base import Base


class Tombstone(Base):
    """`kind`: hidden, shown, erased, erased-mail, retracted, voided.

    `subject`: a contributor's public id, a request's id, the keyed digest of a mail address, a manifest's digest.
    `kept`: it stands in the object store as well.
    """

    __tablename__ = "tombstone"
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    subject: Mapped[str] = mapped_column(String(300), primary_key=True)
    made_at: Mapped[dt.datetime]
    kept: Mapped[bool] = mapped_column(default=False, index=True)
