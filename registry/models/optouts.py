"""Opt-outs, what they point at, the rows they reach, and what of them may stand in the key feed."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from registry.models.base import Base


class OptOut(Base):
    """A wish.

    `state`: awaiting-mail, in-force, withdrawn. `commitment` = SHA-256(salt || request) is all the log sees.

    `listed`: the owner of a host chose that the feed names it. `matched_at` is when the matcher last went
    over it (NULL: not yet since it changed), `generation` the matcher's then; `feed_seq` the first head that shows what it asks now.
    """

    __tablename__ = "opt_out"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    token_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    state: Mapped[str] = mapped_column(String(14), index=True)
    assurance: Mapped[str] = mapped_column(String(10))
    relation: Mapped[str] = mapped_column(String(20))
    scope: Mapped[str] = mapped_column(String(8))
    publisher_only: Mapped[bool] = mapped_column(default=False)
    listed: Mapped[bool] = mapped_column(default=False)
    remove_existing: Mapped[bool] = mapped_column(default=True)
    categories: Mapped[int]
    vocabulary: Mapped[list[Any]]
    email_sealed: Mapped[bytes | None]
    email_digest: Mapped[str | None] = mapped_column(String(64), index=True)
    salt: Mapped[bytes]
    request: Mapped[bytes | None]
    commitment: Mapped[str] = mapped_column(String(64), unique=True)
    made_at: Mapped[dt.datetime]
    in_force_at: Mapped[dt.datetime | None]
    withdrawn_at: Mapped[dt.datetime | None]
    matched_at: Mapped[dt.datetime | None]
    generation: Mapped[int | None] = mapped_column(BigInteger, index=True)
    feed_seq: Mapped[int | None] = mapped_column(BigInteger)


class OptOutClaim(Base):
    """The claims an opt-out by identity stands on."""

    __tablename__ = "opt_out_claim"
    opt_out_id: Mapped[str] = mapped_column(ForeignKey("opt_out.id"), primary_key=True)
    claim_id: Mapped[str] = mapped_column(ForeignKey("claim.id"), primary_key=True, index=True)


class OptOutSelector(Base):
    """What an opt-out points at; `k` is fingerprint(kind, value), for joins in columns.

    `k_beside` is the key of a photo in rows that show several, NULL for other kinds.
    """

    __tablename__ = "opt_out_selector"
    # With the kind before it, so that all keys of some kinds are read from the index alone, and few hosts found among millions.
    __table_args__ = (Index("ix_opt_out_selector_kind_k", "kind", "k"),)
    opt_out_id: Mapped[str] = mapped_column(ForeignKey("opt_out.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    value: Mapped[str] = mapped_column(String(2000), primary_key=True, index=True)
    k: Mapped[int] = mapped_column(BigInteger)
    k_beside: Mapped[int | None] = mapped_column(BigInteger, index=True)


class OptOutScope(Base):
    """The datasets an opt-out is limited to, where it is."""

    __tablename__ = "opt_out_scope"
    opt_out_id: Mapped[str] = mapped_column(ForeignKey("opt_out.id"), primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id"), primary_key=True)


class Match(Base):
    """The rows of one file one opt-out reaches: a roaring bitmap (64-bit portable) of row ordinals.

    `strength`: full, or asserted (counting sources disagree about the photo: the publisher decides).
    `word_of` names the manifests on whose word it stands. `items`: fingerprints of the rows' own ids (64-bit little-endian,
    ascending), where they have any.
    """

    __tablename__ = "match"
    __table_args__ = (Index("ix_match_manifest_id", "manifest_id"),)
    opt_out_id: Mapped[str] = mapped_column(ForeignKey("opt_out.id"), primary_key=True)
    manifest_id: Mapped[int] = mapped_column(ForeignKey("manifest.id"), primary_key=True)
    file: Mapped[int] = mapped_column(primary_key=True)
    strength: Mapped[str] = mapped_column(String(8), primary_key=True)
    rows: Mapped[bytes]
    records: Mapped[int] = mapped_column(BigInteger)
    word_of: Mapped[list[Any]]
    items: Mapped[bytes | None]


class CoveredPhoto(Base):
    """Photos an opt-out by identity reaches through a counting attribution; joined with new manifests."""

    __tablename__ = "covered_photo"
    k: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    opt_out_id: Mapped[str] = mapped_column(ForeignKey("opt_out.id"), primary_key=True, index=True)


class Fingerprint(Base):
    """What of an opt-out may stand in the key feed (design section 7)."""

    __tablename__ = "fingerprint"
    opt_out_id: Mapped[str] = mapped_column(ForeignKey("opt_out.id"), primary_key=True)
    k: Mapped[int] = mapped_column(BigInteger, primary_key=True, index=True)
    kind: Mapped[str] = mapped_column(String(8))


class OptOutMaker(Base):
    """Every handle an opt-out reached when it was last matched: asked again when handles are linked."""

    __tablename__ = "opt_out_maker"
    opt_out_id: Mapped[str] = mapped_column(ForeignKey("opt_out.id"), primary_key=True)
    contributor_id: Mapped[int] = mapped_column(ForeignKey("contributor.id"), primary_key=True, index=True)


class MatcherState(Base):
    """One row.

    Every write of the matcher raises `generation`; whatever changes rows raises `changes`, so that no write rests on what was
    read before it.
    """

    __tablename__ = "matcher_state"
    id: Mapped[int] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(BigInteger, default=0)
    changes: Mapped[int] = mapped_column(BigInteger, default=0)
