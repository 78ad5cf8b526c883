"""Who wants to hear: when a new dataset names a maker, or when somebody answers an opt-out."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from registry.models.base import Base


class Watch(Base):
    """One wish to be told. `about` is a contributor key (`flickr:12345@N00`) or `opt-out:ID`.

    Told by mail or by webhook; both are sealed, as whoever watches somebody is a person too. `state`: waiting (the
    mailed link was not pressed, or the webhook has not answered yet) or on. Of its key only SHA-256 is kept.
    """

    __tablename__ = "watch"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    about: Mapped[str] = mapped_column(String(1000), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    email_sealed: Mapped[bytes | None]
    email_digest: Mapped[str | None] = mapped_column(String(64), index=True)
    webhook_sealed: Mapped[bytes | None]
    secret_sealed: Mapped[bytes | None]
    state: Mapped[str] = mapped_column(String(8), default="waiting")
    made_at: Mapped[dt.datetime] = mapped_column(index=True)
    on_since: Mapped[dt.datetime | None]
    problem: Mapped[str | None] = mapped_column(String(300))
    failing_since: Mapped[dt.datetime | None]


class WatchEvent(Base):
    """What happened for one watch. `kind`: dataset (a first version names them), answer (a notice has a new state).

    `told_at` is when it was delivered. In the order of `id`.
    """

    __tablename__ = "watch_event"
    __table_args__ = (Index("ix_watch_event_watch_id_told_at", "watch_id", "told_at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    watch_id: Mapped[str] = mapped_column(ForeignKey("watch.id"))
    kind: Mapped[str] = mapped_column(String(8))
    manifest_id: Mapped[int | None] = mapped_column(ForeignKey("manifest.id"))
    notice_id: Mapped[str | None] = mapped_column(ForeignKey("notice.id"))
    state: Mapped[str | None] = mapped_column(String(16))
    at: Mapped[dt.datetime]
    told_at: Mapped[dt.datetime | None] = mapped_column(index=True)
