"""Datasets, their versions (one manifest each), files, and submissions on their way."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from registry.models.base import Base


class Dataset(Base):
    """`publisher/name`; belongs to its publisher for good."""

    __tablename__ = "dataset"
    __table_args__ = (UniqueConstraint("publisher_id", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    publisher_id: Mapped[int] = mapped_column(ForeignKey("publisher.id"))
    name: Mapped[str] = mapped_column(String(100))
    hidden: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[dt.datetime]


class Manifest(Base):
    """One version of a dataset: what its signed manifest says, in columns.

    `state`: awaiting-extract, received, recorded, logged, published, retracted, voided. A refused submission
    leaves no manifest behind; its version may be sent again. `reading`: how the files are read, `{"columns", "options"}` as in
    the manifest's `records`. `items_sha256`: S of the items feed, of the ids its rows have. `spread`: how many makers
    have how many records, by the least number of each range. `withheld_sha256`: where rows are withheld, the key by its digest;
    `withheld_key`: that key, sealed.
    """

    __tablename__ = "manifest"
    __table_args__ = (
        UniqueConstraint("dataset_id", "version"),
        Index("ix_manifest_state", "state"),
        Index("ix_manifest_withheld", "withheld_sha256"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id"))
    version: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    key_id: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(20))
    role: Mapped[str] = mapped_column(String(10))
    visibility: Mapped[str] = mapped_column(String(10), default="named")
    format: Mapped[str] = mapped_column(String(10))
    reading: Mapped[dict[str, Any]] = mapped_column(default=dict)
    supersedes_id: Mapped[int | None] = mapped_column(ForeignKey("manifest.id"))
    title: Mapped[str | None] = mapped_column(String(500))
    description: Mapped[str | None]
    records: Mapped[int] = mapped_column(BigInteger)
    rows: Mapped[int] = mapped_column(BigInteger)
    bad_rows: Mapped[int] = mapped_column(BigInteger, default=0)
    contributors: Mapped[int] = mapped_column(BigInteger, default=0)
    unattributed: Mapped[int] = mapped_column(BigInteger, default=0)
    purposes: Mapped[list[Any]]
    access: Mapped[str] = mapped_column(String(20))
    annotations: Mapped[list[Any]]
    consent: Mapped[dict[str, Any]]
    contact: Mapped[str | None] = mapped_column(String(500))
    personal_data: Mapped[bool | None]
    licenses: Mapped[dict[str, Any]]
    platforms: Mapped[dict[str, Any]]
    spread: Mapped[dict[str, Any] | None]
    index_sha256: Mapped[str | None] = mapped_column(String(64))
    items_sha256: Mapped[str | None] = mapped_column(String(64))
    withheld_sha256: Mapped[str | None] = mapped_column(String(64))
    withheld_key: Mapped[bytes | None]
    made_at: Mapped[dt.datetime]
    published_at: Mapped[dt.datetime | None]


class ManifestFile(Base):
    """A real file of a dataset, by digest.

    `column`/`column_sha256` let a filter tell it from a shuffled copy.
    """

    __tablename__ = "manifest_file"
    manifest_id: Mapped[int] = mapped_column(ForeignKey("manifest.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(1024))
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    records: Mapped[int] = mapped_column(BigInteger)
    column: Mapped[str | None] = mapped_column(String(200))
    column_sha256: Mapped[str | None] = mapped_column(String(64))


class DerivedFrom(Base):
    """What a manifest says it was made from; the parent need not be registered."""

    __tablename__ = "derived_from"
    manifest_id: Mapped[int] = mapped_column(ForeignKey("manifest.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    dataset: Mapped[str] = mapped_column(String(200), index=True)
    version: Mapped[str | None] = mapped_column(String(64))
    digest: Mapped[str | None] = mapped_column(String(64))


class Submission(Base):
    """A manifest on its way. `id` is 128 random bits in hex; `errors` hold the first 100, each with its code.

    `dataset` (`publisher/name`) and `version` outlive a refused submission's manifest. `crashes` counts how
    often the fenced process died over this extract; a worker that was killed is not its fault and not
    counted.
    """

    __tablename__ = "submission"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), index=True)
    publisher_id: Mapped[int] = mapped_column(ForeignKey("publisher.id"), index=True)
    manifest_id: Mapped[int | None] = mapped_column(ForeignKey("manifest.id"), index=True)
    dataset: Mapped[str] = mapped_column(String(200))
    version: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(20), index=True)
    on_bad_rows: Mapped[str] = mapped_column(String(8), default="reject")
    parts: Mapped[int] = mapped_column(default=1)
    progress: Mapped[dict[str, Any]]
    errors: Mapped[list[Any]]
    crashes: Mapped[int] = mapped_column(default=0)
    received_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]


class ExtractPart(Base):
    """One part of an extract; `received` bytes lie safe and an upload goes on from there."""

    __tablename__ = "extract_part"
    submission_id: Mapped[str] = mapped_column(ForeignKey("submission.id"), primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True)
    received: Mapped[int] = mapped_column(BigInteger, default=0)
    size: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[str | None] = mapped_column(String(64))
