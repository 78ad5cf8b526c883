"""What one opt-out asks of one dataset."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from registry.models.base import Base


class Notice(Base):
    """One per opt-out and dataset.

    `state`: pending, sent, undeliverable, acknowledged, unlisted, said-deleted, suppressed, exempt, not-found,
    contested, withdrawn; `reason` is what was said with it. `assurance` says how it was shown to the publisher.
    `sent_at` is when it was first proved to be delivered; `answered_at` when it was last answered.

    `versions`, oldest first, hold rows of it; `records` counts those of the newest. `word_of` names the
    manifests on whose word it stands. `observed`: every version is documented by one who does not hold the
    dataset.

    `parent_id` is NULL where rows matched. Else the notice stands by lineage alone: `versions` are said to be made
    from that dataset, whose own notice of the same opt-out is the reason; no row is known, `records` is 0.
    """

    __tablename__ = "notice"
    __table_args__ = (UniqueConstraint("opt_out_id", "dataset_id"),)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    opt_out_id: Mapped[str] = mapped_column(ForeignKey("opt_out.id"))
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id"), index=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("dataset.id"))
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
    answered_at: Mapped[dt.datetime | None]
    reason: Mapped[str | None] = mapped_column(String(1000))


class NoticeEvent(Base):
    """What a publisher is told, in order: `seq` counts from 1 for each publisher, without gaps.

    `kind`: made, changed, reopened, contested, withdrawn.
    """

    __tablename__ = "notice_event"
    publisher_id: Mapped[int] = mapped_column(ForeignKey("publisher.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    notice_id: Mapped[str] = mapped_column(ForeignKey("notice.id"), index=True)
    kind: Mapped[str] = mapped_column(String(12))
    made_at: Mapped[dt.datetime]


class Receiver(Base):
    """How far a publisher was told: `next_seq` is the next event's number, `*_to` the last one delivered.

    `batch_to`: up to where the webhook message on its way reaches, so that a message sent again is the same.
    `webhook_error` is what went wrong last; NULL once a message came through.
    """

    __tablename__ = "receiver"
    publisher_id: Mapped[int] = mapped_column(ForeignKey("publisher.id"), primary_key=True)
    next_seq: Mapped[int] = mapped_column(BigInteger, default=1)
    polled_to: Mapped[int] = mapped_column(BigInteger, default=0)
    mailed_to: Mapped[int] = mapped_column(BigInteger, default=0)
    pushed_to: Mapped[int] = mapped_column(BigInteger, default=0)
    batch_to: Mapped[int | None] = mapped_column(BigInteger)
    webhook_url: Mapped[str | None] = mapped_column(String(2000))
    webhook_secret_sealed: Mapped[bytes | None]
    webhook_error: Mapped[str | None] = mapped_column(String(300))
    webhook_failing_since: Mapped[dt.datetime | None]


class Delivery(Base):
    """Proof that events up to `to_seq` reached a publisher. `channel`: poll, webhook, mail.

    `proof`: SHA-256 of the signed request (poll) or of the message (webhook, mail).
    """

    __tablename__ = "delivery"
    id: Mapped[int] = mapped_column(primary_key=True)
    publisher_id: Mapped[int] = mapped_column(ForeignKey("publisher.id"), index=True)
    channel: Mapped[str] = mapped_column(String(8))
    from_seq: Mapped[int] = mapped_column(BigInteger)
    to_seq: Mapped[int] = mapped_column(BigInteger)
    proof: Mapped[str] = mapped_column(String(64))
    at: Mapped[dt.datetime]


class Answer(Base):
    """One thing that was said of a notice, never changed or deleted: a later one amends it.

    `by`: publisher, registry (what it saw itself), person (who contests). `statement` is the digest of the
    signed statement it stands in.
    """

    __tablename__ = "answer"
    id: Mapped[int] = mapped_column(primary_key=True)
    notice_id: Mapped[str] = mapped_column(ForeignKey("notice.id"), index=True)
    by: Mapped[str] = mapped_column(String(10))
    outcome: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(1000))
    statement: Mapped[str | None] = mapped_column(String(64), index=True)
    version: Mapped[str | None] = mapped_column(String(64))
    at: Mapped[dt.datetime]
