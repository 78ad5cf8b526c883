"""The head of the feed and the row index, read strictly (docs/formats/head.md). Nothing is believed unsigned."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from byline.errors import Refused, Untrusted
from byline.formats import canonical, note
from byline.formats.fields import HEX64, Fields

MAX_HEAD = 8 << 20
MAX_INDEX = 1 << 30
MAX_BASES = 4_096
MAX_CHANGES = 1_000
CANON = "b1"
_PATH = re.compile(r"files/([0-9a-f]{64})\.(parquet|puffin|json|ndjson|tar)")
_ITEMS_CHECK = re.compile(r"[0-9a-f]{16}")
_PART = re.compile(r"[0-9a-f]{2}")
_COVERAGE = ("opt_outs", "as_fingerprints", "rows_only", "publisher_only", "not_expressible")


@dataclass(frozen=True)
class FeedFile:
    """An immutable file of the feed; `path` is relative to `/feed/v1/` and names the digest."""

    path: str
    sha256: str


@dataclass(frozen=True)
class KeyFile(FeedFile):
    """A file of the key feed: its size and how many keys it has."""

    bytes: int
    rows: int


@dataclass(frozen=True)
class Change(KeyFile):
    """A delta, removals or a pack: what happened after head `since`, up to head `to`, which was made at `until`."""

    since: int
    to: int
    until: dt.datetime


@dataclass(frozen=True)
class Head:
    """What a head says. `sha256` is of the very bytes it was read from."""

    sha256: str
    origin: str
    seq: int
    time: dt.datetime
    expires: dt.datetime
    log_size: int
    keys: int
    set_sha256: str
    base_seq: int
    base: tuple[KeyFile, ...]
    deltas: tuple[Change, ...]
    removals: tuple[Change, ...]
    packs: tuple[Change, ...]
    index: Mapping[str, FeedFile]
    hosts: int
    coverage: Mapping[str, int]


@dataclass(frozen=True)
class Bitmap:
    """How many rows a category takes, and the file that says which; no file where there are none."""

    rows: int
    file: FeedFile | None


@dataclass(frozen=True)
class Items:
    """The same rows by the dataset's own ids: `check` tells the list of ids they are fingerprinted with; no file without keys."""

    check: str
    keys: int
    file: FeedFile | None


@dataclass(frozen=True)
class RowEntry:
    """One file as one dataset version names it. `format`, `options`, `columns`: how its publisher read it, if told."""

    dataset: str
    version: str
    role: str
    holder_approved: bool
    records: int
    column: str | None
    column_sha256: str | None
    bitmaps: Mapping[str, Bitmap]
    removed: Mapping[str, Bitmap]
    format: str | None
    options: Mapping[str, Any]
    columns: Mapping[str, str]
    items: Items | None = None

    @property
    def label(self) -> str:
        """`publisher/name@version`."""
        return f"{self.dataset}@{self.version}"


def note_text(origin: str, seq: int, sha256: str) -> str:
    """What `head.note` signs."""
    digest = base64.b64encode(bytes.fromhex(sha256)).decode("ascii")
    return f"{origin}/feed/v1\n{seq}\n{digest}\n"


def noted(signed: bytes, vkey: str) -> str:
    """The digest of head.json that a note signs; Untrusted("bad-signature"), Refused("bad-head")."""
    lines = note.verify(signed, vkey).split("\n")
    origin = note.parse_vkey(vkey).name
    if len(lines) != 4 or lines[0] != f"{origin}/feed/v1" or not lines[1].isdecimal():
        raise Refused(
            "bad-head", "the note is signed, but is no head of this registry's feed", at="head.note"
        )
    try:
        digest = base64.b64decode(lines[2], validate=True).hex()
    except binascii.Error:
        digest = ""
    if not HEX64.fullmatch(digest):
        raise Refused("bad-head", "the note's third line is no SHA-256", at="head.note")
    return digest


def verify_head(data: bytes, signed: bytes, vkey: str) -> Head:
    """The head, if `signed` is a note by `vkey` over exactly these bytes."""
    digest = hashlib.sha256(data).hexdigest()
    if noted(signed, vkey) != digest:
        raise Untrusted("head-mismatch", "head.json is not what head.note signs", at="head.json")
    head = parse_head(data)
    if note.verify(signed, vkey) != note_text(note.parse_vkey(vkey).name, head.seq, digest):
        raise Untrusted("head-mismatch", "head.json has another number than head.note", at="head.json")
    if head.origin != note.parse_vkey(vkey).name:
        raise Untrusted(
            "wrong-origin", f"the head is of {head.origin!r}, not of the key's registry", at="head.json"
        )
    return head


def parse_head(data: bytes) -> Head:
    """Read head.json without believing it. What a later minor version adds is passed over."""
    fields = Fields(canonical.loads(data, max_bytes=MAX_HEAD), "head")
    if fields.count("v") != 1 or fields.text("canon", longest=20) != CANON:
        raise Refused(
            "feed-too-new", "this feed is written in a way this version does not read; update byline"
        )
    keys, rows = fields.inner("keys"), fields.inner("rows")
    seq = fields.count("seq")
    return Head(
        sha256=hashlib.sha256(data).hexdigest(),
        origin=fields.text("origin", longest=300),
        seq=seq,
        time=canonical.read_timestamp(fields.text("time", longest=40), at="head.time"),
        expires=canonical.read_timestamp(fields.text("expires", longest=40), at="head.expires"),
        log_size=fields.count("log_size"),
        keys=keys.count("n"),
        set_sha256=keys.hex64("set_sha256"),
        base_seq=keys.count("base_seq", most=seq),
        base=tuple(_key_file(one) for one in keys.objects("base", most=MAX_BASES)),
        deltas=_changes(keys, "deltas", seq),
        removals=_changes(keys, "removals", seq),
        packs=_changes(rows, "packs", seq),
        index=_index(rows),
        hosts=fields.count("hosts_n"),
        coverage=_coverage(fields.inner("coverage")),
    )


def parse_index(data: bytes) -> dict[str, tuple[RowEntry, ...]]:
    """A part of the row index: what is said about each file, by its SHA-256."""
    fields = Fields(canonical.loads(data, max_bytes=MAX_INDEX), "index")
    files = fields.inner("files")
    named = fields.take("files")
    for digest in named:
        if not HEX64.fullmatch(digest):
            raise Refused(
                "bad-row-index", "a file is named by something else than its SHA-256", at=digest[:80]
            )
    return {digest: tuple(_entry(one) for one in files.objects(digest, most=100_000)) for digest in named}


def parse_gone(data: bytes) -> frozenset[tuple[str, str, str]]:
    """The entries a part of the row index once had: the file's digest, dataset, version."""
    fields = Fields(canonical.loads(data, max_bytes=MAX_INDEX), "index")
    if fields.take("gone", missing=None) is None:
        return frozenset()
    gone = fields.inner("gone")
    return frozenset(
        (digest, one.text("dataset", longest=200), one.text("version", longest=64))
        for digest in fields.take("gone")
        for one in gone.objects(digest, most=100_000)
    )


def _key_file(fields: Fields) -> KeyFile:
    found = _file(fields)
    return KeyFile(found.path, found.sha256, fields.count("bytes"), fields.count("rows"))


def _changes(keys: Fields, name: str, seq: int) -> tuple[Change, ...]:
    """In order and without a gap, the last one up to this head at most."""
    found = tuple(_change(one) for one in keys.objects(name, most=MAX_CHANGES, missing=[]))
    for before, after in pairwise(found):
        if before.to != after.since:
            raise keys.wrong(name, "without gaps")
    if found and found[-1].to > seq:
        raise keys.wrong(name, f"of heads up to {seq}")
    return found


def _change(fields: Fields) -> Change:
    found = _key_file(fields)
    since, to = fields.count("from"), fields.count("to")
    if since >= to:
        raise fields.wrong("to", "a later head than `from`")
    until = canonical.read_timestamp(fields.text("until", longest=40), at=fields.place("until"))
    return Change(found.path, found.sha256, found.bytes, found.rows, since=since, to=to, until=until)


def _file(fields: Fields) -> FeedFile:
    path, sha256 = fields.text("path", longest=100, pattern=_PATH), fields.hex64("sha256")
    if path.removeprefix("files/").partition(".")[0] != sha256:
        raise fields.wrong("path", "named by the file's own digest")
    return FeedFile(path, sha256)


def _index(rows: Fields) -> dict[str, FeedFile]:
    if rows.count("parts") != 256:
        raise Refused("feed-too-new", "the row index has another number of parts; update byline")
    named = rows.take("index")
    index = rows.inner("index")
    for part in named:
        if not _PART.fullmatch(part):
            raise rows.wrong("index", "parts 00 to ff")
    return {part: _file(index.inner(part)) for part in sorted(named)}


def _coverage(fields: Fields) -> dict[str, int]:
    return {name: fields.count(name) for name in _COVERAGE}


def _entry(fields: Fields) -> RowEntry:
    bitmaps = fields.inner("bitmaps")
    named = fields.take("bitmaps")
    if "any" not in named:
        raise fields.wrong("bitmaps", "an object with at least `any`")
    options, columns = (fields.take(name, missing={}) or {} for name in ("options", "columns"))
    if not isinstance(options, dict) or not isinstance(columns, dict):
        raise fields.wrong("options", "an object")
    return RowEntry(
        dataset=fields.text("dataset", longest=200),
        version=fields.text("version", longest=64),
        role=fields.text("role", longest=20),
        holder_approved=fields.take("holder_approved") is True,
        records=fields.count("records"),
        column=fields.text_or_none("column", longest=200),
        column_sha256=fields.text_or_none("column_sha256", longest=64, pattern=HEX64),
        bitmaps={label: _bitmap(bitmaps.inner(label)) for label in named},
        removed=_removed(fields),
        format=fields.text_or_none("format", longest=20),
        options=options,
        columns=columns,
        items=_items(fields),
    )


def _items(fields: Fields) -> Items | None:
    if fields.take("items", missing=None) is None:
        return None
    items = fields.inner("items")
    keys = items.count("n")
    return Items(
        items.text("check", longest=16, pattern=_ITEMS_CHECK),
        keys,
        _file(items.inner("parquet")) if keys else None,
    )


def _removed(fields: Fields) -> dict[str, Bitmap]:
    if fields.take("removed", missing=None) is None:
        return {}
    removed = fields.inner("removed")
    return {reason: _bitmap(removed.inner(reason)) for reason in fields.take("removed")}


def _bitmap(fields: Fields) -> Bitmap:
    rows = fields.count("n")
    return Bitmap(rows, _file(fields) if rows else None)
