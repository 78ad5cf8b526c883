"""The one sequence: every act gets a gapless number, every public act a log index and its final leaf."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from registry.models.base import Base


class Act(Base):
    """Something that happened.

    `number` and `log_index` are given by the one sequencer, never by an autoincrement.

    `id` only orders acts waiting for their number. `leaf` is what the log commits to (formats.entries) for
    public acts; private acts (claim confirmed, hidden, approved) have none and no log index.
    """

    __tablename__ = "act"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    log_index: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    kind: Mapped[str] = mapped_column(String(24))
    subject: Mapped[str] = mapped_column(String(300))
    ref: Mapped[str] = mapped_column(String(64), index=True)
    leaf: Mapped[bytes | None]
    leaf_hash: Mapped[bytes | None] = mapped_column(unique=True)
    made_at: Mapped[dt.datetime]


class LogState(Base):
    """One row: the next number and index to give, and up to which size the partial tiles of full ones were deleted."""

    __tablename__ = "log_state"
    id: Mapped[int] = mapped_column(primary_key=True)
    next_number: Mapped[int] = mapped_column(BigInteger, default=0)
    next_index: Mapped[int] = mapped_column(BigInteger, default=0)
    collected: Mapped[int] = mapped_column(BigInteger, default=0)


class SignedCheckpoint(Base):
    """Every checkpoint that was ever signed: the newest is the tree, and a size never has a second root.

    A signature exists only once it stands here, in the transaction that moved the tree on.
    """

    __tablename__ = "signed_checkpoint"
    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    root: Mapped[bytes]
    note: Mapped[bytes]
    made_at: Mapped[dt.datetime] = mapped_column(index=True)


class Follower(Base):
    """A view that keeps up with the sequence by remembering one number: the next act it has not seen."""

    __tablename__ = "follower"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, default=0)


class FeedHead(Base):
    """A published head of the feed, kept so that a sequence number never stands for two contents."""

    __tablename__ = "feed_head"
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    content_sha256: Mapped[str] = mapped_column(String(64))
    number: Mapped[int] = mapped_column(BigInteger)
    made_at: Mapped[dt.datetime]
