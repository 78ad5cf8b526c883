"""The one strict reader of publish and filter.

CSV, NDJSON, JSON and Parquet to numbered rows (docs/formats/records.md).

A row number counts records from 0 in file order. What cannot be read is a bad row and still takes its number.
An empty value is no value.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from byline.errors import Refused
from byline.formats.csv_reader import read_csv
from byline.formats.document_reader import read_document
from byline.formats.json_reader import read_ndjson
from byline.formats.manifest import FIELDS, FORMATS
from byline.formats.numbered import DEFAULT, BadRow, Limits, NumberedBatch, Raw, ReadOptions
from byline.formats.parquet_reader import read_parquet
from byline.formats.unpack import unpacked

__all__ = [
    "DEFAULT",
    "FIELDS",
    "FORMATS",
    "BadRow",
    "Limits",
    "NumberedBatch",
    "Raw",
    "ReadOptions",
    "read_records",
]


def read_records(
    source: BinaryIO, options: ReadOptions, *, limits: Limits = DEFAULT
) -> Iterator[NumberedBatch]:
    """Batches in file order, in bounded memory; text formats plain, gzip or zstd (by magic bytes).

    `source` stands at its beginning; Parquet and JSON documents need it seekable. Refused where the file as a
    whole cannot be read; single records that cannot are in `NumberedBatch.bad`.
    """
    if options.format == "parquet":
        return read_parquet(source, options, limits)
    if options.format == "csv":
        return read_csv(unpacked(source, limits), options, limits)
    if options.format == "ndjson":
        return read_ndjson(unpacked(source, limits), options, limits)
    if options.format == "json":
        return read_document(source, options, limits)
    raise Refused(
        "unknown-format", f"the formats are {', '.join(FORMATS)}, not {options.format[:40]!r}", at="format"
    )
