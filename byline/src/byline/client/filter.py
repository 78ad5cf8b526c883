"""Take opted-out rows out of files. Fails closed: no believed feed, no output; and no report says that all is well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from byline.client import report
from byline.client.asking import Asking, asking
from byline.client.deciding import Decided, by_ids, by_keys, by_rows, read_ids
from byline.client.feed import KEPT, UNREADABLE, Feed, Use
from byline.client.item_ids import ItemIds, item_ids
from byline.client.layout import Asked, columns_of, is_blank, options_of
from byline.client.outputs import Drafts, Keep, Mask, Output, ParquetOutput, TextOutput, packing, text_sink
from byline.client.report import DROP, KEEP, Tally
from byline.client.sources import Source, format_of
from byline.client.tiers import Tier, tier_of
from byline.errors import Refused
from byline.formats.numbered import ReadOptions
from byline.formats.parquet_reader import open_parquet
from byline.formats.records import DEFAULT


@dataclass(frozen=True)
class Wish:
    """What to filter by: the use, the layout, a dataset (`PUB/NAME[@V]`), and what becomes of what cannot be read."""

    use: Use
    layout: Asked = field(default_factory=Asked)
    dataset: str | None = None
    on_unreadable: str = DROP
    id_column: str | None = None
    """Go by the ids of `dataset` in this column, and by nothing else."""


@dataclass(frozen=True)
class Target:
    """Where kept records go: `file` for one source, `folder` for any number; or a `mask`; or nowhere."""

    file: Path | None = None
    folder: Path | None = None
    mask: Path | None = None

    def of(self, source: Source) -> Path | None:
        """Where the records of a source go."""
        return self.file if self.file is not None else self.folder / source.name if self.folder else None


def filter_files(
    sources: Sequence[Source], feed: Feed, wish: Wish, *, target: Target, jobs: int = 1
) -> dict[str, Any]:
    """Filter all files and give the report (docs/guides/downstream.md).

    What is written appears only when all is done. `jobs` processes ask the key feed; with more than one, the
    calling script needs the usual `if __name__ == "__main__"`.
    """
    _check_targets(sources, target)
    mask = Mask()
    with Drafts() as drafts, asking(feed, wish.use, jobs=jobs) as asked:
        run = _Run(feed, wish, target, asked, drafts, mask, _known_ids(sources, feed, wish))
        tallies = [run.one(source) for source in sources]
        if target.mask is not None:
            mask.save(drafts.draft(target.mask), like=target.mask)
    return report.report(tallies, feed, report.Asked(wish.use, wish.on_unreadable))


@dataclass(frozen=True)
class _Run:
    """Everything one run goes by."""

    feed: Feed
    wish: Wish
    target: Target
    asked: Asking
    drafts: Drafts
    mask: Mask
    ids: ItemIds | None = None

    def one(self, source: Source) -> Tally:
        """Filter one file."""
        guess = cache(partial(options_of, source, self.wish.layout))
        tally = Tally(source.name, self._tier(source, guess))
        options = tally.tier.options or guess()
        flags: list[Keep] = []
        with ExitStack() as stack:
            out = self._output(source, options)
            if out is not None:
                stack.callback(out.close)
            for batch, verdicts in self._decided(source, options, tally):
                tally.add(verdicts)
                keep: Keep = verdicts == KEPT
                if self.wish.on_unreadable == KEEP:
                    keep |= verdicts == UNREADABLE
                if self.target.mask is not None:
                    flags.append(keep)
                if out is not None and batch is not None:
                    out.write(batch, keep)
        self.mask.add(source.name, np.concatenate([np.zeros(0, bool), *flags]))
        return tally

    def _tier(self, source: Source, guess: Callable[[], ReadOptions]) -> Tier:
        if self.ids is not None:
            return Tier("item", self.ids.entries)
        return tier_of(self.feed, source, guess, dataset=self.wish.dataset)

    def _decided(self, source: Source, options: ReadOptions, tally: Tally) -> Decided:
        written = self.target.of(source) is not None
        if tally.tier.kind == "row":
            return by_rows(source, tally.tier, self.feed, use=self.wish.use, written=written)
        if self.ids is not None and self.wish.id_column is not None:
            asked = (self.wish.use, written)
            return by_ids(source, options, self.ids, column=self.wish.id_column, asked=asked)
        if is_blank(source, options):
            return iter(())
        tally.columns = columns_of(source, options, self.wish.layout)
        return by_keys(source, options, self.asked, tally=tally, whole=written)

    def _output(self, source: Source, options: ReadOptions) -> Output | None:
        path = self.target.of(source)
        if path is None:
            return None
        if options.format == "json":
            raise Refused(
                "cannot-rewrite", f"{source.name}: JSON documents are not rewritten; use --mask", at="-o"
            )
        renamed = self.target.file is not None
        if renamed and format_of(path.name) not in {None, options.format}:
            raise Refused("other-format", f"{path.name}: {options.format} stays {options.format}", at="-o")
        draft = self.drafts.draft(path)
        with source.open() as file:
            if options.format == "parquet":
                return ParquetOutput(draft, open_parquet(file, DEFAULT))
            return TextOutput(text_sink(draft, packed=packing(path, file, renamed=renamed)))


def _known_ids(sources: Sequence[Source], feed: Feed, wish: Wish) -> ItemIds | None:
    """All files are read for their ids first: together they must be the dataset's whole list."""
    if wish.id_column is None:
        return None
    if wish.dataset is None:
        raise Refused("no-dataset", "ids are of one dataset; say --dataset PUB/NAME@V", at="--dataset")
    chunks = [read_ids(one, options_of(one, wish.layout), wish.id_column).chunks for one in sources]
    return item_ids(
        feed, wish.dataset, pa.chunked_array([one for some in chunks for one in some], pa.large_string())
    )


def _check_targets(sources: Sequence[Source], target: Target) -> None:
    inputs = {source.path.resolve() for source in sources if source.path is not None}
    for path in (target.mask, *(target.of(source) for source in sources)):
        if path is not None and path.resolve() in inputs:
            raise Refused("would-overwrite", f"{path} is one of the files to read; write elsewhere", at="-o")
