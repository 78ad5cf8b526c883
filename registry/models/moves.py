"""Where a registry went that was moved: its old database answers no more, or two would sign one log."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from registry.models.base import Base


class Moved(Base):
    """At most one row, written when everything stands at the new place. Places are kept without passwords."""

    __tablename__ = "moved"
    id: Mapped[int] = mapped_column(primary_key=True)
    to_database: Mapped[str] = mapped_column(String(2000))
    to_store: Mapped[str] = mapped_column(String(2000))
    moved_at: Mapped[dt.datetime]
