"""The transparency log as C2SP tlog-tiles lays it out: static bytes from the object store, and the key they are signed with."""

from __future__ import annotations

import hashlib
from typing import Any

import flask

from api.section import BYTES, TEXT, Section, runtime
from byline.errors import NotFound, Refused
from byline.formats.tiles import parse_path
from registry.tlog import shelf

OCTETS = "application/octet-stream"
PLAIN = "text/plain; charset=utf-8"
FOR_EVER = "public, max-age=31536000, immutable, no-transform"

section = Section("log", "The transparency log", prefix="/log")


@section.get("/vkey", gives=TEXT, content_type="text/plain", budget=None)
def vkey(_: dict[str, Any]) -> flask.Response:
    """The log's verifier key (C2SP signed-note), one line."""
    return flask.Response(runtime().vkey + "\n", content_type=PLAIN)


@section.get("/checkpoint", gives=TEXT, content_type="text/plain", budget=None, refuses=(404,))
def checkpoint(_: dict[str, Any]) -> flask.Response:
    """How long the log is and its root, signed (C2SP tlog-checkpoint)."""
    data = shelf.read_checkpoint(runtime().store)
    if data is None:
        raise NotFound("no-checkpoint-yet", "The log has signed nothing yet; ask again in a moment.")
    response = flask.Response(data, content_type=PLAIN)
    response.set_etag(hashlib.sha256(data).hexdigest())
    response.headers["Cache-Control"] = "no-cache, no-transform"
    return response


@section.get("/tile/<log_tile:path>", gives=BYTES, content_type=OCTETS, budget=None, refuses=(404,))
def tile(_: dict[str, Any], *, path: str) -> flask.Response:
    """A tile of hashes, `<level>/<number>`, or a bundle of entries, `entries/<number>`; partial ones with `.p/<width>`."""
    try:
        data = runtime().store.get(shelf.key_of(parse_path(path)))
    except (Refused, NotFound):
        raise NotFound("no-such-tile", "The log has no such tile.") from None
    response = flask.Response(data, content_type=OCTETS)
    response.set_etag(hashlib.sha256(data).hexdigest())
    response.headers["Cache-Control"] = FOR_EVER
    return response
