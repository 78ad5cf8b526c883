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

    `data` must reach the end of the file or at least `longest + 2` bytes beyond `at`. The end of a record that is not
    well formed is behind the next line feed, or -1 where `data` holds none.
    """
    quoted = re.compile(rb'"([^"]*(?:""[^"]*)*)"')
    plain = re.compile(b"[^" + re.escape(dialect.delimiter) + (b'"' if dialect.quoting else b"") + rb"\r\n]*")
    separator = dialect.delimiter[0]

    def scan(data: bytes, at: int) -> Record | None:
        window = data[at : at + dialect.longest + 2]
        if window.startswith((b"\n", b"\r\n")):
            return None
        fields: list[bytes] = []
        here = 0
        while True:
            if dialect.quoting and here < len(window) and window[here] == _QUOTE:
                found = quoted.match(window, here)
                if not found:
                    return _broken(data, at, "unclosed-quote")
                fields.append(found[1].replace(b'""', b'"'))
            else:
                found = plain.match(window, here)
                assert found  # the pattern matches nothing, too
                fields.append(found[0])
            here = found.end()
            if here > dialect.longest or here == len(window):
                if here > dialect.longest:
                    return _broken(data, at, "row-too-long")
                return _whole(data, at, (here, here), fields)
            mark = window[here]
            if mark == _LF:
                return _whole(data, at, (here, here + 1), fields)
            if mark == _CR:
                if window[here + 1 : here + 2] == b"\n":
                    return _whole(data, at, (here, here + 2), fields)
                return _broken(data, at, "bare-carriage-return")
            if mark != separator:
                return _broken(data, at, "stray-quote")
            here += 1

    return scan


def _whole(data: bytes, at: int, ends: tuple[int, int], fields: list[bytes]) -> Record:
    error = None
    if b"\0" in data[at : at + ends[0]]:
        error = "nul-character"
    elif not _is_utf8(data[at : at + ends[0]]):
        error = "not-utf8"
    return Record(at, at + ends[1], () if error else tuple(fields), error)


def _broken(data: bytes, at: int, code: str) -> Record:
    feed = data.find(b"\n", at)
    return Record(at, feed + 1 if feed >= 0 else -1, (), code)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
