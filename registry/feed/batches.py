"""The key feed over time: a base, deltas that reach back two years, removals for ever."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from byline.formats import canonical, keyfeed
from byline.formats.feedhead import Change, KeyFile
from byline.formats.keyfeed import REASONS, Removals
from byline.formats.keyset import Keys, KeySet, changed, cut, joined, latest, lost
from registry.feed.before import Before
from registry.feed.head import Files
from registry.feed.periods import Span, merged, reaching

SHARD = 1 << 21  # keys a file of the base: about 10 MB
SLACK = 4_096
RENEWED = 35  # days


@dataclass(frozen=True)
class Why:
    """What is known of why keys left: those that were taken back, and whether a source was voided."""

    withdrawn: Keys
    voided: bool

    def removals(self, gone: KeySet) -> Removals:
        """Each with its reason."""
        otherwise = REASONS["voided" if self.voided else "unmatched"]
        taken_back = np.isin(gone.k, self.withdrawn)
        reason = np.where(taken_back, REASONS["withdrawn"], otherwise).astype(np.uint8)
        return Removals(gone.k, gone.c, reason)


@dataclass(frozen=True)
class Moment:
    """The number of the head that is being made, and when."""

    seq: int
    now: dt.datetime


def key_files(files: Files, before: Before, keys: KeySet, why: Why, *, at: Moment) -> dict[str, Any]:
    """Write what changed, and give the members `base_seq`, `base`, `deltas`, `removals` of the head."""
    last = before.head
    if last is None:
        return {"base_seq": at.seq, "base": _base(files, keys), "deltas": [], "removals": []}
    change = changed(before.keys, keys)
    gone = lost(before.keys, change)
    deltas, removals = (spans(one) for one in (last.deltas, last.removals))
    if len(change.k):
        put = named(files, keyfeed.write_delta(change), len(change.k))
        deltas.append(next_span(deltas, put, last.base_seq, at))
    if len(gone.k):
        rows = why.removals(gone)
        put = named(files, keyfeed.write_removals(rows), len(rows.k))
        removals.append(next_span(removals, put, last.base_seq, at))
    deltas = [_one_file(files, span, _deltas) for span in merged(deltas, at.now)]
    removals = [_one_file(files, span, _removals) for span in merged(removals, at.now)]
    renewed = _is_due(deltas, last.base_seq, len(keys.k), at.now)
    base = _base(files, keys) if renewed else [_file(one) for one in last.base]
    return {
        "base_seq": at.seq if renewed else last.base_seq,
        "base": base,
        "deltas": [said(span) for span in reaching(deltas, at.now)],
        "removals": [said(span) for span in removals],
    }


def _is_due(deltas: Sequence[Span], base_seq: int, keys: int, now: dt.datetime) -> bool:
    """Whether a new base is worth it: what came since is an eighth of it, or five weeks old."""
    since = [span for span in deltas if span.to > base_seq]
    rows = sum(_count(span) for span in since)
    return rows > max(SLACK, keys // 8) or any(
        (now.date() - span.until.date()).days >= RENEWED for span in since
    )


def _base(files: Files, keys: KeySet) -> list[dict[str, Any]]:
    """One file, or several of one size."""
    return [named(files, keyfeed.write(*piece), len(piece.k)) for piece in cut(keys, SHARD)]


def spans(changes: Sequence[Change]) -> list[Span]:
    """What a head names, as spans."""
    return [Span(one.since, one.to, one.until, (_file(one),)) for one in changes]


def next_span(before: Sequence[Span], put: dict[str, Any], start: int, at: Moment) -> Span:
    """What came since the last one of them, or since head `start`."""
    return Span(before[-1].to if before else start, at.seq, at.now, (put,))


def _one_file(files: Files, span: Span, join: Callable[[Sequence[bytes]], bytes]) -> Span:
    """A span of several files as one of one: the last word on each key, and every removal."""
    if len(span.files) == 1:
        return span
    data = join([files.get(str(one["path"])) for one in span.files])
    return Span(span.since, span.to, span.until, (named(files, data, keyfeed.count(data)),))


def _deltas(found: Sequence[bytes]) -> bytes:
    return keyfeed.write_delta(latest([keyfeed.read_delta(one) for one in found]))


def _removals(found: Sequence[bytes]) -> bytes:
    read = [keyfeed.read_removals(one) for one in found]
    return keyfeed.write_removals(_all(list(_by_reason(read))))


def _by_reason(found: Sequence[Removals]) -> Iterator[Removals]:
    for reason in sorted({int(one) for removals in found for one in removals.reason}):
        of = [(one.k[one.reason == reason], one.c[one.reason == reason]) for one in found]
        k, c = joined(np.concatenate([k for k, _ in of]), np.concatenate([c for _, c in of]))
        yield Removals(k, c, np.full(len(k), reason, dtype=np.uint8))


def _all(found: Sequence[Removals]) -> Removals:
    k, c, reason = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.lexsort((reason, k))
    return Removals(k[order], c[order], reason[order])


def named(files: Files, data: bytes, rows: int, ending: str = "parquet") -> dict[str, Any]:
    """Write a file, and give what a head says of it."""
    return {**files.put(data, ending), "bytes": len(data), "rows": rows}


def _file(file: KeyFile) -> dict[str, Any]:
    return {"path": file.path, "sha256": file.sha256, "bytes": file.bytes, "rows": file.rows}


def _count(span: Span) -> int:
    return sum(int(str(one["rows"])) for one in span.files)


def said(span: Span) -> dict[str, Any]:
    """A span of one file as a head names it."""
    return {"from": span.since, "to": span.to, "until": canonical.timestamp(span.until), **span.files[0]}
