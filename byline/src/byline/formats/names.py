"""Which columns a file has, before anybody says what they mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, BinaryIO

import pyarrow as pa

from byline.errors import Refused
from byline.formats.csv_reader import read_header
from byline.formats.document_reader import first_records
from byline.formats.json_reader import BadRecord, one_object
from byline.formats.numbered import DEFAULT, Limits, ReadOptions
from byline.formats.parquet_reader import open_parquet
from byline.formats.unpack import unpacked
from byline.formats.values import is_bytes, is_list, is_readable

_LOOKED_AT = 200


def column_names(source: BinaryIO, options: ReadOptions, *, limits: Limits = DEFAULT) -> list[str]:
    """Columns (and paths into nested records) of text or numbers, in order; of JSON, those of its first records.

    Lists and bytes can be read when they are named, but nobody guesses what is in them.
    """
    if options.format == "parquet":
        return [name for field in open_parquet(source, limits).schema_arrow for name in _paths(field)]
    if options.format == "csv":
        return list(read_header(unpacked(source, limits), options, limits))
    if options.format == "ndjson":
        return _members(_lines(unpacked(source, limits)))
    if options.format == "json":
        return _members(islice(first_records(source, options, limits), _LOOKED_AT))
    raise Refused("unknown-format", f"{options.format[:40]!r} is no format that is read", at="format")


def named_only(source: BinaryIO, options: ReadOptions, *, limits: Limits = DEFAULT) -> list[str]:
    """Paths to what nobody guesses: the first of each list, and bytes; none for CSV."""
    if options.format == "parquet":
        return [name for field in open_parquet(source, limits).schema_arrow for name in _inside(field)]
    if options.format == "ndjson":
        found = (_firsts(record) for record in _lines(unpacked(source, limits)))
    elif options.format == "json":
        found = (_firsts(record) for record in islice(first_records(source, options, limits), _LOOKED_AT))
    else:
        return []
    return list(dict.fromkeys(name for names in found for name in names))


def first_width(source: BinaryIO, options: ReadOptions, *, limits: Limits = DEFAULT) -> int:
    """How many fields the first record of a CSV file has, whatever its columns are called."""
    return len(read_header(unpacked(source, limits), replace(options, header=None), limits))


def _paths(field: pa.Field, before: str = "") -> Iterator[str]:
    name = f"{before}{field.name}"
    if pa.types.is_struct(field.type):
        for inner in field.type:
            yield from _paths(inner, f"{name}.")
    elif is_readable(field.type) and not is_bytes(field.type):
        yield name


def _inside(field: pa.Field, before: str = "") -> Iterator[str]:
    name, kind = f"{before}{field.name}", field.type
    if is_bytes(kind):
        yield name
    elif pa.types.is_struct(kind):
        for inner in kind:
            yield from _inside(inner, f"{name}.")
    elif is_list(kind):
        first = pa.field("0", kind.value_type)
        yield from (*_paths(first, f"{name}."), *_inside(first, f"{name}."))


def _lines(blocks: Iterator[bytes]) -> Iterator[Mapping[str, Any]]:
    data = b"".join(islice(blocks, 4))
    for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n")[:_LOOKED_AT]:
        try:
            yield one_object(line.decode("utf-8"))
        except (BadRecord, UnicodeDecodeError):  # noqa: PERF203 - a line that says nothing is passed over
            continue


def _members(records: Iterator[Mapping[str, Any]]) -> list[str]:
    found: dict[str, None] = {}
    for record in records:
        found.update(dict.fromkeys(_flat(record)))
    return list(found)


def _flat(record: Mapping[str, Any], before: str = "", depth: int = 0) -> Iterator[str]:
    for name, value in record.items():
        if isinstance(value, dict) and depth < 4:
            yield from _flat(value, f"{before}{name}.", depth + 1)
        elif value is None or (isinstance(value, (str, int, float)) and not isinstance(value, bool)):
            yield f"{before}{name}"


def _firsts(record: Mapping[str, Any], before: str = "", depth: int = 0) -> Iterator[str]:
    for name, value in record.items():
        path = f"{before}{name}"
        if isinstance(value, dict) and depth < 4:
            yield from _firsts(value, f"{path}.", depth + 1)
        elif isinstance(value, list) and value and depth < 4:
            first = {"0": value[0]}
            yield from (*_flat(first, f"{path}.", depth + 1), *_firsts(first, f"{path}.", depth + 1))
