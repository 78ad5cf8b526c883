"""What left because somebody took it back: kept until the next head of the feed has said so, with no word of who."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from registry.models.base import Base


class WithdrawnKey(Base):
    """A fingerprint of an opt-out that was withdrawn."""

    __tablename__ = "withdrawn_key"
    id: Mapped[int] = mapped_column(primary_key=True)
    k: Mapped[int] = mapped_column(BigInteger)


class WithdrawnRows(Base):
    """Rows of a registered file (a roaring bitmap's bytes) that an opt-out named until it was withdrawn."""

    __tablename__ = "withdrawn_rows"
    id: Mapped[int] = mapped_column(primary_key=True)
    manifest_id: Mapped[int] = mapped_column(ForeignKey("manifest.id"))
    file: Mapped[int]
    rows: Mapped[bytes]
