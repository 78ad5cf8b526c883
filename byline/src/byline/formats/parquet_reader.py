"""Parquet, bounded before it is unfolded: a kilobyte of it can stand for gigabytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from byline.errors import Refused
from byline.formats.assemble import Stretch, assemble
from byline.formats.columns import Expression, is_place, missing_column, parse_expression
from byline.formats.numbered import BadRow, Limits, NumberedBatch, ReadOptions
from byline.formats.values import (
    is_coded_text,
    is_list,
    is_readable,
    is_text,
    list_element,
    text_column,
    wrong_column_type,
)

BATCH = 65_536
# A row of an honest list takes bytes of its own; a megabyte of Parquet cannot stand for a billion rows.
_ROWS_PER_BYTE, _FREE_ROWS = 64, 100_000


def read_parquet(
    source: BinaryIO, options: ReadOptions, limits: Limits, *, whole: bool = False
) -> Iterator[NumberedBatch]:
    """Number the rows of a Parquet file; with `whole`, all its columns come along, as they are.

    Refused: "not-parquet", "too-many-columns", "unfolds-too-far", "missing-column", "wrong-column-type".
    """
    file = open_parquet(source, limits)
    names = file.schema_arrow.names
    expressions = {name: parse_expression(text, names) for name, text in options.columns.items()}
    paths = sorted({path for one in expressions.values() for path in one.paths})
    for path in paths:
        _check_column(path, file.schema_arrow)
    number = 0
    stored = sorted({_stored(path, file.schema_arrow) for path in paths})
    for batch in _batches(source, names if whole else stored, limits):
        found = _numbered(batch, expressions, (number, limits))
        yield replace(found, whole=_as_stored(batch, file.schema_arrow)) if whole else found
        number += batch.num_rows
    if number != file.metadata.num_rows:
        raise Refused("not-parquet", "the footer and the pages disagree about the number of rows")


def _as_stored(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    columns = [
        column if column.type == field.type else column.cast(field.type)
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def open_parquet(source: BinaryIO, limits: Limits, dictionaries: list[str] | None = None) -> pq.ParquetFile:
    """Open a Parquet file whose footer keeps the limits; Refused otherwise."""
    source.seek(0, 2)
    size = source.tell()
    head, tail = _ends(source, size)
    if head != b"PAR1" or tail[4:] != b"PAR1":
        raise Refused("not-parquet", "this is not a whole Parquet file")
    if int.from_bytes(tail[:4], "little") > limits.footer:
        raise Refused("too-many-columns", f"the Parquet footer is larger than {limits.footer:,} bytes")
    source.seek(0)
    try:
        file = pq.ParquetFile(
            source,
            read_dictionary=dictionaries,
            thrift_string_size_limit=limits.footer,
            thrift_container_size_limit=1_000_000,
            arrow_extensions_enabled=False,
        )
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:  # the last for a column's name
        raise not_parquet(error) from error
    if file.metadata.num_columns > limits.columns:
        raise Refused(
            "too-many-columns", f"{file.metadata.num_columns:,} columns; at most {limits.columns:,} are read"
        )
    if file.metadata.num_rows > size * _ROWS_PER_BYTE + _FREE_ROWS:
        raise Refused(
            "unfolds-too-far", f"{file.metadata.num_rows:,} rows in {size:,} bytes are not believed"
        )
    return file


def not_parquet(error: BaseException) -> Refused:
    """The error for a file Arrow gives up on."""
    said = str(error).splitlines() or ["?"]
    return Refused("not-parquet", f"the Parquet file cannot be read: {said[0][:200]}")


def _ends(source: BinaryIO, size: int) -> tuple[bytes, bytes]:
    source.seek(0)
    head = source.read(4)
    source.seek(max(size - 8, 0))
    return head, source.read(8) if size >= 12 else b""


def _check_column(path: str, schema: pa.Schema) -> None:
    kind = column_type(path, schema)
    if kind is None:
        raise missing_column(path, schema.names)
    if not is_readable(kind):
        raise wrong_column_type(path, kind)


def column_type(path: str, schema: pa.Schema) -> pa.DataType | None:
    """The type at a path: the literal column first, then into structs and lists; None where there is none."""
    if schema.names.count(path) > 1:
        raise Refused("duplicate-column", f"the column {path!r} stands twice", at=path)
    if path in schema.names:
        return schema.field(path).type
    steps = path.split(".")
    if schema.names.count(steps[0]) != 1:
        return None
    kind = schema.field(steps[0]).type
    for step in steps[1:]:
        if is_list(kind) and is_place(step):
            kind = kind.value_type
        elif pa.types.is_struct(kind) and kind.get_field_index(step) >= 0:
            kind = kind.field(step).type
        else:
            return None
    return kind


def column_at(path: str, batch: pa.RecordBatch) -> pa.Array:
    """The values at a path; null where a record around them is null."""
    if path in batch.schema.names:
        return batch.column(path)
    steps = path.split(".")
    column = batch.column(steps[0])
    for step in steps[1:]:
        column = list_element(column, int(step)) if is_list(column.type) else pc.struct_field(column, step)
    return column


def _stored(path: str, schema: pa.Schema) -> str:
    """What a path needs of the file: lists are read whole."""
    if path in schema.names:
        return path
    steps = path.split(".")
    kind = schema.field(steps[0]).type
    for at, step in enumerate(steps[1:], 1):
        if is_list(kind):
            return ".".join(steps[:at])
        kind = kind.field(step).type
    return path


def _batches(source: BinaryIO, paths: list[str], limits: Limits) -> Iterator[pa.RecordBatch]:
    size = source.seek(0, 2)
    budget = min(limits.free + size * limits.ratio, limits.unfolded)
    plain = open_parquet(source, limits)
    wide = _wide_dictionaries(source, plain, paths, limits)
    file = open_parquet(source, limits, sorted(wide)) if wide else plain
    for group in range(plain.num_row_groups):
        rows = _rows(plain.metadata.row_group(group), limits)
        for batch in _decoded(file.iter_batches(rows, row_groups=[group], columns=paths)):
            short = _without_long_words(batch, limits)
            budget -= _true_size(short)
            if budget < 0:
                raise Refused("unfolds-too-far", f"{size:,} bytes of Parquet unfold to more than a file may")
            yield from _pieces(short, limits)


def _decoded(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    try:
        yield from batches
    except (pa.ArrowException, OSError) as error:
        raise not_parquet(error) from error


def _rows(group: pq.RowGroupMetaData, limits: Limits) -> int:
    if not group.num_rows:
        return 1
    return int(max(min(BATCH, limits.batch // max(group.total_byte_size // group.num_rows, 1)), 1))


def _wide_dictionaries(source: BinaryIO, plain: pq.ParquetFile, paths: list[str], limits: Limits) -> set[str]:
    """Text columns with a word so long that a batch of it would not fit: in 6 kB it can stand a million times.

    The first row of each row group, read as a dictionary, shows all words of that group. These columns stay
    dictionaries until their true size is known; the others are read plain, which is six times as fast. What the
    footer says of a column chunk is not asked: on a spoilt one pyarrow ends the whole process.
    """
    schema = plain.schema_arrow
    types = {path: schema.field(path).type for path in paths if path in schema.names}
    names = [path for path, kind in types.items() if is_text(kind) or is_coded_text(kind)]
    coded = sorted(names)
    if not coded:
        return set()
    found = set()
    file = open_parquet(source, limits, coded)
    for group in range(plain.num_row_groups):
        for batch in _decoded(file.iter_batches(1, row_groups=[group], columns=coded)):
            for name in coded:
                column = batch.column(name)
                words = pc.binary_length(column.dictionary) if pa.types.is_dictionary(column.type) else column
                if len(words) and (pc.max(words).as_py() or 0) * BATCH > limits.batch:
                    found.add(name)
            break
    return found


def _without_long_words(batch: pa.RecordBatch, limits: Limits) -> pa.RecordBatch:
    """Words longer than a row may be are cut to just that: their rows are bad all the same, and cost nothing."""
    if not any(is_coded_text(column.type) for column in batch.columns):
        return batch
    columns = [_shortened(column, limits.row + 1) for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _shortened(column: pa.Array, longest: int) -> pa.Array:
    if not is_coded_text(column.type) or not len(column.dictionary):
        return column
    long = pc.fill_null(pc.greater(pc.binary_length(column.dictionary), longest), False)
    if not pc.any(long).as_py():
        return column
    words = pc.if_else(long, pa.scalar("x" * longest, column.dictionary.type), column.dictionary)
    return pa.DictionaryArray.from_arrays(column.indices, words)


def _pieces(batch: pa.RecordBatch, limits: Limits) -> Iterator[pa.RecordBatch]:
    """Cut a batch until what it stands for fits."""
    if batch.num_rows > 1 and _true_size(batch) > 2 * limits.batch:
        middle = batch.num_rows // 2
        yield from _pieces(batch.slice(0, middle), limits)
        yield from _pieces(batch.slice(middle), limits)
    else:
        yield batch


def _true_size(batch: pa.RecordBatch) -> int:
    """Bytes once every dictionary is unfolded."""
    return sum(
        int(_lengths(column).sum()) if is_coded_text(column.type) else column.nbytes
        for column in batch.columns
    )


def _lengths(column: pa.DictionaryArray) -> npt.NDArray[np.int64]:
    words = np.asarray(pc.fill_null(pc.binary_length(column.dictionary), 0), dtype=np.int64)
    if not len(words):
        return np.zeros(len(column), dtype=np.int64)
    known = np.asarray(pc.fill_null(column.indices, 0))
    return np.where(np.asarray(pc.is_null(column.indices)), 0, words[known])


def _numbered(
    batch: pa.RecordBatch, expressions: dict[str, Expression], place: tuple[int, Limits]
) -> NumberedBatch:
    first, limits = place
    paths = {path for one in expressions.values() for path in one.paths}
    columns = {path: text_column(column_at(path, batch), path) for path in paths}
    good = np.ones(batch.num_rows, dtype=bool)
    bad = []
    for path, column in columns.items():
        for at in _not_utf8(column):
            if good[at]:
                bad.append(BadRow(first + at, None, "not-utf8", f"{path} is not UTF-8"))
            good[at] = False
    numbers = np.arange(first, first + batch.num_rows, dtype=np.int64)
    if bad:
        columns = {path: column.filter(pa.array(good)) for path, column in columns.items()}
    stretch = Stretch(first, first + batch.num_rows, numbers[good], columns, bad)
    return assemble(stretch, expressions, limits)


def _not_utf8(column: pa.StringArray) -> list[int]:
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return [
            at
            for at, value in enumerate(column.cast(pa.binary()).to_pylist())
            if value and not _is_utf8(value)
        ]
    return []


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
