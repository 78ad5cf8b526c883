"""Which feed applies to a file: the row feed where this very file is registered, else the key feed; and why."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from pyroaring import BitMap64

from byline.client.feed import Feed, Use
from byline.client.layout import registered_options
from byline.client.sources import Source
from byline.client.state import SeenColumn, Stat, State
from byline.errors import Refused
from byline.formats.extract import ColumnDigest
from byline.formats.feedhead import RowEntry
from byline.formats.numbered import ReadOptions
from byline.formats.parquet_reader import open_parquet
from byline.formats.records import DEFAULT, read_records

REASONS = {
    "not-registered": "no approved publisher registered a file of this digest",
    "not-in-dataset": "the dataset named does not list a file of this digest",
    "several-holders": "more than one publisher names this file; say --dataset",
    "observers-only": "only observers document this file; say --dataset to go by one of them",
    "records-differ": "the file is read differently from how its publisher read it",
}
_RACY = 2_000_000_000  # a file changed this many nanoseconds ago may change again unseen


@dataclass(frozen=True)
class Tier:
    """`row` or `item` with the entries that apply and, for rows, the options the file is read by; or `key` with the reason."""

    kind: str
    entries: tuple[RowEntry, ...] = ()
    options: ReadOptions | None = None
    reason: str | None = None
    bad: BitMap64 = field(default_factory=BitMap64)
    """Records nobody could read, the publisher neither."""
    sha256: str | None = None
    """The file's; None for a stream."""

    def rows(self, feed: Feed, use: Use) -> BitMap64:
        """The rows that go by any of the entries."""
        return BitMap64.union(BitMap64(), *(feed.rows(entry, use=use) for entry in self.entries))


def tier_of(feed: Feed, source: Source, guess: Callable[[], ReadOptions], *, dataset: str | None) -> Tier:
    """Decide for one file. Every entry that applies must find its records again in the file.

    `guess` is asked only where nobody registered how the file is read.
    """
    sha256 = file_digest(feed.state, source)
    entries, reason = _named(feed.entries(sha256), dataset)
    if reason is not None:
        return Tier("key", reason=reason, sha256=sha256)
    options, bad = None, BitMap64()
    for entry in entries:
        options = registered_options(entry.options, entry.format) or guess()
        unread = _found_again(feed.state, source, sha256, (entry, options))
        if unread is None:
            return Tier("key", reason="records-differ", sha256=sha256)
        bad |= unread
    return Tier("row", tuple(entries), options, bad=bad, sha256=sha256)


def _named(entries: Sequence[RowEntry], dataset: str | None) -> tuple[list[RowEntry], str | None]:
    """The entries that count, or why none does."""
    if dataset is not None:
        found = [one for one in entries if dataset in {one.label, one.dataset}]
        return found, None if found else "not-in-dataset"
    holders = [one for one in entries if one.holder_approved]
    publishers = {one.dataset.partition("/")[0] for one in holders}
    if len(publishers) > 1:
        return [], "several-holders"
    if not holders:
        return [], "observers-only" if entries else "not-registered"
    return holders, None


def file_digest(state: State, source: Source) -> str:
    """The file's SHA-256; not computed again for a local file that has not changed since."""
    if source.path is None:
        return source.sha256()
    found = source.path.stat()
    stat = Stat(str(source.path.resolve()), found.st_size, found.st_mtime_ns, found.st_ino)
    known = state.digest_of(stat)
    if known is not None:
        return known
    made = source.sha256()
    after = source.path.stat()
    quiet = after.st_mtime_ns == found.st_mtime_ns and _age(source) > _RACY
    if quiet:
        state.note_digest(stat, made)
    return made


def _age(source: Source) -> int:
    return time.time_ns() - source.path.stat().st_mtime_ns if source.path is not None else 0


def _found_again(
    state: State, source: Source, sha256: str, how: tuple[RowEntry, ReadOptions]
) -> BitMap64 | None:
    """The bad rows of a file that has the records the publisher said it has; None where it has others.

    That is shown by their count, and by the digest of one column with its row numbers.
    """
    entry, options = how
    if entry.column is None or entry.column_sha256 is None:
        return BitMap64() if _count(source, options) in {None, entry.records} else None
    column = entry.column
    name = next((name for name, text in entry.columns.items() if text == column), "item_id")
    alone = replace(options, columns={name: column})
    together = replace(options, columns=dict(entry.columns)) if entry.columns else alone
    # Rows that are bad for another column's sake are not in the digest: then all columns are needed to tell.
    for reading in (alone, together) if together != alone else (alone,):
        found = _column(state, source, sha256, (reading, name))
        if (found.records, found.digest) == (entry.records, entry.column_sha256):
            return BitMap64.deserialize(found.bad)
    return None


def _column(state: State, source: Source, sha256: str, how: tuple[ReadOptions, str]) -> SeenColumn:
    options, name = how
    reading = json.dumps([vars(options) | {"columns": dict(options.columns)}, name], sort_keys=True)
    known = state.column_of(sha256, reading)
    if known is not None:
        return known
    digest, records, bad = ColumnDigest(), 0, BitMap64()
    try:
        with source.open() as file:
            for batch in read_records(file, options):
                digest.update(batch.rows.column("row"), batch.rows.column(name))
                bad |= BitMap64(one.row for one in batch.bad)
                records = batch.next_row
    except Refused:  # it cannot be read so at all: then these are other records
        return SeenColumn(-1, "", BitMap64().serialize())
    found = SeenColumn(records, digest.hexdigest(), bad.serialize())
    state.note_column(sha256, reading, found)
    return found


def _count(source: Source, options: ReadOptions) -> int | None:
    """How many rows a Parquet file has; None for other formats, where the digest of the file must do."""
    if options.format != "parquet":
        return None
    with source.open() as file:
        return int(open_parquet(file, DEFAULT).metadata.num_rows)
