"""The feed that is served: the head the log holds last, files that are what it says, nothing gone without a word."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from pyroaring import BitMap64

from byline.client.auditing.findings import Finding, Report
from byline.client.auditing.history import History
from byline.client.copied_feed import MOST_FILE
from byline.client.log import Source
from byline.client.rows_left import unsaid_rows
from byline.errors import BylineError, NotFound, Untrusted
from byline.formats import rowfeed
from byline.formats.feedhead import (
    MAX_HEAD,
    MAX_INDEX,
    Bitmap,
    FeedFile,
    Head,
    RowEntry,
    noted,
    parse_gone,
    parse_head,
    parse_index,
    verify_head,
)
from byline.formats.feedkeys import check_removals, read_pieces
from byline.formats.keyset import KeySet, changed, lost, whole
from byline.formats.note import MAX_NOTE

Label = tuple[str, str, str]
"""A file's digest, the dataset, its version."""


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

    def keys(self) -> KeySet:
        """All fingerprints; Untrusted("wrong-key-set") unless they are the set the head names."""
        return whole(read_pieces(self.head, self.bytes_of))

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

    def entries(self, other: Head) -> Iterator[tuple[Label, RowEntry]]:
        """What the index says of each file, in the parts that are not the same in another head."""
        for part, file in self.head.index.items():
            if other.index.get(part) != file:
                for digest, entries in parse_index(self.bytes_of(file, most=MAX_INDEX)).items():
                    yield from (((digest, one.dataset, one.version), one) for one in entries)

    def gone(self, file_sha256: str) -> frozenset[Label]:
        """Entries that stood once in this file's part of the index, and are said to stand no more."""
        part = self.head.index.get(file_sha256[:2])
        return parse_gone(self.bytes_of(part, most=MAX_INDEX)) if part else frozenset()

    def rows_of(self, bitmap: Bitmap) -> BitMap64:
        """The rows of a bitmap."""
        return rowfeed.read(self.bytes_of(bitmap.file)) if bitmap.file is not None else BitMap64()


def check_feed(source: Source, history: History, vkey: str, report: Report) -> Feed | None:
    """Check what is served now; the feed, where its head can be believed."""
    feed = None
    with report.checking("the feed's head is the last one the log holds") as finding:
        head = served_head(source, vkey)
        finding.looked_at = 1
        last, logged = history.feeds.last or (0, None)
        if logged != head.sha256 and head.seq <= last:
            finding.wrong.append(f"head {head.seq} is served, and the log's last is {last}")
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
        standing = history.standing
        if feed.head.coverage["opt_outs"] > standing:
            finding.wrong.append(f"{feed.head.coverage['opt_outs']} stand in the feed, {standing} in the log")
        parts = sum(count for name, count in feed.head.coverage.items() if name != "opt_outs")
        if parts != feed.head.coverage["opt_outs"]:
            finding.wrong.append("the parts of its coverage do not add up")
    return feed


def served_head(source: Source, vkey: str) -> Head:
    """The head that is served now, signed."""
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
    gaps = Gaps()
    with report.checking("no fingerprint and no row left the feed without a removal entry") as finding:
        before = None
        for feed in _kept(source, history, gaps):
            if before is not None:
                finding.looked_at += 1
                _check_left(before, feed, finding)
            before = feed
        if not finding.looked_at:
            raise NotFound("one-head-only", "only one head was kept; a mirror that is renewed keeps them all")
    with report.checking("no head of the feed is missing, so that nothing came and left unseen") as complete:
        complete.unknown += gaps.told()
        complete.looked_at = 0 if complete.unknown else len(history.feeds)


def _check_left(before: Feed, after: Feed, finding: Finding) -> None:
    try:
        first, seq = before.keys(), before.head.seq
        gone = lost(first, changed(first, after.keys()))
        check_removals(after.head, gone, seq=seq, read=after.bytes_of)
        check_rows_gone(before, after)
    except NotFound:  # of this earlier head not everything was kept
        finding.looked_at -= 1
        finding.unknown.append(f"of head {before.head.seq} or {after.head.seq} not every file was kept")
    except BylineError as error:
        finding.tell(error)


def check_rows_gone(before: Feed, after: Feed) -> None:
    """Untrusted("removed-unsaid") where a row or a whole entry left the index without a word."""
    now = dict(after.entries(before.head))
    for label, entry in before.entries(after.head):
        there = now.get(label)
        if there is None:
            if label not in after.gone(label[0]):
                raise Untrusted(
                    "removed-unsaid",
                    f"{entry.label} left the feed after head {before.head.seq}, and nothing says so",
                )
            continue
        unsaid = unsaid_rows(entry, there, after.rows_of)
        if unsaid:
            raise Untrusted(
                "removed-unsaid",
                f"{len(unsaid):,} rows of {entry.label} left the feed after head {before.head.seq}, and no removal says so",
            )


@dataclass
class Gaps:
    """Heads in a row that nobody kept, by their first and last number: what stood in these alone cannot be looked at."""

    spans: list[tuple[int, int]] = field(default_factory=list)
    _open: bool = False

    def kept(self) -> None:
        """The next head is here."""
        self._open = False

    def missing(self, seq: int) -> None:
        """It is not."""
        first = self.spans.pop()[0] if self._open else seq
        self.spans.append((first, seq))
        self._open = True

    def told(self) -> list[str]:
        """Each gap in a sentence."""
        return [
            f"head {first} was not kept: what stood in it alone cannot be looked at"
            if first == last
            else f"heads {first} to {last} were not kept: what stood in them alone cannot be looked at"
            for first, last in self.spans
        ]


def _kept(source: Source, history: History, gaps: Gaps) -> Iterator[Feed]:
    for seq, digest in history.feeds:
        try:
            data = source.fetch(f"/feed/v1/files/{digest}.json", max_bytes=MAX_HEAD)
        except NotFound:
            gaps.missing(seq)
            continue
        head = parse_head(data)
        if head.sha256 != digest:
            raise Untrusted("wrong-file", f"head {seq} is not the one the log names")
        gaps.kept()
        yield Feed(source, head)
