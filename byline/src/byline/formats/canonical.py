"""One value, one byte string: RFC 8785 out, strict JSON in, and the one spelling of an instant.

`loads` is what stands between the network and every other reader: whatever it lets through can be written
again by
`dumps` (I-JSON, RFC 7493, and narrower: no U+0000, and no fractional number unless the caller asks).
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from typing import Any

import rfc8785

from byline.errors import Refused

MAX_INT = 2**53 - 1
MAX_DEPTH = 64
_MIB = 1 << 20
# A string (closed, or running to the end of the input), or one bracket. It cannot fail once it has begun,
# so it is linear.
_TOKEN = re.compile(r'"(?:[^"\\]+|\\.)*(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")


def dumps(value: Any) -> bytes:
    """Write a JSON value in canonical form (RFC 8785): UTF-8, keys by UTF-16 code units, no spaces."""
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise Refused("not-json", f"this cannot be written as canonical JSON: {error}") from error


def loads(data: bytes, *, max_bytes: int = _MIB, floats: bool = False) -> Any:
    """Read one JSON value strictly.

    Refused: more than `max_bytes`, anything but UTF-8, a byte order mark, nesting deeper than 64, a key
    given twice,
    NaN and Infinity, integers beyond ±(2^53-1), fractional numbers (unless `floats`), lone surrogates,
    U+0000.
    """
    if len(data) > max_bytes:
        raise Refused("too-large", f"{len(data):,} bytes of JSON; at most {max_bytes:,} are read")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("not-utf8", f"JSON must be UTF-8: {error.reason}", at=f"byte {error.start}") from error
    _bound_depth(text)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_float if floats else _no_float,
        )
    except json.JSONDecodeError as error:
        raise Refused(
            "not-json", f"not JSON: {error.msg}", at=f"line {error.lineno}, column {error.colno}"
        ) from error
    for string in _strings(value):
        if "\x00" in string:
            raise Refused("nul-character", "a string holds U+0000; take it out", at=repr(string[:40]))
        if _SURROGATE.search(string):
            raise Refused("not-utf8", "a string holds half of a surrogate pair", at=ascii(string[:40]))
    return value


def timestamp(instant: dt.datetime) -> str:
    """Write an aware instant as RFC 3339 in UTC, whole seconds: `2026-01-31T23:59:59Z`."""
    if instant.tzinfo is None:
        raise Refused("bad-timestamp", "an instant needs a time zone")
    return instant.astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_timestamp(text: str, *, at: str | None = None) -> dt.datetime:
    """Read what `timestamp` writes, and nothing else."""
    try:
        if _INSTANT.fullmatch(text):
            return dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.timezone.utc)
    except ValueError:
        pass
    raise Refused("bad-timestamp", f"{text[:40]!r} is not an instant like 2026-01-31T23:59:59Z", at=at)


def floats_in(value: Any, path: str = "") -> Iterator[str]:
    """Name the places of fractional numbers in a JSON value, depth first."""
    if isinstance(value, float):
        yield path
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from floats_in(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from floats_in(inner, f"{path}[{index}]")


def _bound_depth(text: str) -> None:
    # The json module's own scanner recurses; a megabyte of "[" would end in RecursionError.
    depth = 0
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise Refused(
                    "too-deep", f"JSON nested deeper than {MAX_DEPTH}", at=f"character {token.start()}"
                )
        elif mark in "]}":
            depth -= 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise Refused("duplicate-key", f"the key {twice[:80]!r} stands twice in one object", at=twice[:80])
    return made


def _constant(name: str) -> Any:
    raise Refused("number-out-of-range", f"{name} is not a JSON number")


def _integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > MAX_INT:  # "-9007199254740991" has 17 characters
        raise Refused("number-out-of-range", f"the integer {text[:24]} is beyond ±(2^53-1)", at=text[:24])
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise Refused("number-out-of-range", f"the number {text[:24]} is too large", at=text[:24])
    return value


def _no_float(text: str) -> float:
    raise Refused("float-not-allowed", f"the fractional number {text[:24]} may not stand here", at=text[:24])


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
