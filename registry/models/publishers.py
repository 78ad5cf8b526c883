"""Who signs: publishers, their keys, and the statements they signed."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from registry.models.base import Base


class Publisher(Base):
    """Somebody who signs.

    `status` is `self-declared` until a domain vouches (`domain`); `approved` is the operator's.
    """

    __tablename__ = "publisher"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(16), default="self-declared")
    domain: Mapped[str | None] = mapped_column(String(253))
    approved: Mapped[bool] = mapped_column(default=False)
    suspended: Mapped[bool] = mapped_column(default=False)
    registered_at: Mapped[dt.datetime]


class PublisherKey(Base):
    """A key that may sign for a publisher.

    `revoked_act` is the act's id from which its statements stop counting.
    """

    __tablename__ = "publisher_key"
    key_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    publisher_id: Mapped[int] = mapped_column(ForeignKey("publisher.id"), index=True)
    public_key: Mapped[bytes]
    roles: Mapped[str] = mapped_column(String(64), default="manifest,outcome")
    added_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]
    revoked_act: Mapped[int | None]


class Statement(Base):
    """A signed statement as it came. Manifests lie in the object store and have `envelope` NULL here."""

    __tablename__ = "statement"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    predicate_type: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(300), index=True)
    previous: Mapped[str | None] = mapped_column(String(64))
    key_id: Mapped[str] = mapped_column(String(64), index=True)
    attested_by: Mapped[str] = mapped_column(String(16), default="signer")
    envelope: Mapped[bytes | None]
    received_at: Mapped[dt.datetime]


class SubjectHead(Base):
    """The newest statement about one subject: what the next one's `previous` must name (design section 4)."""

    __tablename__ = "subject_head"
    subject: Mapped[str] = mapped_column(String(300), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
