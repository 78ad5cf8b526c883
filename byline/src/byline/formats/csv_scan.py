"""One CSV record after another, byte by byte in meaning: the truth the fast path is held to.

RFC 4180 with LF or CRLF; no comments; blank lines are no records; a line break between quotes is data. What is not
well formed is one bad row, and reading goes on at the next physical line after its start.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_LF, _CR, _QUOTE = 0x0A, 0x0D, 0x22
REASONS = {
    "unclosed-quote": "a quote is opened and not closed within 64 KiB or before the end of the file",
    "stray-quote": "a quote stands inside a field, or text after a closing quote",
    "bare-carriage-return": "a carriage return without a line feed",
    "row-too-long": "the record is longer than it may be",
    "nul-character": "the record holds a zero byte",
    "not-utf8": "the record is not UTF-8",
    "short-row": "the record has fewer fields than the header",
    "long-row": "the record has more fields than the header",
}


@dataclass(frozen=True)
class Dialect:
    """What separates and encloses fields, and how long a record may be without its line break."""

    delimiter: bytes
    quoting: bool
    longest: int


@dataclass(frozen=True)
class Record:
    """Bytes `start:end` (line break included) of the data; `error` is a code, and then there are no fields."""

    start: int
    end: int
    fields: tuple[bytes, ...]
    error: str | None = None


Scan = Callable[[bytes, int], "Record | None"]


def scanner(dialect: Dialect) -> Scan:
    """A function (data, at) -> the record that begins at `at`; None for a blank line.

    `data` must reach the end of the file or at least `longest + 2` bytes beyond `at`. The end of a record
    that is not well formed is behind the next line feed, or -1 where `data` holds none.
    """
    # The look-ahead keeps half of a doubled quote from closing the field when no other quote does.
    quoted = re.compile(rb'"([^"]*(?:""[^"]*)*)"(?!")')
    plain = re.compile(b"[^" + re.escape(dialect.delimiter) + (b'"' if dialect.quoting else b"") + rb"\r\n]*")
    separator, quote = dialect.delimiter[0], (_QUOTE if dialect.quoting else -1)

    def scan(data: bytes, at: int) -> Record | None:
        if data.startswith((b"\n", b"\r\n"), at):
            return None
        stop = min(at + dialect.longest + 2, len(data))
        fields: list[bytes] = []
        here = at
        while True:
            if here < stop and data[here] == quote:
                found = quoted.match(data, here, stop)
                if not found:
                    return _broken(data, at, "unclosed-quote")
                fields.append(found[1].replace(b'""', b'"'))
                here = found.end()
            else:
                end = plain.match(data, here, stop).end()  # type: ignore[union-attr]  # it matches nothing, too
                fields.append(data[here:end])
                here = end
            if here - at > dialect.longest:
                return _broken(data, at, "row-too-long")
            if here < stop and data[here] == separator:
                here += 1
                continue
            after = _line_break(data, here)
            if after < 0:
                bare = data[here] == _CR
                return _broken(data, at, "bare-carriage-return" if bare else "stray-quote")
            return _whole(data, (at, here, after), fields)

    return scan


def _line_break(data: bytes, at: int) -> int:
    """Behind the line break at `at`, which the end of the data is, too; -1 where there is none."""
    if at == len(data):
        return at
    if data[at] == _LF:
        return at + 1
    return at + 2 if data.startswith(b"\r\n", at) else -1


def _whole(data: bytes, places: tuple[int, int, int], fields: list[bytes]) -> Record:
    start, end, after = places
    whole = data[start:end]
    error = "nul-character" if b"\0" in whole else None if _is_utf8(whole) else "not-utf8"
    return Record(start, after, () if error else tuple(fields), error)


def _broken(data: bytes, at: int, code: str) -> Record:
    feed = data.find(b"\n", at)
    return Record(at, feed + 1 if feed >= 0 else -1, (), code)


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
