"""A batch of an extract -> rows of the record index: whose each row is, what it shows, under which licence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from byline.formats.credit_lines import plain_name
from byline.formats.licences import to_spdx_array
from byline.formats.manifest import NOT_STATED
from byline.formats.platforms.columns import each_distinct
from byline.formats.selectors import batch_selectors, contributor_kind

# The index's columns while its rows are on their way: `item` is the text whose fingerprint becomes `k`.
UNSORTED = pa.schema(
    [
        pa.field("contributor", pa.string()),
        pa.field("file", pa.int32()),
        pa.field("row", pa.int64()),
        pa.field("photo", pa.string()),
        pa.field("photos", pa.list_(pa.string())),
        pa.field("url", pa.string()),
        pa.field("landing_url", pa.string()),
        pa.field("title", pa.string()),
        pa.field("license", pa.string()),
        pa.field("license_raw", pa.string()),
        pa.field("creator_name", pa.string()),
        pa.field("sha256", pa.string()),
        pa.field("item_id", pa.string()),
        pa.field("item", pa.string()),
    ]
)
_MOST_LICENCES = 200
WEB = "web"
LONGEST_SHOWN = 500


@dataclass
class Tally:
    """What is counted a row at a time, before rows of two makers become two."""

    rows: int = 0
    unattributed: int = 0
    licenses: Counter[str] = field(default_factory=Counter)
    platforms: Counter[str] = field(default_factory=Counter)
    linked: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(alias, number) -> how many records show the two together."""

    def add(self, other: Tally) -> None:
        """Count a batch's."""
        self.rows += other.rows
        self.unattributed += other.unattributed
        self.licenses.update(other.licenses)
        self.platforms.update(other.platforms)
        self.linked.update(other.linked)
        if len(self.licenses) > 10 * _MOST_LICENCES:
            self.licenses = Counter(most(self.licenses))


def index_rows(batch: pa.RecordBatch, *, dataset: str) -> tuple[pa.RecordBatch, Tally]:
    """Rows as `UNSORTED`, one for each maker of a row (one without a maker where there is none), and their tally."""
    found = batch_selectors(batch, dataset=dataset)
    makers, photos = _plain(found["makers"]), _plain(found["photos"])
    photo, several = _photos(photos)
    raw = _column(batch, "license")
    spdx, licence = licences_of(raw)
    columns = {
        "file": batch["file"],
        "row": batch["row"],
        "photo": photo,
        "photos": several,
        "url": _column(batch, "url"),
        "landing_url": _column(batch, "landing_url"),
        "title": cut(_column(batch, "title")),
        "license": spdx,
        "license_raw": cut(raw),
        "creator_name": cut(_names(_column(batch, "creator_name"))),
        "sha256": _plain(found["sha256"]),
        "item_id": _column(batch, "item_id"),
        "item": _item(photo, several, url=_plain(found["url"]), landing=_plain(found["landing"])),
    }
    return by_maker(makers, columns), _tally(makers, photo, licence=licence)


def licences_of(raw: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The SPDX ids, null where the spelling is unknown; and what is counted: those, else what was written, else not-stated."""
    spdx = pc.cast(to_spdx_array(raw), pa.string())
    return spdx, pc.fill_null(pc.coalesce(spdx, pc.utf8_slice_codeunits(raw, 0, 100)), NOT_STATED)


def most(counts: Counter[str], *, at_most: int = _MOST_LICENCES) -> dict[str, int]:
    """The most frequent; the rest together as `other`."""
    kept = dict(counts.most_common(at_most))
    rest = counts.total() - sum(kept.values())
    if rest:
        kept["other"] = kept.get("other", 0) + rest
    return kept


def _column(batch: pa.RecordBatch, name: str) -> pa.Array:
    return batch[name] if name in batch.schema.names else pa.nulls(batch.num_rows, pa.string())


def _names(column: pa.Array) -> pa.Array:
    """Names as people read them: without the markup some lists wrap them in."""
    if not pc.any(pc.match_substring(column, "<")).as_py():
        return column
    return each_distinct(column, plain_name)


def cut(column: pa.Array) -> pa.Array:
    """Texts to be shown, not whole books: sorting wide rows takes memory out of all proportion."""
    longest = pc.max(pc.binary_length(column)).as_py() or 0
    return column if longest <= LONGEST_SHOWN else pc.utf8_slice_codeunits(column, 0, LONGEST_SHOWN)


def _plain(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole


def _photos(photos: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The photo of rows that show exactly one; the list of rows that show more."""
    count = np.asarray(pc.fill_null(pc.list_value_length(photos), 0))
    several = pa.nulls(len(photos), pa.list_(pa.string()))
    if len(count) and count.max() > 1:
        several = pc.if_else(pa.array(count > 1), photos, several)
    first = np.asarray(photos.offsets)[:-1].astype(np.int64)
    return photos.values.take(pa.array(first, mask=count != 1)), several


def _item(photo: pa.Array, several: pa.Array, *, url: pa.Array, landing: pa.Array) -> pa.Array:
    """`photo|flickr:1` or `url|example.org/a.jpg`: what the row's identity key is made of; null where it has none."""
    by_photo = pc.binary_join_element_wise("photo", photo, "|")
    by_url = pc.binary_join_element_wise("url", pc.coalesce(url, landing), "|")
    if several.null_count < len(several):
        by_url = pc.if_else(pc.is_valid(several), pa.scalar(None, pa.string()), by_url)
    return pc.coalesce(by_photo, by_url)


def by_maker(makers: pa.Array, columns: dict[str, pa.Array]) -> pa.RecordBatch:
    """One row of `UNSORTED` for each maker of a row, one without where there is none."""
    count = np.asarray(pc.list_value_length(makers))
    first = np.asarray(makers.offsets)[:-1].astype(np.int64)
    if not len(count) or count.max() <= 1:
        contributor = (
            makers.values.take(pa.array(first, mask=count == 0)) if len(count) else pa.array([], pa.string())
        )
        return pa.RecordBatch.from_arrays([contributor, *columns.values()], schema=UNSORTED)
    rows = np.repeat(np.arange(len(count)), np.maximum(count, 1))
    nth = np.arange(len(rows)) - np.repeat(
        np.cumsum(np.maximum(count, 1)) - np.maximum(count, 1), np.maximum(count, 1)
    )
    contributor = makers.values.take(pa.array(first[rows] + nth, mask=count[rows] == 0))
    taken = [column.take(pa.array(rows)) for column in columns.values()]
    return pa.RecordBatch.from_arrays([contributor, *taken], schema=UNSORTED)


def _tally(makers: pa.Array, photo: pa.Array, *, licence: pa.Array) -> Tally:
    count = np.asarray(pc.list_value_length(makers))
    first = np.asarray(makers.offsets)[:-1].astype(np.int64)
    maker = makers.values.take(pa.array(first, mask=count == 0)) if len(makers) else photo
    shown = pc.extract_regex(pc.coalesce(photo, maker), "^(?P<platform>[a-z0-9-]+):")
    platform = pc.struct_field(shown, "platform")
    return Tally(
        rows=len(makers),
        unattributed=int((count == 0).sum()),
        licenses=counted(licence),
        platforms=_platforms(platform),
        linked=linked(makers.filter(pa.array(count > 1)).to_pylist())
        if len(count) and count.max() > 1
        else Counter(),
    )


def linked(several: Iterable[Sequence[str]]) -> Counter[tuple[str, str]]:
    """The alias and the number of one platform that a record shows together; none where it shows two of either."""
    pairs: Counter[tuple[str, str]] = Counter()
    for keys in several:
        known: dict[str, dict[str, list[str]]] = {}
        for key in keys:
            kind, platform = contributor_kind(key)
            known.setdefault(platform or "", {}).setdefault(kind, []).append(key)
        for kinds in known.values():
            aliases, numbers = kinds.get("alias", []), kinds.get("number", [])
            if len(aliases) == len(numbers) == 1:
                pairs[aliases[0], numbers[0]] += 1
    return pairs


def _platforms(shown: pa.Array) -> Counter[str]:
    """How many rows lie where; whoever is known by a name or a page of no platform lies on the web."""
    counts = counted(pc.fill_null(shown, WEB))
    for kind in ("name", "id"):
        if kind in counts:
            counts[WEB] += counts.pop(kind)
    return counts


def counted(values: pa.Array) -> Counter[str]:
    """How often each value stands there."""
    return Counter({pair["values"]: pair["counts"] for pair in pc.value_counts(values).to_pylist()})
