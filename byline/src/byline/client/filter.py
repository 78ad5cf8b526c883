"""Take opted-out rows out of files. Fails closed: no believed feed, no output; and no report says that all is well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from byline.client.feed import KEPT, KINDS, ROW, UNREADABLE, Feed, Use, Verdicts
from byline.client.layout import Asked, Columns, columns_of, options_of, same_columns
from byline.client.outputs import Drafts, Keep, Mask, Output, ParquetOutput, TextOutput, packing, text_sink
from byline.client.sources import Source, format_of
from byline.client.tiers import REASONS, Tier, tier_of
from byline.errors import Refused
from byline.formats import canonical
from byline.formats.names import column_names
from byline.formats.numbered import NumberedBatch, ReadOptions
from byline.formats.parquet_reader import open_parquet, read_parquet
from byline.formats.records import DEFAULT, read_records

DROP, KEEP = "drop", "keep"


@dataclass(frozen=True)
class Wish:
    """What to filter by: the use, the layout, a dataset (`PUB/NAME[@V]`), and what becomes of what cannot be read."""

    use: Use
    layout: Asked = field(default_factory=Asked)
    dataset: str | None = None
    on_unreadable: str = DROP


@dataclass(frozen=True)
class Target:
    """Where kept records go: `file` for one source, `folder` for any number, `mask`; or nowhere."""

    file: Path | None = None
    folder: Path | None = None
    mask: Path | None = None

    def of(self, source: Source) -> Path | None:
        """Where the records of a source go."""
        return self.file if self.file is not None else self.folder / source.name if self.folder else None


@dataclass
class Tally:
    """What became of one file's records."""

    name: str
    tier: Tier
    columns: Columns | None = None
    rows_in: int = 0
    kinds: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(KINDS), dtype=np.int64))

    def add(self, verdicts: Verdicts) -> None:
        """Count records."""
        self.rows_in += len(verdicts)
        self.kinds += np.bincount(verdicts, minlength=len(KINDS))

    @property
    def unreadable(self) -> int:
        """Records nothing could be asked about."""
        return int(self.kinds[UNREADABLE])

    @property
    def dropped(self) -> dict[str, int]:
        """Opted-out records by what told so."""
        return {KINDS[at]: int(n) for at, n in enumerate(self.kinds) if n and at not in {KEPT, UNREADABLE}}

    def rows_out(self, on_unreadable: str) -> int:
        """How many stay."""
        return int(self.kinds[KEPT]) + (self.unreadable if on_unreadable == KEEP else 0)


def filter_files(
    sources: Sequence[Source], feed: Feed, wish: Wish, *, target: Target, jobs: int = 1
) -> dict[str, Any]:
    """Filter all files and give the report (docs/guides/downstream.md).

    What is written appears only when all is done. `jobs` processes ask the key feed; with more than one, the
    calling script needs the usual `if __name__ == "__main__"`.
    """
    _check_targets(sources, target)
    mask = Mask()
    tallies = []
    with Drafts() as drafts:
        for source in sources:
            tallies.append(_one(source, feed, wish, (target, drafts, mask)))
        if target.mask is not None:
            mask.save(drafts.draft(target.mask), like=target.mask)
    return report(tallies, feed, wish)


def _one(source: Source, feed: Feed, wish: Wish, where: tuple[Target, Drafts, Mask]) -> Tally:
    target, drafts, mask = where
    guess = options_of(source, wish.layout)
    tier = tier_of(feed, source, guess, dataset=wish.dataset)
    tally = Tally(source.name, tier)
    path = target.of(source)
    options = tier.options or guess
    if path is not None and options.format == "json":
        raise Refused(
            "cannot-rewrite", f"{source.name}: JSON documents are not rewritten; use --mask", at=source.name
        )
    flags: list[Keep] = []
    with ExitStack() as stack:
        out = None
        if path is not None:
            out = _output(source, options, (drafts.draft(path), path, target.file is not None))
            stack.callback(out.close)
        for batch, verdicts in _decided(source, options, (feed, wish, tally), written=out is not None):
            tally.add(verdicts)
            keep = (
                (verdicts == KEPT) | (verdicts == UNREADABLE)
                if wish.on_unreadable == KEEP
                else verdicts == KEPT
            )
            if target.mask is not None:
                flags.append(keep)
            if out is not None and batch is not None:
                out.write(batch, keep)
    if target.mask is not None:
        mask.add(source.name, np.concatenate(flags) if flags else np.zeros(0, bool))
    return tally


def _decided(
    source: Source, options: ReadOptions, how: tuple[Feed, Wish, Tally], *, written: bool
) -> Iterator[tuple[NumberedBatch | None, Verdicts]]:
    """Batches with a verdict for each record."""
    feed, wish, tally = how
    if tally.tier.kind == "row":
        yield from _by_rows(source, options, how, written=written)
        return
    columns = columns_of(source, options, wish.layout)
    tally.columns = columns
    names = same_columns((*columns.urls, *columns.digests))
    for batch in _read(source, replace(options, columns=names), whole=written):
        fields = [batch.rows.column(name) for name in names]
        split = len(columns.urls)
        found = feed.verdicts(fields[:split], fields[split:], use=wish.use)
        verdicts = np.full(batch.next_row - batch.first_row, UNREADABLE, dtype=np.uint8)
        verdicts[batch.rows.column("row").to_numpy() - batch.first_row] = found
        yield batch, verdicts


def _by_rows(
    source: Source, options: ReadOptions, how: tuple[Feed, Wish, Tally], *, written: bool
) -> Iterator[tuple[NumberedBatch | None, Verdicts]]:
    feed, wish, tally = how
    total = tally.tier.entries[0].records
    rows = np.array(tally.tier.rows(feed, wish.use).to_array(), dtype=np.int64)
    if len(rows) and int(rows[-1]) >= total:
        raise Refused("bad-row-feed", f"{source.name}: the row feed names rows beyond the file's {total:,}")
    verdicts = np.full(total, KEPT, dtype=np.uint8)
    verdicts[np.array(tally.tier.bad.to_array(), dtype=np.int64)] = UNREADABLE
    verdicts[rows] = ROW
    if not written:
        yield None, verdicts
        return
    for batch in _read(source, _any_column(source, options, tally.tier), whole=True):
        yield batch, verdicts[batch.first_row : batch.next_row]


def _any_column(source: Source, options: ReadOptions, tier: Tier) -> ReadOptions:
    column = next((entry.column for entry in tier.entries if entry.column), None)
    if column is None:
        with source.open() as file:
            column = column_names(file, options)[0]
    return replace(options, columns={"c0": column})


def _read(source: Source, options: ReadOptions, *, whole: bool) -> Iterator[NumberedBatch]:
    with source.open() as file:
        if options.format == "parquet":
            yield from read_parquet(file, options, DEFAULT, whole=whole)
        else:
            yield from read_records(file, options)


def _output(source: Source, options: ReadOptions, where: tuple[Path, Path, bool]) -> Output:
    draft, path, renamed = where
    if renamed and format_of(path.name) not in {None, options.format}:
        raise Refused(
            "other-format", f"{path.name}: {options.format} is written as {options.format}", at="-o"
        )
    with source.open() as file:
        if options.format == "parquet":
            return ParquetOutput(draft, open_parquet(file, DEFAULT))
        return TextOutput(text_sink(draft, packed=packing(path, file, renamed=renamed)))


def _check_targets(sources: Sequence[Source], target: Target) -> None:
    inputs = {source.path.resolve() for source in sources if source.path is not None}
    outputs = [target.mask, *(target.of(source) for source in sources)]
    for path in outputs:
        if path is not None and path.resolve() in inputs:
            raise Refused("would-overwrite", f"{path} is one of the files to read; write elsewhere", at="-o")


def report(tallies: Sequence[Tally], feed: Feed, wish: Wish) -> dict[str, Any]:
    """What came in, what stays, what went and why, and what this cannot tell."""
    head = feed.head
    dropped: dict[str, int] = {}
    for tally in tallies:
        for kind, count in tally.dropped.items():
            dropped[kind] = dropped.get(kind, 0) + count
    return {
        "rows_in": sum(tally.rows_in for tally in tallies),
        "rows_out": sum(tally.rows_out(wish.on_unreadable) for tally in tallies),
        "dropped": dropped,
        "unreadable": sum(tally.unreadable for tally in tallies),
        "on_unreadable": wish.on_unreadable,
        "for": {"asked": wish.use.asked, "read_as": wish.use.label},
        "coverage": dict(head.coverage),
        "cannot_tell": cannot_tell(tallies, feed),
        "feed": {
            "origin": head.origin,
            "seq": head.seq,
            "time": canonical.timestamp(head.time),
            "expires": canonical.timestamp(head.expires),
            "sha256": head.sha256,
            "tiers": {tally.name: tally.tier.kind for tally in tallies},
        },
        "files": [_file_report(tally, wish) for tally in tallies],
    }


def cannot_tell(tallies: Sequence[Tally], feed: Feed) -> list[str]:
    """What no answer here means, in sentences."""
    coverage, by_key = feed.head.coverage, [tally for tally in tallies if tally.tier.kind == "key"]
    said = []
    if by_key:
        rows_only = coverage["rows_only"]
        said.append(
            f"{len(by_key)} of {len(tallies)} files were asked about by fingerprints only: {rows_only:,} of "
            f"{coverage['opt_outs']:,} opt-outs can be told only in the very files a publisher registered"
        )
    unsaid = coverage["publisher_only"] + coverage["not_expressible"]
    if unsaid:
        said.append(
            f"{unsaid:,} opt-outs stand in no feed: they were asked of publishers only, or fit no fingerprint"
        )
    unreadable = sum(tally.unreadable for tally in tallies)
    if unreadable:
        said.append(f"{unreadable:,} rows have nothing that can be asked about")
    return said


def _file_report(tally: Tally, wish: Wish) -> dict[str, Any]:
    tier, columns = tally.tier, tally.columns
    return {
        "name": tally.name,
        "tier": tier.kind,
        "datasets": [entry.label for entry in tier.entries],
        "reason": tier.reason,
        "why": REASONS.get(tier.reason or ""),
        "columns": None if columns is None else [*columns.urls, *columns.digests],
        "rows_in": tally.rows_in,
        "rows_out": tally.rows_out(wish.on_unreadable),
        "dropped": tally.dropped,
        "unreadable": tally.unreadable,
    }
