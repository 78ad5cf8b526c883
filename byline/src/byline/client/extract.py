"""Read a dataset's files where they lie and write the extract: the mapped columns, with file and row number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from byline.client.sources import Source, expand
from byline.formats import withheld
from byline.formats.extract import ColumnDigest, ExtractDigest, extract_schema
from byline.formats.manifest import IDENTIFYING
from byline.formats.records import DEFAULT, BadRow, Limits, NumberedBatch, ReadOptions, read_records

MOST_BAD = 100
ROW_GROUP = 65_536
# Few values, many rows: these stay dictionaries; the others are written plain, so that the registry sees their size.
_REPEATED = ("creator_name", "creator_url", "creator_id", "license", "makers")


@dataclass(frozen=True)
class SourceFile:
    """A file by name and digest, and how many records it has, bad ones included."""

    name: str
    sha256: str
    records: int


@dataclass(frozen=True)
class BadRecord:
    """A record that could not be read: file name, row, field (None: the whole record), code, reason."""

    file: str
    row: int
    column: str | None
    code: str
    reason: str


@dataclass(frozen=True)
class Blinds:
    """A key that withholds, and the dataset (`publisher/name`) whose names and ids it is about."""

    key: bytes
    dataset: str


@dataclass(frozen=True)
class ExtractSummary:
    """What was read: good rows, the digest of the canonical records, the files, the first bad rows, how many of each code.

    `column_sha256`: of each file the digest of its identifying column, where rows are withheld.
    """

    rows: int
    sha256: str
    files: tuple[SourceFile, ...]
    bad: tuple[BadRecord, ...]
    bad_codes: Mapping[str, int]
    column_sha256: tuple[str | None, ...] = ()

    @property
    def bad_rows(self) -> int:
        """How many could not be read."""
        return sum(self.bad_codes.values())


def write_extract(
    files: Sequence[Source | str | Path],
    *,
    options: ReadOptions,
    out: Path | None,
    names: Sequence[str] | None = None,
    limits: Limits = DEFAULT,
    progress: Callable[[int], None] | None = None,
    blinds: Blinds | None = None,
) -> ExtractSummary:
    """Read all files in order and write the good rows to `out` (None: digest and counts only), in bounded memory.

    `names` replaces the files' names in the summary. `progress` hears how many records were read so far. Errors of a
    file as a whole come as Refused; bad rows are counted, never left out in silence. `blinds`: digests under its key stand
    in place of what identifies.
    """
    sources = [one if isinstance(one, Source) else expand([one])[0] for one in files]
    named = list(names) if names is not None else [source.name for source in sources]
    digest = ExtractDigest(list(withheld.FIELDS if blinds else options.columns))
    columns: list[str | None] = []
    made: list[SourceFile] = []
    bad: list[BadRecord] = []
    bad_codes: Counter[str] = Counter()
    read = 0
    with ExitStack() as stack:
        writer = stack.enter_context(_writer(out, digest.fields)) if out is not None else None
        for number, (source, name) in enumerate(zip(sources, named, strict=True)):
            records, column = 0, _Column(options.columns)
            for batch in _records(source, options, limits):
                rows = _extract_rows(batch, number, list(options.columns))
                if blinds is not None:
                    column.update(rows)
                    rows = withheld.withheld_rows(rows, key=blinds.key, dataset=blinds.dataset)
                digest.update(rows)
                if writer is not None and rows.num_rows:
                    writer.write_batch(rows, row_group_size=ROW_GROUP)
                bad_codes.update(one.code for one in batch.bad)
                bad += [_bad(name, one) for one in batch.bad[: MOST_BAD - len(bad)]]
                records = batch.next_row
                if progress is not None:
                    progress(read + records)
            read += records
            made.append(SourceFile(name, source.sha256(), records))
            columns.append(column.hexdigest())
    return ExtractSummary(
        digest.rows,
        digest.hexdigest(),
        tuple(made),
        tuple(bad),
        bad_codes,
        tuple(columns) if blinds is not None else (),
    )


class _Column:
    """The digest of a file's identifying column, where one is mapped."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        self._name = next((name for name in IDENTIFYING if name in columns), None)
        self._digest = ColumnDigest()

    def update(self, rows: pa.RecordBatch) -> None:
        if self._name is not None:
            self._digest.update(rows["row"], rows[self._name])

    def hexdigest(self) -> str | None:
        return self._digest.hexdigest() if self._name is not None else None


def _records(source: Source, options: ReadOptions, limits: Limits) -> Iterator[NumberedBatch]:
    with source.open() as file:
        yield from read_records(file, options, limits=limits)


def _extract_rows(batch: NumberedBatch, file: int, fields: Sequence[str]) -> pa.RecordBatch:
    rows = batch.rows
    schema = extract_schema(fields)
    numbers = pa.array([file], pa.int32()).take(pa.nulls(rows.num_rows, pa.int32()).fill_null(0))
    return pa.RecordBatch.from_arrays(
        [numbers, rows.column("row"), *(rows.column(name) for name in schema.names[2:])], schema=schema
    )


def _bad(file: str, one: BadRow) -> BadRecord:
    return BadRecord(file, one.row, one.column, one.code, one.reason)


def _writer(out: Path, fields: Sequence[str]) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        out,
        extract_schema(fields),
        compression="zstd",
        use_dictionary=[name for name in fields if name in _REPEATED],
        write_statistics=False,
        store_schema=False,
    )
