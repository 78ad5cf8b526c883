"""What one opt-out asks of one dataset."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from registry.models.base import Base


class Notice(Base):
    """One per opt-out and dataset.

    States are design section 5's; `assurance` says how it was shown to the publisher.

    `versions`, oldest first, hold rows of it; `records` counts those of the newest. `word_of` names the
    manifests on whose word it stands. `observed`: every version is documented by one who does not hold the
    dataset.
    """

    __tablename__ = "notice"
    __table_args__ = (UniqueConstraint("opt_out_id", "dataset_id"),)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    opt_out_id: Mapped[str] = mapped_column(ForeignKey("opt_out.id"))
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id"), index=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    assurance: Mapped[str] = mapped_column(String(10))
    versions: Mapped[list[Any]]
    records: Mapped[int] = mapped_column(BigInteger)
    word_of: Mapped[list[Any]]
    observed: Mapped[bool] = mapped_column(default=False)
    confirmed: Mapped[bool] = mapped_column(default=False)
    made_at: Mapped[dt.datetime]
    sent_at: Mapped[dt.datetime | None]
    answer_by: Mapped[dt.datetime | None]
    closed_at: Mapped[dt.datetime | None]
