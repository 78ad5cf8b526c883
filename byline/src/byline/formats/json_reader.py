"""NDJSON, one object a line, and one JSON document that holds records in an array or an object."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from byline.errors import Refused
from byline.formats.assemble import Stretch, assemble
from byline.formats.columns import KEY, Expression, is_place, missing_column, parse_expression
from byline.formats.numbered import BadRow, Limits, NumberedBatch, Raw, ReadOptions
from byline.formats.values import text_of

_BOM = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n"
_MISSING = object()
BATCH = 16_384

Find = Callable[[str, Mapping[str, Any], str | None], Any]


class BadRecord(Exception):  # noqa: N818 - it is a record, not an error of the file
    """Why one record cannot be read."""

    def __init__(self, code: str, reason: str) -> None:
        """A stable code and a sentence."""
        super().__init__(reason)
        self.code, self.reason = code, reason


@dataclass
class Gathering:
    """Records going by: their numbers, the values of each path, the bad ones."""

    expressions: Mapping[str, Expression]
    find: Find
    first: int

    def __post_init__(self) -> None:
        """Nothing is gathered yet."""
        self.paths = [path for one in self.expressions.values() for path in one.paths]
        self.values: dict[str, list[str | None]] = {path: [] for path in self.paths}
        self.numbers: list[int] = []
        self.bad: list[BadRow] = []
        self.next = self.first

    def add(self, record: Mapping[str, Any], key: str | None = None) -> None:
        """Take the next record."""
        try:
            found = {
                path: self.find(path, record, key) for path in self.paths
            }  # a path is there whatever its value
            row = {path: _text(value, path) for path, value in found.items()}
        except BadRecord as error:
            self.refuse(error)
            return
        for path, value in row.items():
            self.values[path].append(value)
        self.numbers.append(self.next)
        self.next += 1

    def refuse(self, why: BadRecord) -> None:
        """Count a record that cannot be read."""
        self.bad.append(BadRow(self.next, None, why.code, why.reason))
        self.next += 1

    def batch(self, limits: Limits, raw: Raw | None = None) -> NumberedBatch:
        """What was gathered."""
        columns = {path: pa.array(values, pa.string()) for path, values in self.values.items()}
        numbers = np.array(self.numbers, dtype=np.int64)
        return assemble(
            Stretch(self.first, self.next, numbers, columns, self.bad, raw), self.expressions, limits
        )


def read_ndjson(blocks: Iterator[bytes], options: ReadOptions, limits: Limits) -> Iterator[NumberedBatch]:
    """Number the lines that hold something. A path no record has is Refused("missing-column") at the end."""
    expressions = {name: parse_expression(text, ()) for name, text in options.columns.items()}
    seen = Seen(expressions)
    number, rest, ended, opening, skipping = 0, b"", False, True, False
    while not ended:
        block = next(blocks, b"")
        ended, data = not block, rest + block
        if opening and (len(data) > len(_BOM) or ended):
            skip, opening = (len(_BOM) if data.startswith(_BOM) else 0), False
        elif opening:
            rest = data
            continue
        else:
            skip = 0
        cut = len(data) if ended else data.rfind(b"\n") + 1
        if not cut and len(data) > limits.row + 2:  # a line without an end: one bad row, its bytes are let go
            cut = len(data)
        gathering = Gathering(expressions, seen.find, number)
        lead = (data.find(b"\n", 0, cut) + 1 or cut) if skipping else 0
        starts, ends = _lines(data, max(skip, lead), cut)
        for start, end in zip(starts, ends, strict=True):
            _take_line(data[start:end], gathering, limits)
        skipping = bool(cut) and not ended and data[cut - 1] != 0x0A if cut else skipping
        number, rest = gathering.next, data[cut:]
        if cut:
            raw = Raw(data[:cut], np.array(starts, dtype=np.int64), np.array(ends, dtype=np.int64), lead)
            yield gathering.batch(limits, raw)
    seen.check(number)


class Seen:
    """Which paths some record had: one that none has is a wrong mapping, not a column of nulls."""

    def __init__(self, expressions: Mapping[str, Expression]) -> None:
        """No record was seen."""
        self._unseen = {path for one in expressions.values() for path in one.paths}
        self._names: dict[str, None] = {}

    def find(self, path: str, record: Mapping[str, Any], key: str | None) -> Any:
        """The value at a path, None where it is not there."""
        value = dig(path, record, key)
        if self._unseen:
            if value is not _MISSING:
                self._unseen.discard(path)
            elif path in self._unseen and len(self._names) < 100:
                self._names.update(dict.fromkeys(record))
        return None if value is _MISSING else value

    def check(self, records: int) -> None:
        """Refused("missing-column") for a path no record had."""
        if records and self._unseen and self._names:
            raise missing_column(min(self._unseen), list(self._names))


def dig(path: str, record: Mapping[str, Any], key: str | None) -> Any:
    """Follow a path: the literal member first, then member by member, in a list by number."""
    if path in record:
        return record[path]
    if path == KEY and key is not None:
        return key
    value: Any = record
    for step in path.split("."):
        if isinstance(value, list) and is_place(step):
            value = value[int(step)] if int(step) < len(value) else None
        elif isinstance(value, dict) and step in value:
            value = value[step]
        else:
            return _MISSING
    return value


def one_object(text: str) -> dict[str, Any]:
    """Parse one record strictly, or BadRecord."""
    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_constant=_constant)
    except (ValueError, RecursionError) as error:  # ValueError: JSONDecodeError, and integers of 4,300 digits
        raise BadRecord("not-json", f"the record is not JSON: {str(error)[:100]}") from error
    if not isinstance(value, dict):
        raise BadRecord("not-an-object", "the record is not a JSON object")
    return value


def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's members; one given twice is a bad record."""
    made = dict(found)
    if len(made) != len(found):
        raise BadRecord("duplicate-key", "a member is given twice")
    return made


def _constant(name: str) -> Any:
    raise BadRecord("not-json", f"{name} is not JSON")


def _text(value: Any, path: str) -> str | None:
    try:
        text = text_of(value)
    except Refused as error:
        raise BadRecord("wrong-type", f"{path}: {error.message}") from error
    if text is not None and not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise BadRecord("not-utf8", f"{path} holds half of a surrogate pair") from error
    return text


def _take_line(line: bytes, gathering: Gathering, limits: Limits) -> None:
    try:
        gathering.add(one_object(_line_text(line, limits)))
    except BadRecord as error:
        gathering.refuse(error)


def _line_text(line: bytes, limits: Limits) -> str:
    line = line.removesuffix(b"\n").removesuffix(b"\r")
    if len(line) > limits.row:
        raise BadRecord("row-too-long", "the record is longer than it may be")
    if b"\0" in line:
        raise BadRecord("nul-character", "the record holds a zero byte")
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRecord("not-utf8", "the record is not UTF-8") from error


def _lines(data: bytes, start: int, end: int) -> tuple[Sequence[int], Sequence[int]]:
    starts, ends = [], []
    while start < end:
        feed = data.find(b"\n", start, end)
        after = end if feed < 0 else feed + 1
        if data[start:after].strip(_BLANK):
            starts.append(start)
            ends.append(after)
        start = after
    return starts, ends
