"""The feed that is served: the head the log holds last, files that are what it says, nothing gone without a word."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from byline.client.auditing.findings import Finding, Report
from byline.client.auditing.history import History
from byline.client.log import Source
from byline.client.mirror import MOST_FILE
from byline.errors import BylineError, NotFound, Untrusted
from byline.formats import keyfeed, rowfeed
from byline.formats.feedhead import (
    MAX_HEAD,
    MAX_INDEX,
    FeedFile,
    Head,
    noted,
    parse_head,
    parse_index,
    verify_head,
)
from byline.formats.note import MAX_NOTE


class Feed:
    """The head served now, its keys and its row entries, each file held against its digest."""

    def __init__(self, source: Source, head: Head) -> None:
        """Of a verified head."""
        self.head, self._source = head, source

    def bytes_of(self, file: FeedFile, *, most: int = MOST_FILE) -> bytes:
        """A file's bytes; Untrusted("wrong-file")."""
        data = self._source.fetch(f"/feed/v1/{file.path}", max_bytes=most)
        if hashlib.sha256(data).hexdigest() != file.sha256:
            raise Untrusted("wrong-file", f"{file.path} has another digest than its name says")
        return data

    def keys(self) -> tuple[keyfeed.Keys, keyfeed.Bits]:
        """All fingerprints; Untrusted("wrong-key-set") unless they are the set the head names."""
        parts = [keyfeed.read(self.bytes_of(file)) for file in self.head.base]
        k = np.concatenate([k for k, _ in parts]) if parts else np.zeros(0, np.int64)
        c = np.concatenate([c for _, c in parts]) if parts else np.zeros(0, np.uint8)
        keyfeed.check(k, c)
        if keyfeed.set_sha256(k, c) != self.head.set_sha256 or len(k) != self.head.keys:
            raise Untrusted("wrong-key-set", "the keys are not the set the head names")
        return k, c

    def rows(self, file_sha256: str, dataset: str) -> set[int] | None:
        """The rows of a registered file that any use must leave out; None where the feed does not list the file."""
        part = self.head.index.get(file_sha256[:2])
        if part is None:
            return None
        for entry in parse_index(self.bytes_of(part, most=MAX_INDEX)).get(file_sha256, ()):
            if entry.label == dataset:
                bitmap = entry.bitmaps["any"]
                return set(rowfeed.read(self.bytes_of(bitmap.file))) if bitmap.file is not None else set()
        return None


def check_feed(source: Source, history: History, vkey: str, report: Report) -> Feed | None:
    """Check what is served now; the feed, where its head can be believed."""
    feed = None
    with report.checking("the feed's head is the last one the log holds") as finding:
        head = _served_head(source, vkey)
        finding.looked_at = 1
        logged = history.feeds[-1][1]["digest"] if history.feeds else None
        if logged != head.sha256 and head.seq <= (history.feeds[-1][1]["seq"] if history.feeds else 0):
            finding.wrong.append(
                f"head {head.seq} is served, and the log's last is {history.feeds[-1][1]['seq']}"
            )
        elif logged != head.sha256:
            finding.unknown.append(f"head {head.seq} is newer than the log that was read")
        feed = Feed(source, head)
    if feed is None:
        return None
    with report.checking("the fingerprints are the set the head names") as finding:
        finding.looked_at = len(feed.keys()[0])
    with report.checking("row feeds hold as many rows as the head's index says") as finding:
        _check_rows(feed, finding)
    with report.checking("the head counts no more opt-outs than the log holds") as finding:
        finding.looked_at = feed.head.coverage["opt_outs"]
        standing = len(history.opt_outs - history.withdrawn)
        if feed.head.coverage["opt_outs"] > standing:
            finding.wrong.append(f"{feed.head.coverage['opt_outs']} stand in the feed, {standing} in the log")
        parts = sum(count for name, count in feed.head.coverage.items() if name != "opt_outs")
        if parts != feed.head.coverage["opt_outs"]:
            finding.wrong.append("the parts of its coverage do not add up")
    return feed


def _served_head(source: Source, vkey: str) -> Head:
    note = source.fetch("/feed/v1/head.note", max_bytes=MAX_NOTE)
    digest = noted(note, vkey)
    data = source.fetch(f"/feed/v1/files/{digest}.json", max_bytes=MAX_HEAD)
    return verify_head(data, note, vkey)


def _check_rows(feed: Feed, finding: Finding) -> None:
    for part, file in feed.head.index.items():
        for digest, entries in parse_index(feed.bytes_of(file, most=MAX_INDEX)).items():
            for entry in entries:
                for label, bitmap in entry.bitmaps.items():
                    if bitmap.file is None:
                        continue
                    finding.looked_at += 1
                    found = rowfeed.read(feed.bytes_of(bitmap.file))
                    if len(found) != bitmap.rows or not digest.startswith(part):
                        finding.wrong.append(
                            f"{entry.label}, {label}: {len(found)} rows instead of {bitmap.rows}"
                        )


def check_earlier(source: Source, history: History, report: Report) -> None:
    """Between heads that were kept (a mirror keeps them): what left a feed left with a removal entry."""
    with report.checking("no fingerprint left the feed without a removal entry") as finding:
        heads = list(_kept(source, history))
        if len(heads) < 2:
            raise NotFound("one-head-only", "only one head was kept; a mirror that is renewed keeps them all")
        for (before, first), (after, second) in pairwise(heads):
            finding.looked_at += 1
            gone = np.setdiff1d(first, second)
            if len(gone) and not removals(source, after):
                finding.wrong.append(
                    f"{len(gone)} fingerprints left between head {before.seq} and head {after.seq}"
                )


def removals(source: Source, head: Head) -> bool:
    """Whether a head names removal entries at all."""
    data = source.fetch(f"/feed/v1/files/{head.sha256}.json", max_bytes=MAX_HEAD)
    return b'"removals":[]' not in data


def _kept(source: Source, history: History) -> Iterator[tuple[Head, keyfeed.Keys]]:
    for _, entry in history.feeds:
        try:
            head = parse_head(source.fetch(f"/feed/v1/files/{entry['digest']}.json", max_bytes=MAX_HEAD))
            yield head, Feed(source, head).keys()[0]
        except NotFound:  # noqa: PERF203 - heads that nobody kept are passed over
            continue
        except BylineError as error:
            raise Untrusted(error.code, f"head {entry['seq']}: {error.message}") from error
