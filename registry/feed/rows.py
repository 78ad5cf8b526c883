"""The row feeds: for each file of each version of an approved publisher's dataset, which rows are opted out.

Files with nothing dropped stand there too: a filter must tell "registered, nothing to drop" from "unknown".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pyroaring import BitMap64
from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from byline.formats.categories import CATEGORIES, EVERYTHING
from byline.formats.keyset import EMPTY, KeySet, joined
from registry.models import Dataset, Manifest, ManifestFile, Match, Notice, OptOut, Publisher

ANY = "any"
LABELS = (ANY, *CATEGORIES)


@dataclass(frozen=True)
class FileFeed:
    """One file as one dataset version names it, and its rows by category; `any` holds them all.

    `place` is its manifest and its number there.
    `format` and `reading` (`{"columns", "options"}`) say how the publisher reads it.
    """

    place: tuple[int, int]
    file_sha256: str
    dataset: str
    version: str
    role: str
    records: int
    column: str | None
    column_sha256: str | None
    format: str
    reading: Mapping[str, Any]
    rows: Mapping[str, BitMap64]
    items_sha256: str | None = None
    items: KeySet = EMPTY


@dataclass
class _Bits:
    """Rows of one file under each combination of category bits that occurs (at most 31)."""

    by_bits: dict[int, BitMap64] = field(default_factory=lambda: defaultdict(BitMap64))
    items: list[tuple[int, bytes]] = field(default_factory=list)

    def rows(self) -> dict[str, BitMap64]:
        """By label: a row stands under each use somebody behind it objects to."""
        labelled = {label: BitMap64() for label in LABELS}
        for bits, rows in self.by_bits.items():
            for label in LABELS:
                if label == ANY or CATEGORIES[label] & bits:
                    labelled[label] |= rows
        return labelled

    def items_set(self) -> KeySet:
        """The rows' ids: every fingerprint with the bits of all who stand behind it."""
        ks = [np.frombuffer(data, "<i8").astype(np.int64) for _, data in self.items]
        bits = [np.full(len(k), bits, np.uint8) for k, (bits, _) in zip(ks, self.items, strict=True)]
        return joined(np.concatenate(ks), np.concatenate(bits)) if ks else EMPTY


@dataclass(frozen=True)
class RowFeeds:
    """Every file feed, ordered by file digest, and the opt-outs that stand in any."""

    files: list[FileFeed]
    opt_outs: frozenset[str]


def read_row_feeds(session: Session) -> RowFeeds:
    """The row feeds as they should be now."""
    found: dict[tuple[int, int], _Bits] = defaultdict(_Bits)
    behind: set[str] = set()
    for manifest_id, file, opt_out_id, categories, rows, items in session.execute(_matches()):
        found[manifest_id, file].by_bits[categories & EVERYTHING] |= BitMap64.deserialize(rows)
        if items is not None:
            found[manifest_id, file].items.append((categories & EVERYTHING, items))
        behind.add(opt_out_id)
    files = list(_files(session, found))
    return RowFeeds(
        sorted(files, key=lambda one: (one.file_sha256, one.dataset, one.version)), frozenset(behind)
    )


def _matches() -> Select[int, int, str, int, bytes, bytes | None]:
    """Verified opt-outs where nobody disagrees, and whatever a publisher confirmed for its own dataset.

    Never what was asked of publishers only, nor what a person in a picture asked (design section 5).
    """
    confirmed = select(Notice.id).where(
        Notice.opt_out_id == Match.opt_out_id, Notice.dataset_id == Manifest.dataset_id, Notice.confirmed
    )
    sure = and_(OptOut.assurance == "verified", Match.strength == "full")
    return (
        select(Match.manifest_id, Match.file, Match.opt_out_id, OptOut.categories, Match.rows, Match.items)
        .join(OptOut, OptOut.id == Match.opt_out_id)
        .join(Manifest, Manifest.id == Match.manifest_id)
        .where(OptOut.state == "in-force", OptOut.relation == "maker", ~OptOut.publisher_only)
        .where(or_(sure, confirmed.exists()))
        .execution_options(yield_per=1_000)
    )


def _files(session: Session, found: Mapping[tuple[int, int], _Bits]) -> Iterator[FileFeed]:
    """Only approved publishers' datasets: else one made of everybody's accounts would tell who objected."""
    shown = (
        select(ManifestFile, Manifest, Dataset.name, Publisher.slug)
        .join(Manifest, Manifest.id == ManifestFile.manifest_id)
        .join(Dataset, Dataset.id == Manifest.dataset_id)
        .join(Publisher, Publisher.id == Dataset.publisher_id)
        .where(Manifest.state == "published", Publisher.approved, ~Publisher.suspended)
    )
    for file, manifest, name, slug in session.execute(shown.execution_options(yield_per=1_000)):
        bits = found.get((file.manifest_id, file.position), _Bits())
        yield FileFeed(
            place=(file.manifest_id, file.position),
            file_sha256=file.sha256,
            dataset=f"{slug}/{name}",
            version=manifest.version,
            role=manifest.role,
            records=file.records,
            column=file.column,
            column_sha256=file.column_sha256,
            format=manifest.format,
            reading=manifest.reading,
            rows=bits.rows(),
            items_sha256=manifest.items_sha256,
            items=bits.items_set(),
        )
