"""What a publisher sees before signing.

What becomes public, what each row resolves to, what opt-outs would take.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from byline.client import describe, measure
from byline.formats import croissant, licences
from byline.formats.manifest import NOT_STATED, ManifestPredicate
from byline.formats.selectors import batch_selectors, contributor_kind
from byline.formats.url_columns import canonical_urls, string_array

_SHOWN = ("url", "landing_url", "creator_name", "title", "license")
_EXAMPLES = 10
_UNREAD = 3


class Masks(Protocol):
    """What is asked of a synced feed (byline.Feed): which of these addresses are kept."""

    def mask(self, urls: Any, *, on_unreadable: str) -> npt.NDArray[np.bool_]:
        """True = keep."""
        ...


@dataclass
class Unread:
    """Values of one field that stand there and are not what the field is for."""

    rows: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass
class Tally:
    """What the rows of an extract resolve to, counted batch by batch."""

    rows: int = 0
    nothing: int = 0
    without_maker: int = 0
    one_photo: int = 0
    several_photos: int = 0
    makers: Counter[str] = field(default_factory=Counter)
    licenses: Counter[str] = field(default_factory=Counter)
    examples: list[dict[str, int]] = field(default_factory=list)
    unread: dict[str, Unread] = field(default_factory=dict)
    taken: int = 0

    def add(self, batch: pa.Table, dataset: str, feed: Masks | None) -> None:
        """Count one batch of an extract."""
        found = batch_selectors(batch, dataset=dataset)
        makers, photos = pc.list_value_length(found["makers"]), pc.list_value_length(found["photos"])
        nobody, no_photo = pc.equal(makers, 0), pc.equal(photos, 0)
        empty = pc.and_(
            pc.and_(nobody, no_photo), pc.and_(pc.is_null(found["url"]), pc.is_null(found["sha256"]))
        )
        empty = pc.and_(empty, pc.is_null(found["landing"]))
        self.rows += batch.num_rows
        self.nothing += _true(empty)
        self.without_maker += _true(nobody)
        self.one_photo += _true(pc.equal(photos, 1))
        self.several_photos += _true(pc.greater(photos, 1))
        for one in pc.value_counts(pc.list_flatten(found["makers"])).to_pylist():
            self.makers[contributor_kind(one["values"])[0]] += one["counts"]
        if "license" in batch.column_names:
            given = batch["license"].drop_null()
            ids = licences.to_spdx_array(given)
            self.licenses.update(
                {"none given": batch.num_rows - len(given)} if len(given) < batch.num_rows else {}
            )
            self.licenses.update(
                {one["values"] or "not known": one["counts"] for one in pc.value_counts(ids).to_pylist()}
            )
        places = np.flatnonzero(empty.to_numpy(zero_copy_only=False))[: _EXAMPLES - len(self.examples)]
        self.examples += [
            {"file": batch["file"][int(at)].as_py(), "row": batch["row"][int(at)].as_py()} for at in places
        ]
        self._add_unread(batch, found)
        self.taken += _taken(batch, feed)

    def _add_unread(self, batch: pa.Table, found: pa.Table) -> None:
        read = {"url": "url", "landing_url": "landing", "sha256": "sha256"}
        columns = {name: found[read[name]] for name in read if name in batch.column_names}
        if "creator_url" in batch.column_names:
            columns["creator_url"] = pa.chunked_array([canonical_urls(string_array(batch["creator_url"]))])
        for name, column in columns.items():
            wrong = pc.and_(batch[name].is_valid(), column.is_null())
            rows = _true(wrong)
            if rows:
                told = self.unread.setdefault(name, Unread())
                told.rows += rows
                shown = batch[name].filter(wrong).slice(0, _UNREAD - len(told.examples)).to_pylist()
                told.examples += [str(one)[:80] for one in shown]


def check(
    draft: Mapping[str, Any], words: Sequence[str], *, feed: Masks | None, say: Callable[[str], None]
) -> dict[str, Any]:
    """Read the files as the manifest says, and count; a JSON document."""
    predicate = describe.rehearse(draft)
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="byline-") as folder:
        for part in measure.extract_for(predicate, words, Path(folder), say=say):
            with pq.ParquetFile(part) as source:
                for batch in source.iter_batches(65_536):
                    tally.add(pa.Table.from_batches([batch]), predicate.dataset.dataset, feed)
    return _document(predicate, tally, counted=feed is not None)


def _document(predicate: ManifestPredicate, tally: Tally, *, counted: bool) -> dict[str, Any]:
    said, withheld = predicate.disclosure, predicate.records.withheld is not None
    return {
        "dataset": predicate.dataset.dataset,
        "version": predicate.dataset.version,
        "role": predicate.role,
        "records": predicate.records.count,
        "bad_rows": predicate.records.bad_rows,
        "public": {
            "title": croissant.summary(predicate.croissant).title,
            "files": [one.name for one in predicate.records.files],
            "per_row": [name for name in _SHOWN if name in predicate.records.columns and not withheld],
            "visibility": predicate.visibility,
            "licenses": dict(tally.licenses.most_common()),
            "disclosure": {
                "purposes": list(said.purposes),
                "access": said.access,
                "contact": said.contact,
                "annotations": [vars(one) for one in said.annotations],
                "consent": said.consent,
                "personal_data": said.personal_data,
            },
        },
        "resolves": {
            "rows": tally.rows,
            "makers": dict(tally.makers.most_common()),
            "without_maker": tally.without_maker,
            "one_photo": tally.one_photo,
            "several_photos": tally.several_photos,
            "nothing": tally.nothing,
            "nothing_examples": tally.examples,
            "unread": {name: vars(one) for name, one in tally.unread.items()},
        },
        "not_stated": _not_stated(predicate),
        "opt_outs": {"rows": tally.taken} if counted else None,
    }


def _not_stated(predicate: ManifestPredicate) -> list[str]:
    """What will be shown as not stated."""
    said = predicate.disclosure
    answers = {
        "purposes": said.purposes[0],
        "access": said.access,
        "contact": said.contact or NOT_STATED,
        "annotations": said.annotations[0].category if said.annotations else "none",
        **said.consent,
        "personal_data": NOT_STATED if said.personal_data is None else "stated",
    }
    return [name for name, answer in answers.items() if answer == NOT_STATED]


def _true(mask: pa.ChunkedArray) -> int:
    return int(pc.sum(pc.cast(mask, pa.int64())).as_py() or 0)


def _taken(batch: pa.Table, feed: Masks | None) -> int:
    """How many rows the fingerprints of the feed would take; a row counts once, by any of its addresses."""
    if feed is None:
        return 0
    kept = np.ones(batch.num_rows, dtype=bool)
    for name in ("url", "landing_url"):
        if name in batch.column_names:
            kept &= feed.mask(batch[name], on_unreadable="keep")
    return int((~kept).sum())
