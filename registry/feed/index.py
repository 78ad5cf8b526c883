"""The index of the row feeds, by file digest: what goes now, what went once and why, and which entries are no more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pyroaring import BitMap64

from byline.formats import canonical, itemfeed, keyfeed, rowfeed
from byline.formats.keyfeed import REASONS
from registry.feed.before import Before
from registry.feed.head import Files
from registry.feed.rows import ANY, FileFeed, RowFeeds

PARTS = 256
NOTHING: dict[str, Any] = {"n": 0}


@dataclass(frozen=True)
class WhyRows:
    """What is known of why rows left: taken back, by manifest and file; a source voided; what became of versions."""

    withdrawn: Mapping[tuple[int, int], BitMap64]
    voided: bool
    versions: Mapping[tuple[str, str], str]


def write_index(files: Files, before: Before, feeds: RowFeeds, why: WhyRows) -> dict[str, dict[str, str]]:
    """Write the parts that hold something; their files by part."""
    parts: dict[str, dict[str, Any]] = {}
    for one in feeds.files:
        named = parts.setdefault(one.file_sha256[:2], {"files": {}, "gone": {}})["files"]
        named.setdefault(one.file_sha256, []).append(_entry(files, before, one, why))
    for part in sorted({*parts, *before.parts}):
        gone = _gone(before.parts.get(part), parts.get(part), why)
        if gone:
            parts.setdefault(part, {"files": {}, "gone": {}})["gone"] = gone
    return {part: files.put(canonical.dumps(one), "json") for part, one in sorted(parts.items())}


def _entry(files: Files, before: Before, one: FileFeed, why: WhyRows) -> dict[str, Any]:
    bitmaps = {label: _put(files, one, rows) for label, rows in one.rows.items()}
    return {
        "dataset": one.dataset,
        "version": one.version,
        "role": one.role,
        "holder_approved": one.role == "holder",
        "records": one.records,
        "column": one.column,
        "column_sha256": one.column_sha256,
        "format": one.format,
        **one.reading,
        "bitmaps": bitmaps,
        "removed": _removed(files, before, one, why, now=bitmaps[ANY]),
        "items": _items(files, one),
    }


def _items(files: Files, one: FileFeed) -> dict[str, Any] | None:
    """The same rows by their own ids, in two files of one content; None for a dataset without ids."""
    if one.items_sha256 is None:
        return None
    said = {"check": itemfeed.check_of(one.items_sha256), "n": len(one.items.k)}
    if not len(one.items.k):
        return said
    both = {
        "parquet": files.put(keyfeed.write(*one.items), "parquet"),
        "ndjson": files.put(itemfeed.write_ndjson(one.items), "ndjson"),
    }
    return {**said, **both}


def _put(files: Files, one: FileFeed, rows: BitMap64) -> dict[str, Any]:
    if not rows:
        return NOTHING
    return {**files.put(rowfeed.write(rows, file_sha256=one.file_sha256), "puffin"), "n": len(rows)}


def _removed(
    files: Files, before: Before, one: FileFeed, why: WhyRows, *, now: Mapping[str, Any]
) -> dict[str, Any]:
    """By reason, every row that ever left this file's feed."""
    entry = _entry_before(before, one)
    if entry is None:
        return {}
    removed: dict[str, Any] = dict(entry["removed"])
    for bitmap in removed.values():
        files.keep(bitmap["path"])
    if entry["bitmaps"][ANY] == now:
        return removed
    left = before.rows(entry["bitmaps"][ANY]) - one.rows[ANY]
    taken_back = left & why.withdrawn.get(one.place, BitMap64())
    for reason, rows in (
        ("withdrawn", taken_back),
        ("voided" if why.voided else "unmatched", left - taken_back),
    ):
        if rows:
            removed[reason] = _put(files, one, rows | before.rows(removed.get(reason, NOTHING)))
    return {reason: removed[reason] for reason in REASONS if reason in removed}


def _entry_before(before: Before, one: FileFeed) -> dict[str, Any] | None:
    entries = before.parts.get(one.file_sha256[:2], {"files": {}})["files"].get(one.file_sha256, [])
    return next(
        (entry for entry in entries if (entry["dataset"], entry["version"]) == (one.dataset, one.version)),
        None,
    )


def _gone(before: Mapping[str, Any] | None, now: Mapping[str, Any] | None, why: WhyRows) -> dict[str, Any]:
    """Entries that stood once and do not now, by file: they leave no gap nobody speaks of."""
    found: dict[str, dict[tuple[str, str], str]] = {}
    standing = {(digest, *label) for digest, label in _labels(now)}
    for digest, gone in (before or {}).get("gone", {}).items():
        for one in gone:
            found.setdefault(digest, {})[one["dataset"], one["version"]] = one["reason"]
    for digest, label in _labels(before):
        found.setdefault(digest, {})[label] = why.versions.get(label, "not-shown")
    return {
        digest: [
            {"dataset": dataset, "version": version, "reason": reason}
            for (dataset, version), reason in sorted(labels.items())
            if (digest, dataset, version) not in standing
        ]
        for digest, labels in sorted(found.items())
        if any((digest, *label) not in standing for label in labels)
    }


def _labels(part: Mapping[str, Any] | None) -> Iterator[tuple[str, tuple[str, str]]]:
    for digest, entries in (part or {}).get("files", {}).items():
        for entry in entries:
            yield digest, (entry["dataset"], entry["version"])
