"""A copy of what a registry publishes, in a folder any static server can serve: log, statements, feed.

Paths are the registry's own (`log/checkpoint`, `log/tile/…`, `v1/statements/<digest>`, `feed/v1/…`). Files are written whole;
the checkpoint last: a mirror that was stopped anywhere holds the log its checkpoint says, and goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from byline.client import verified
from byline.client.log import Log
from byline.client.transport import Transport
from byline.errors import NotFound, Refused, Untrusted
from byline.formats import checkpoint as checkpoints
from byline.formats.checkpoint import Checkpoint
from byline.formats.entries import STATEMENT_KINDS, parse_entry
from byline.formats.envelope import MAX_ENVELOPE
from byline.formats.feedhead import MAX_HEAD, MAX_INDEX, parse_head, parse_index
from byline.formats.merkle import leaf_hash
from byline.formats.note import MAX_NOTE, NoteKey, parse_vkey
from byline.formats.tiles import Tile, new_bundles, new_tiles, node_reader, read_bundle

MOST_FILE = 2 << 30
_AT_ONCE = 64


@dataclass(frozen=True)
class Mirrored:
    """What a run brought."""

    size: int
    before: int
    files: int
    statements: int
    redacted: int


class Folder:
    """A mirror's files; also what an audit reads them from."""

    def __init__(self, path: Path) -> None:
        """The folder need not be there yet."""
        self.path = path

    def fetch(self, path: str, *, max_bytes: int) -> bytes:
        """As Transport.fetch; NotFound("no-such-file")."""
        target = self.path / path.lstrip("/")
        try:
            if target.stat().st_size > max_bytes:
                raise Untrusted("answer-too-large", f"{target} has more than {max_bytes:,} bytes")
            return target.read_bytes()
        except OSError as error:
            raise NotFound("no-such-file", f"the mirror has no {path}", at=path) from error

    def has(self, path: str) -> bool:
        """Whether it is there: it was written whole."""
        return (self.path / path.lstrip("/")).is_file()

    def put(self, path: str, data: bytes) -> None:
        """Write whole, flushed, or not at all."""
        target = self.path / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)


def mirror(
    transport: Transport,
    folder: Path,
    *,
    vkey: str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Mirrored:
    """Bring a mirror up to the registry's present log, everything checked before it is kept.

    Untrusted as `verified.check_log_follows` says it, "wrong-entries" where entries are not the ones of the tiles,
    "wrong-statement" where a statement is not the one of its entry.
    """
    here, log = Folder(folder), Log(transport)
    key = _trusted(transport, here, vkey)
    note = log.checkpoint()
    shown = checkpoints.read(note, key)
    last = _last(here, key)
    verified.check_log_follows(last, shown, node_reader(shown.size, log.tiles))
    before = last.size if last else 0
    files = _log_files(log, here, before, shown)
    copied, redacted = _statements(transport, here, before, shown.size)
    files += _feed(transport, here)
    here.put("log/checkpoint", note)
    say(f"{shown.size - before:,} new entries")
    return Mirrored(shown.size, before, files + copied, copied, redacted)


def _trusted(transport: Transport, here: Folder, vkey: str | None) -> NoteKey:
    shown = transport.fetch("/log/vkey", max_bytes=1_000).decode("utf-8", "replace").strip()
    pinned = here.fetch("log/vkey", max_bytes=1_000).decode().strip() if here.has("log/vkey") else None
    for known in (pinned, vkey):
        verified.check_key(known, shown)
    here.put("log/vkey", f"{shown}\n".encode())
    return parse_vkey(shown)


def _last(here: Folder, key: NoteKey) -> Checkpoint | None:
    if not here.has("log/checkpoint"):
        return None
    return checkpoints.read(here.fetch("log/checkpoint", max_bytes=checkpoints.MAX_CHECKPOINT), key)


def _log_files(log: Log, here: Folder, before: int, shown: Checkpoint) -> int:
    """New bundles and tiles, entries held against their hashes, and the tiles against the signed root."""
    count = 0
    for some in _pieces(iter([*new_tiles(before, shown.size), *new_bundles(before, shown.size)])):
        missing = [tile for tile in some if tile.width < 256 or not here.has(_path(tile))]
        for tile, data in zip(missing, log.tiles(missing), strict=True):
            here.put(_path(tile), data)
            count += 1
    copy = Log(here)
    verified.check_root(shown, node_reader(shown.size, copy.tiles))
    for bundle in new_bundles(before, shown.size):
        check_bundle(copy, bundle)
    return count


def check_bundle(log: Log, bundle: Tile) -> list[bytes]:
    """The entries of a bundle; Untrusted("wrong-entries") unless they are the ones its tile's hashes are of."""
    leaves = read_bundle(log.tile(bundle), bundle)
    if b"".join(map(leaf_hash, leaves)) != log.tile(Tile(0, bundle.index, bundle.width))[: 32 * bundle.width]:
        raise Untrusted(
            "wrong-entries", f"the entries of {bundle.path} are not the ones the log's tiles are of"
        )
    return leaves


def _statements(transport: Transport, here: Folder, before: int, size: int) -> tuple[int, int]:
    copied = redacted = 0
    for _, leaf in Log(here).entries(before, size):
        entry = parse_entry(leaf)
        if entry["kind"] not in STATEMENT_KINDS or here.has(f"v1/statements/{entry['digest']}"):
            continue
        try:
            data = transport.fetch(f"/v1/statements/{entry['digest']}", max_bytes=MAX_ENVELOPE)
        except NotFound:
            redacted += 1
            continue
        if hashlib.sha256(data).hexdigest() != entry["envelope_sha256"]:
            raise Untrusted(
                "wrong-statement", f"the statement {entry['digest']} is not the one that was logged"
            )
        here.put(f"v1/statements/{entry['digest']}", data)
        copied += 1
    return copied, redacted


def _feed(transport: Transport, here: Folder) -> int:
    """The present head and every file it leads to; earlier heads that were copied before stay."""
    try:
        note = transport.fetch("/feed/v1/head.note", max_bytes=MAX_NOTE)
        data = transport.fetch("/feed/v1/head.json", max_bytes=MAX_HEAD)
    except NotFound:
        return 0
    head = parse_head(data)
    count = 0
    for path in _files_of(here, data):
        if not here.has(f"feed/v1/{path}"):
            here.put(f"feed/v1/{path}", _named(transport, path))
            count += 1
    here.put(f"feed/v1/files/{head.sha256}.json", data)
    here.put("feed/v1/head.json", data)
    here.put("feed/v1/head.note", note)
    return count


def _files_of(here: Folder, data: bytes) -> Iterator[str]:
    """Paths below feed/v1/ that a head names, in whatever member: a later version may name more."""
    head = parse_head(data)
    yield from sorted(set(_paths(json.loads(data))))
    for file in head.index.values():
        index = here.fetch(f"feed/v1/{file.path}", max_bytes=MAX_INDEX)
        for entries in parse_index(index).values():
            for entry in entries:
                yield from (bitmap.file.path for bitmap in entry.bitmaps.values() if bitmap.file is not None)


def _paths(found: Any) -> Iterator[str]:
    if isinstance(found, dict):
        for name, value in found.items():
            if name == "path" and isinstance(value, str):
                yield value
            else:
                yield from _paths(value)
    elif isinstance(found, list):
        for value in found:
            yield from _paths(value)


def _named(transport: Transport, path: str) -> bytes:
    digest, _, ending = path.removeprefix("files/").partition(".")
    if path != f"files/{digest}.{ending}" or len(digest) != 64 or "/" in ending or ".." in path:
        raise Refused("bad-head", f"the head names a file outside the feed: {path[:100]!r}")
    data = transport.fetch(f"/feed/v1/{path}", max_bytes=MOST_FILE)
    if hashlib.sha256(data).hexdigest() != digest:
        raise Untrusted("wrong-file", f"{path} has another digest than its name says", at=path)
    return data


def _path(tile: Tile) -> str:
    return f"log/tile/{tile.path}"


def _pieces(tiles: Iterator[Tile]) -> Iterator[list[Tile]]:
    while some := list(islice(tiles, _AT_ONCE)):
        yield some
