"""One JSON document that holds records: COCO's `images`, FFHQ's object of objects. Read as it streams by.

`array` names the member (a path with dots) that holds the records; without it the document itself does. Records are the
elements of an array, or the values of an object, whose keys are then known as `$key`. Row numbers count them.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from byline.errors import Refused
from byline.formats.columns import Expression, parse_expression, parse_lookup
from byline.formats.json_reader import BATCH, BadRecord, Gathering, Seen, pairs
from byline.formats.numbered import Limits, NumberedBatch, ReadOptions
from byline.formats.unpack import unpacked
from byline.formats.values import text_of

MAX_DEPTH = 64
MOST_LOOKED_UP = 100_000
_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SCALAR = re.compile(r"[^\s,\]}\"{\[]+")
# What moves the depth of nesting, strings stepped over whole.
_MARKS = re.compile(r'[^"\[\]{}]+|"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


def read_document(source: BinaryIO, options: ReadOptions, limits: Limits) -> Iterator[NumberedBatch]:
    """Number the records; Refused("not-json", "no-such-array", "missing-column") where the document is another.

    Tables that columns look up are read in a first pass, so `source` must be seekable then.
    """
    expressions = {name: parse_expression(text, ()) for name, text in options.columns.items()}
    lookups = {
        path: found for one in expressions.values() for path in one.paths if (found := parse_lookup(path))
    }
    tables: dict[str, dict[str, Any]] = {}
    for table in sorted({one.table for one in lookups.values()}):
        source.seek(0)
        tables[table] = _table(_Text(unpacked(source, limits), limits), table)
    if lookups:
        source.seek(0)
    seen = Seen({name: _own(expression) for name, expression in expressions.items()})

    def find(path: str, record: Mapping[str, Any], key: str | None) -> Any:
        found = lookups.get(path)
        if found is None:
            return seen.find(path, record, key)
        row = tables[found.table].get(_key(seen.find(found.path, record, key)))
        return row.get(found.member) if row else None

    text = _Text(unpacked(source, limits), limits)
    gathering = Gathering(expressions, find, 0)
    for key, value in _records(text, options.array):
        if isinstance(value, BadRecord):
            gathering.refuse(value)
        else:
            gathering.add(value, key)
        if gathering.next - gathering.first >= BATCH:
            yield gathering.batch(limits)
            gathering = Gathering(expressions, find, gathering.next)
    yield gathering.batch(limits)
    seen.check(gathering.next)


def first_records(source: BinaryIO, options: ReadOptions, limits: Limits) -> Iterator[Mapping[str, Any]]:
    """The records that can be read, as they are."""
    for _, value in _records(_Text(unpacked(source, limits), limits), options.array):
        if isinstance(value, dict):
            yield value


def _own(expression: Expression) -> Expression:
    """The expression with look-ups replaced by the record's own path."""
    pieces = [piece if isinstance(piece, str) else _hole(piece) for piece in expression.pieces]
    return Expression(expression.text, tuple(pieces))


def _hole(piece: Any) -> Any:
    found = parse_lookup(piece.path)
    return type(piece)(found.path, piece.form) if found else piece


def _table(text: _Text, member: str) -> dict[str, dict[str, Any]]:
    """The elements of a top-level array by their `id`."""
    table: dict[str, dict[str, Any]] = {}
    for _, value in _records(text, member):
        if isinstance(value, dict) and "id" in value:
            table.setdefault(_key(value["id"]), value)
        if len(table) > MOST_LOOKED_UP:
            raise Refused("table-too-long", f"{member} has more than {MOST_LOOKED_UP:,} elements", at=member)
    return table


def _key(value: Any) -> str:
    try:
        return text_of(value) or ""
    except Refused:
        return ""


def _records(text: _Text, array: str | None) -> Iterator[tuple[str | None, Any]]:
    """(key, record) pairs; a record that is no object, or not strict JSON, is a BadRecord."""
    text.opening()
    for step in array.split(".") if array else ():
        if text.peek() != "{" or not _enter(text, step):
            raise Refused(
                "no-such-array", f"the document has no member {array!r} that holds records", at=array
            )
    mark = text.peek()
    if mark not in {"[", "{"}:
        raise Refused("no-such-array", "the records must stand in an array or an object", at=array)
    text.take(mark)
    closing, first = {"[": "]", "{": "}"}[mark], True
    while text.peek() != closing:
        if not first:
            text.take(",")
        first = False
        key = text.key() if mark == "{" else None
        if key is not None and text.peek() == "[":
            text.skip()
            yield key, _a_list(key, array)
            continue
        yield key, text.record()
    text.take(closing)
    if array is None:
        text.end()


def _a_list(key: str, array: str | None) -> BadRecord:
    """Most documents keep their records in a member: an object of records is the exception."""
    path = key if array is None else f"{array}.{key}"
    return BadRecord("not-an-object", f"{key!r} is a list; if the records stand in it, say --array {path}")


def _enter(text: _Text, member: str) -> bool:
    """Go to the value of a member of the object that begins here; others are passed over."""
    text.take("{")
    first = True
    while text.peek() != "}":
        if not first:
            text.take(",")
        first = False
        if text.key() == member:
            return True
        text.skip()
    return False


class _Text:
    """A window over the document's text."""

    def __init__(self, blocks: Iterator[bytes], limits: Limits) -> None:
        self._blocks, self._limits = blocks, limits
        self._decode = codecs.getincrementaldecoder("utf-8")()
        self._text, self._at, self._gone, self._ended = "", 0, 0, False
        self._parse = json.JSONDecoder(object_pairs_hook=pairs, parse_constant=_constant).raw_decode

    def opening(self) -> None:
        """Step over a byte order mark."""
        if self.peek() == "\ufeff":
            self._at += 1

    def peek(self) -> str:
        """The next character that is no white space; Refused("not-json") at the end."""
        while True:
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]  # it matches nothing, too
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                raise _cut_short()

    def end(self) -> None:
        """Nothing may follow; Refused("several-documents") where something does."""
        while True:
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]  # it matches nothing, too
            if self._at < len(self._text):
                raise Refused(
                    "several-documents",
                    "the file goes on behind its first JSON document; where each line is one, say --format ndjson",
                )
            if not self._more():
                return

    def take(self, mark: str) -> None:
        """Step over a mark that must stand here."""
        if self.peek() != mark:
            raise Refused(
                "not-json", f"{mark!r} should stand where {self._text[self._at : self._at + 20]!r} does"
            )
        self._at += 1

    def key(self) -> str:
        """A member's name and its colon."""
        self.peek()
        found = self._whole(_STRING)
        try:
            name = json.loads(found)
        except ValueError as error:
            raise Refused("not-json", f"a member's name cannot be read: {found[:80]!r}") from error
        self.take(":")
        return str(name)

    def record(self) -> Any:
        """The value that begins here, or a BadRecord; either way it is stepped over."""
        self.peek()
        self._reach(self._limits.row + 2)
        start = self._at
        try:
            value, end = self._parse(self._text, start)
        except (BadRecord, ValueError, RecursionError) as error:
            before = self._gone + self._at
            self.skip()
            if self._gone + self._at - before > self._limits.row:
                return BadRecord("row-too-long", "the record is longer than it may be")
            if isinstance(error, BadRecord):
                return error
            return BadRecord("not-json", f"the record is not JSON: {str(error)[:100]}")
        self._at = end
        if self._is_long(start, end):
            return BadRecord("row-too-long", "the record is longer than it may be")
        if not isinstance(value, dict):
            return BadRecord("not-an-object", "the record is not a JSON object")
        return value

    def skip(self) -> None:
        """Step over the value that begins here, without parsing it."""
        if self.peek() not in "[{":
            self._whole(_STRING if self._text[self._at] == '"' else _SCALAR)
            return
        depth = 0
        while True:
            found = _MARKS.match(self._text, self._at)
            if not found or (found.end() == len(self._text) and not self._ended and found[0] not in "[]{}"):
                self._drop()
                if not self._more():
                    raise _cut_short()
                continue
            self._at = found.end()
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
            if depth > MAX_DEPTH:
                raise Refused("too-deep", f"JSON nested deeper than {MAX_DEPTH}")
            if not depth:
                return

    def _is_long(self, start: int, end: int) -> bool:
        longest = self._limits.row
        return (end - start) * 4 > longest and len(self._text[start:end].encode("utf-8", "replace")) > longest

    def _reach(self, length: int) -> None:
        """Have so much text before us, as far as there is so much."""
        if len(self._text) - self._at < length:
            self._drop()
            while len(self._text) < length and self._more():
                pass

    def _whole(self, pattern: re.Pattern[str]) -> str:
        while True:
            found = pattern.match(self._text, self._at)
            if found and (found.end() < len(self._text) or self._ended):
                self._at = found.end()
                return found[0]
            if len(self._text) - self._at > self._limits.row * 4:
                raise Refused("not-json", "a string in the document does not end")
            if not self._more():
                if found:
                    continue
                raise _cut_short()

    def _more(self) -> bool:
        if self._ended:
            return False
        block = next(self._blocks, b"")
        self._ended = not block
        try:
            self._text += self._decode.decode(block, final=self._ended)
        except UnicodeDecodeError as error:
            raise Refused("not-utf8", "the document is not UTF-8") from error
        return True

    def _drop(self) -> None:
        """Let go of what was stepped over."""
        self._text, self._gone, self._at = self._text[self._at :], self._gone + self._at, 0


def _constant(name: str) -> Any:
    raise BadRecord("not-json", f"{name} is not JSON")


def _cut_short() -> Refused:
    return Refused("not-json", "the document ends in the middle")
