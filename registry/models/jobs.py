"""Work to be done, written in the transaction that caused it; and answers kept for repeated requests."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from registry.models.base import Base


class Job(Base):
    """One piece of work. `lane` short, long, out or mail; `state` ready, running, dead. A done job is deleted.

    A running job whose lease ran out is ready again: a killed worker loses nothing.
    """

    __tablename__ = "job"
    __table_args__ = (Index("ix_job_claim", "lane", "state", "run_at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    lane: Mapped[str] = mapped_column(String(8))
    kind: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(200), index=True)
    payload: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(8), default="ready")
    run_at: Mapped[dt.datetime]
    lease_until: Mapped[dt.datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    crashes: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(String(2000))
    made_at: Mapped[dt.datetime]


class IdempotentAnswer(Base):
    """The answer a POST with an Idempotency-Key got; the same key and body get it again."""

    __tablename__ = "idempotent_answer"
    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    body_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    headers: Mapped[dict[str, Any]]
    sealed_body: Mapped[bytes]
    made_at: Mapped[dt.datetime] = mapped_column(index=True)
