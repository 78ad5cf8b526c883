"""A copy of what a registry publishes, in a folder any static server can serve: log, statements, feed.

Paths are the registry's own (`log/checkpoint`, `log/tile/…`, `v1/statements/<digest>`, `feed/v1/…`, and `v1/receipts/<digest>`
of the present head, made from the copied tiles). A file is written whole,
and only after it was checked; the checkpoint last: a mirror that was stopped anywhere holds the log its checkpoint says, and
goes on where it stopped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from byline.client import verified
from byline.client.copied_feed import HEAD, copy_feed
from byline.client.copy import Folder, Nearest
from byline.client.evidence import Keeper, Witness, copied, keeping
from byline.client.log import Log, Source
from byline.client.signed_log import AT_ONCE, SignedLog, leaves_of
from byline.client.transport import Transport
from byline.errors import NotFound, Untrusted
from byline.formats import checkpoint as checkpoints
from byline.formats import merkle, receipt
from byline.formats.checkpoint import MAX_CHECKPOINT, Checkpoint
from byline.formats.entries import STATEMENT_KINDS, parse_entry
from byline.formats.envelope import MAX_ENVELOPE
from byline.formats.feedhead import MAX_HEAD
from byline.formats.note import NoteKey, parse_vkey
from byline.formats.receipt import Receipt
from byline.formats.tiles import WIDTH, Tile, new_tiles

CHECKPOINT = "log/checkpoint"
_STATEMENTS_AT_ONCE = 8
T = TypeVar("T")
Entry = dict[str, Any]


@dataclass(frozen=True)
class Mirrored:
    """What a run brought."""

    size: int
    before: int
    files: int
    statements: int
    redacted: int


def mirror(
    transport: Transport,
    folder: Path,
    *,
    vkey: str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Mirrored:
    """Bring a mirror up to the registry's present log and feed.

    Untrusted as `verified` and `SignedLog` say it, "wrong-statement" and "statement-missing" where a statement is not the one
    of its entry, and as a feed's head is believed. What was shown and is not believed is kept in `evidence/`,
    beside what was copied before; the error names the file.
    """
    here, witness = Folder(folder), Witness(transport)
    with keeping(Keeper(folder, witness, lambda: copied(here))):
        return _bring(witness, here, vkey, say)


def _bring(source: Source, here: Folder, vkey: str | None, say: Callable[[str], None]) -> Mirrored:
    log = Log(source)
    key = _trusted(source, here, vkey)
    note = log.checkpoint()
    shown = checkpoints.read(note, key)
    before = _before(here, log, key, shown)
    signed = SignedLog(Log(Nearest(here, source)), shown)
    files = _tiles(signed, here, before) + _bundles(signed, here, before)
    say(f"{shown.size - before:,} new entries")
    statements, redacted = _statements(source, here, (entry for _, entry in _entries(signed, before)))
    heads = {one["digest"]: index for index, one in _entries(signed, before) if one["kind"] == "feed"}
    files += statements + copy_feed(source, here, vkey=_vkey(here), heads=[*heads])
    here.settle()
    if before <= shown.size:
        here.put(CHECKPOINT, note)
        _prove_head(signed, here, heads, note)
    here.settle()
    return Mirrored(shown.size, before, files, statements, redacted)


def believed(here: Folder, key: NoteKey) -> Checkpoint | None:
    """The log a mirror holds; None before the first run came to its end."""
    if not here.has(CHECKPOINT):
        return None
    return checkpoints.read(here.fetch(CHECKPOINT, max_bytes=MAX_CHECKPOINT), key)


def check_goes_on(log: Log, *, last: Checkpoint, shown: Checkpoint) -> None:
    """The log that is served goes on from the copy."""
    verified.check_log_follows(last, shown, lambda nodes: SignedLog(log, shown).nodes(nodes))


def _trusted(source: Source, here: Folder, vkey: str | None) -> NoteKey:
    shown = source.fetch("/log/vkey", max_bytes=1_000).decode("utf-8", "replace").strip()
    pinned = _vkey(here) if here.has("log/vkey") else None
    for known in (pinned, vkey):
        verified.check_key(known, shown)
    key = parse_vkey(shown)
    here.put("log/vkey", f"{shown}\n".encode())
    return key


def _vkey(here: Folder) -> str:
    return here.fetch("log/vkey", max_bytes=1_000).decode().strip()


def _before(here: Folder, log: Log, key: NoteKey, shown: Checkpoint) -> int:
    """How many entries the copy has already, of the very log that is shown."""
    last = believed(here, key)
    if last is None:
        return 0
    check_goes_on(log, last=last, shown=shown)
    return last.size


def _tiles(signed: SignedLog, here: Folder, before: int) -> int:
    count = 0
    for some in _pieces(new_tiles(before, signed.shown.size)):
        missing = [tile for tile in some if not here.has(_path(tile))]
        for tile, data in zip(missing, signed.tiles(missing), strict=True):
            here.put(_path(tile), data)
            count += 1
    return count


def _bundles(signed: SignedLog, here: Folder, before: int) -> int:
    count = 0
    for bundle, data, hashes in signed.bundles(before):
        leaves_of(bundle, data, hashes)
        if not here.has(_path(bundle)):
            here.put(_path(bundle), data)
            count += 1
    return count


def _entries(signed: SignedLog, before: int) -> Iterator[tuple[int, Entry]]:
    """With their index, from the copy, which has them all by now."""
    for bundle, data, hashes in signed.bundles(before):
        found = map(parse_entry, leaves_of(bundle, data, hashes))
        yield from enumerate(found, bundle.index * WIDTH)


def _prove_head(signed: SignedLog, here: Folder, heads: Mapping[str, int], note: bytes) -> None:
    """The receipt of the present head, of the log as it was copied: who syncs from the copy asks for it.

    A head that came while the log was copied has its entry in a later one; the next run proves it.
    """
    if not here.has(HEAD):
        return
    digest = hashlib.sha256(here.fetch(HEAD, max_bytes=MAX_HEAD)).hexdigest()
    path = f"v1/receipts/{digest}"
    index = heads.get(digest)
    if index is None and here.has(path):
        index = receipt.read(here.fetch(path, max_bytes=receipt.MAX_RECEIPT)).index
    if index is not None:
        proof = merkle.inclusion_proof(index, signed.shown.size, signed.nodes)
        here.put(path, receipt.write(Receipt(signed.leaf(index), index, proof, note)))


def _statements(source: Source, here: Folder, entries: Iterator[Entry]) -> tuple[int, int]:
    """Those that are not here yet: how many were copied, how many are taken from view."""
    wanted = (one for one in entries if one["kind"] in STATEMENT_KINDS and not here.has(_statement(one)))
    copied = redacted = 0
    with ThreadPoolExecutor(_STATEMENTS_AT_ONCE) as pool:
        for some in _pieces(wanted):
            for entry, data in zip(
                some, pool.map(lambda one: fetch_statement(source, one), some), strict=True
            ):
                if data is None:
                    here.redact(entry["digest"])
                    redacted += 1
                else:
                    here.put(_statement(entry), data)
                    copied += 1
    return copied, redacted


def fetch_statement(source: Source, entry: Entry) -> bytes | None:
    """The statement of an entry, the very bytes that were logged; None where the registry says it was taken from view.

    Untrusted("wrong-statement", "statement-missing").
    """
    try:
        data = source.fetch(f"/{_statement(entry)}", max_bytes=MAX_ENVELOPE)
    except NotFound as error:
        if error.code == "redacted":
            return None
        raise Untrusted(
            "statement-missing",
            f"the log holds the {entry['kind']} {entry['digest']}, and it is not served",
            at=entry["digest"],
        ) from error
    if hashlib.sha256(data).hexdigest() != entry["envelope_sha256"]:
        raise Untrusted(
            "wrong-statement",
            f"the statement {entry['digest']} is not the one that was logged",
            at=entry["digest"],
        )
    return data


def _statement(entry: Entry) -> str:
    return f"v1/statements/{entry['digest']}"


def _path(tile: Tile) -> str:
    return f"log/tile/{tile.path}"


def _pieces(found: Iterator[T]) -> Iterator[list[T]]:
    while some := list(islice(found, AT_ONCE)):
        yield some
