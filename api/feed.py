"""The feed's files, straight from the object store: immutable ones for ever, the head as it is now."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import flask

from api.errors import problem
from api.section import BYTES, OBJECT, TEXT, Section, runtime
from byline.errors import NotFound
from registry.feed.head import read_head
from registry.storage import ObjectStore

OCTETS = "application/octet-stream"
TYPES = {
    "parquet": "application/vnd.apache.parquet",
    "ndjson": "application/x-ndjson",
    "puffin": OCTETS,
    "json": "application/json",
    "tar": "application/x-tar",
}
BLOCK = 1 << 20
FOR_EVER = "public, max-age=31536000, immutable, no-transform"

section = Section("feed", "What downstream tools pull: static files, checked by digest", prefix="/feed/v1")


@section.get("/head.json", gives=OBJECT, content_type="application/json", budget=None, refuses=(404,))
def head(_: dict[str, Any]) -> flask.Response:
    """What the feed holds now."""
    return _current(read_head(runtime().store)[0], "application/json")


@section.get("/head.note", gives=TEXT, content_type="text/plain", budget=None, refuses=(404,))
def note(_: dict[str, Any]) -> flask.Response:
    """The signed note over the head."""
    return _current(read_head(runtime().store)[1], "text/plain; charset=utf-8")


@section.get("/files/<feed_file:name>", gives=BYTES, content_type=OCTETS, budget=None, refuses=(404, 416))
def file(_: dict[str, Any], *, name: str) -> flask.Response:
    """A file under its digest; one byte range at a time."""
    store = runtime().store
    key = f"feed/v1/files/{name}"
    digest, _dot, ending = name.partition(".")
    try:
        size = store.size(key)
    except NotFound:
        raise NotFound("no-such-file", "The feed has no such file.") from None
    response = _ranged(store, key, size, digest)
    response.content_type = TYPES[ending] if response.status_code < 400 else response.content_type
    return response


def _current(data: bytes, content_type: str) -> flask.Response:
    response = flask.Response(data, content_type=content_type)
    response.set_etag(hashlib.sha256(data).hexdigest())
    response.headers["Cache-Control"] = "no-cache, no-transform"
    return response


def _ranged(store: ObjectStore, key: str, size: int, digest: str) -> flask.Response:
    request = flask.request
    asked = request.range if re.fullmatch(r"bytes=[0-9]*-[0-9]*", request.headers.get("Range", "")) else None
    if "If-Range" in request.headers and request.headers["If-Range"] != f'"{digest}"':
        asked = None
    span = asked.range_for_length(size) if asked else None
    if asked and span is None:
        refused = problem(416, "requested-range-not-satisfiable", f"The file has {size} bytes.")
        refused.headers["Content-Range"] = f"bytes */{size}"
        return refused
    start, stop = span or (0, size)
    response = flask.Response(_blocks(store, key, start, stop), 206 if span else 200)
    response.content_length = stop - start
    response.set_etag(digest)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Cache-Control"] = FOR_EVER
    if span:
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    elif request.if_none_match.contains_weak(digest):
        response = flask.Response(status=304, headers={"ETag": f'"{digest}"', "Cache-Control": FOR_EVER})
    return response


def _blocks(store: ObjectStore, key: str, start: int, stop: int) -> Iterator[bytes]:
    for at in range(start, stop, BLOCK):
        yield store.get_range(key, at, min(BLOCK, stop - at))
