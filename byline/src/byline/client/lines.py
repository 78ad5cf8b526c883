"""URLs a line each, from one stream to another: for pipes, where nothing is a file."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO

import pyarrow as pa

from byline.client import report
from byline.client.feed import KEPT, UNREADABLE, Feed
from byline.client.filter import Wish
from byline.client.layout import Columns
from byline.client.report import KEEP, Tally
from byline.client.tiers import Tier

AT_ONCE = 8_192
LONGEST = 65_536  # bytes of a line; a longer one comes in pieces, which are no URLs


def filter_lines(lines: BinaryIO, kept: BinaryIO, feed: Feed, wish: Wish) -> dict[str, Any]:
    """Write the lines that stay, byte for byte, as they come; give the report. A line that is no URL is unreadable."""
    tally = Tally("-", Tier("key", reason="not-registered"), Columns(("line",), ()))
    for batch in _batches(lines):
        texts = pa.array([line.strip().decode("utf-8", "replace") for line in batch], pa.string())
        verdicts = feed.verdicts([texts], [], use=wish.use)
        tally.add(verdicts)
        keep = verdicts == KEPT
        if wish.on_unreadable == KEEP:
            keep |= verdicts == UNREADABLE
        kept.write(b"".join(line for line, stays in zip(batch, keep.tolist(), strict=True) if stays))
        kept.flush()
    return report.report([tally], feed, report.Asked(wish.use, wish.on_unreadable))


def _batches(lines: BinaryIO) -> Iterator[list[bytes]]:
    read = iter(lambda: lines.readline(LONGEST), b"")
    while batch := list(islice(read, AT_ONCE)):
        yield batch
