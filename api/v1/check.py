"""Small doors to the feed, for who has not synced it: what changed, is this in it, and the same without telling what."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import flask
import marshmallow as ma

from api.body import bounded, of_type
from api.schemas import Strict, Text
from api.section import Section, runtime
from byline.errors import Refused
from byline.formats import canonical
from byline.formats.categories import EVERYTHING
from byline.formats.ranges import hex_of
from registry.feed.check import check as check_rows
from registry.feed.present import Present, changes_since, in_range, read_present

NDJSON = "application/x-ndjson"
PLAIN = "text/plain"
MAX_BODY = 16 << 20
MAX_LINES = 100_000
AT_ONCE = 5_000
MOST = "At most 100,000 lines and 16 MiB"

section = Section("check", "The feed asked in small, by who has not synced it")


class ChangesQuery(Strict):
    """After which head, and where the page before ended."""

    since = ma.fields.Integer(
        required=True,
        strict=False,
        validate=ma.validate.Range(0, 2**53 - 1),
        metadata={"description": "A head's `seq`"},
    )
    limit = ma.fields.Integer(load_default=1_000, validate=ma.validate.Range(1, 10_000))
    cursor = Text(100)


class FeedKey(Strict):
    """A fingerprint as 15 hex digits, and the category bits that stand at it; 0 = none."""

    k = ma.fields.String(required=True, validate=ma.validate.Regexp("^[0-9a-f]{15}$"))
    c = ma.fields.Integer(required=True, validate=ma.validate.Range(0, EVERYTHING))


class FeedChanges(Strict):
    """What stands now at each key that was touched after head `since`, up to head `seq`."""

    since = ma.fields.Integer(required=True)
    seq = ma.fields.Integer(required=True)
    items = ma.fields.List(ma.fields.Nested(FeedKey), required=True)
    next = ma.fields.String(required=True, allow_none=True)


class FeedRange(Strict):
    """Every key that begins so; those with `c` 0 are padding."""

    prefix = ma.fields.String(required=True)
    seq = ma.fields.Integer(required=True)
    items = ma.fields.List(ma.fields.Nested(FeedKey), required=True)


@section.get("/changes", query=ChangesQuery, gives=FeedChanges, budget="lookup", refuses=(400, 404, 410))
def changes(query: dict[str, Any]) -> dict[str, Any]:
    """What changed in the key feed since a head.

    410 where that is too long ago: take the whole feed. 400 where no such head was made yet.
    """
    here = runtime()
    to, after = _place(query.get("cursor"))
    with here.sessions() as session:
        found = changes_since(
            session, here.store, since=query["since"], to=to, after=after, limit=query["limit"]
        )
    following = None if found.after is None else _cursor(found.to, found.after)
    return {"since": query["since"], "seq": found.to, "items": _keys(found.rows), "next": following}


@section.get("/range/<prefix:prefix>", gives=FeedRange, budget="lookup", refuses=(404,))
def range_of(_: dict[str, Any], *, prefix: str) -> dict[str, Any]:
    """All fingerprints that begin with some hex digits: who asks for 200 does not tell which one was meant.

    The number of digits follows from the number of keys; another one is refused with `details.digits`.
    """
    present = read_present(runtime().store)
    return {"prefix": prefix, "seq": present.head.seq, "items": _keys(in_range(present, prefix))}


@section.post(
    "/check",
    gives={"type": "string", "description": "A JSON object a line: an answer for each line, then `feed`."},
    status=200,
    budget="lookup",
    content_type=NDJSON,
    refuses=(404, 413, 415),
    doc={
        "requestBody": {
            "required": True,
            "content": {
                NDJSON: {
                    "schema": {"type": "string", "description": f"{MOST}, each a JSON string or object."}
                },
                PLAIN: {"schema": {"type": "string", "description": f"{MOST}, each a URL as it is."}},
            },
        }
    },
)
def check(_: dict[str, Any]) -> flask.Response:
    """Ask the key feed in bulk: `opted-out`, `not-in-feed` (which is no "no") or `cannot-tell`, line by line.

    A line is a URL (`text/plain`), or a JSON string of one, or `{"url": …, "sha256": …}`.

    The last line says which feed was asked, and what it cannot tell. Nothing asked is kept.
    """
    of_type(NDJSON, PLAIN)
    read = _read if flask.request.mimetype == NDJSON else _read_plain
    lines = bounded(MAX_BODY).split(b"\n")
    lines = lines[:-1] if not lines[-1] else lines
    if len(lines) > MAX_LINES:
        raise Refused("too-many-lines", f"At most {MAX_LINES:,} lines are taken at once.", at="body")
    return flask.Response(_answers(read_present(runtime().store), lines, read), content_type=NDJSON)


def _answers(present: Present, lines: Sequence[bytes], read: Callable[[bytes], object]) -> Iterator[str]:
    for start in range(0, len(lines), AT_ONCE):
        asked = [read(line) for line in lines[start : start + AT_ONCE]]
        yield "".join(f"{json.dumps(one)}\n" for one in check_rows(present, asked))
    head = present.head
    feed = {
        "origin": head.origin,
        "seq": head.seq,
        "time": canonical.timestamp(head.time),
        "sha256": head.sha256,
    }
    yield json.dumps({"feed": feed, "coverage": dict(head.coverage)}) + "\n"


def _read(line: bytes) -> object:
    try:
        return canonical.loads(line, max_bytes=MAX_BODY)
    except Refused:
        return None


def _read_plain(line: bytes) -> object:
    return line.strip().decode("utf-8", "replace")


def _keys(rows: Any) -> list[dict[str, Any]]:
    return [{"k": hex_of(k), "c": c} for k, c in zip(rows.k.tolist(), rows.c.tolist(), strict=True)]


def _cursor(to: int, after: int) -> str:
    return base64.urlsafe_b64encode(f"{to}.{after}".encode()).decode().rstrip("=")


def _place(cursor: str | None) -> tuple[int | None, int]:
    """Up to which head, after which key."""
    if cursor is None:
        return None, -1
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode(
            "ascii"
        )
        to, _, after = text.partition(".")
        return int(to[:19]), int(after[:19])
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise Refused(
            "bad-cursor", "this cursor was not given out here; begin without one", at="cursor"
        ) from error
