"""Makers, what each manifest holds of them, the names they are known by, and which handles are one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from registry.models.base import Base


class Contributor(Base):
    """One handle of a maker. `key` is its selector text (`flickr:12345@N00`, `name:PUB/DATASET:NAME`).

    `kind`: number (a platform's own id), alias (a platform's changeable name), web (a profile URL no table
    knows), id and name (known inside one dataset only), withheld (a digest: never shown).
    `root_id` is the handle that stands for all that are linked. `sealed` is its number under the registry's seal: the wish of a
    person who was erased names it by that alone.
    """

    __tablename__ = "contributor"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(1000), unique=True)
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    kind: Mapped[str] = mapped_column(String(8))
    platform: Mapped[str | None] = mapped_column(String(32))
    handle: Mapped[str] = mapped_column(String(1000))
    dataset_id: Mapped[int | None] = mapped_column(ForeignKey("dataset.id"))
    root_id: Mapped[int] = mapped_column(index=True)
    sealed: Mapped[int | None] = mapped_column(BigInteger, index=True)
    hidden: Mapped[bool] = mapped_column(default=False)


class ContributorCount(Base):
    """What one manifest holds of one maker: a run of its record index, `start` up to `start + entries`.

    `records` counts distinct rows; `entries` may be more, since a row with two makers stands in both runs.
    """

    __tablename__ = "contributor_count"
    __table_args__ = (Index("ix_contributor_count_manifest_id_start", "manifest_id", "start"),)
    contributor_id: Mapped[int] = mapped_column(ForeignKey("contributor.id"), primary_key=True)
    manifest_id: Mapped[int] = mapped_column(ForeignKey("manifest.id"), primary_key=True)
    start: Mapped[int] = mapped_column(BigInteger)
    entries: Mapped[int] = mapped_column(BigInteger)
    records: Mapped[int] = mapped_column(BigInteger)
    licenses: Mapped[dict[str, Any]]
    samples: Mapped[list[Any]]


class ContributorName(Base):
    """A name one manifest gives a maker, as it was written."""

    __tablename__ = "contributor_name"
    contributor_id: Mapped[int] = mapped_column(ForeignKey("contributor.id"), primary_key=True)
    manifest_id: Mapped[int] = mapped_column(ForeignKey("manifest.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(500), primary_key=True)
    records: Mapped[int] = mapped_column(BigInteger)


class AliasLink(Base):
    """One source's assertion that an alias and a number are one maker. `how`: record, photo, proof.

    `records`: rows of `manifest_id` that show both (how=record), which stand in both makers' counts.
    """

    __tablename__ = "alias_link"
    alias_id: Mapped[int] = mapped_column(ForeignKey("contributor.id"), primary_key=True)
    number_id: Mapped[int] = mapped_column(ForeignKey("contributor.id"), primary_key=True, index=True)
    source: Mapped[str] = mapped_column(String(100), primary_key=True)
    manifest_id: Mapped[int | None] = mapped_column(ForeignKey("manifest.id"), index=True)
    other_manifest_id: Mapped[int | None] = mapped_column(ForeignKey("manifest.id"), index=True)
    how: Mapped[str] = mapped_column(String(8))
    records: Mapped[int] = mapped_column(BigInteger, default=0)


class Suggestion(Base):
    """Prefix suggestions: `token` folded, most records first (`rank` = minus records)."""

    __tablename__ = "suggestion"
    # In the order of its bytes on PostgreSQL too, whatever the database's language: a prefix is a range.
    token: Mapped[str] = mapped_column(
        String(64).with_variant(String(64, collation="C"), "postgresql"), primary_key=True
    )
    rank: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    contributor_id: Mapped[int] = mapped_column(primary_key=True, index=True)
