"""The feed's files of the last head: which are lost or damaged, and those of them that can be made once more.

Every file is named by its digest, so whatever has that digest is the file. Rows and keys come again from the matches;
the small files of the rows also from the packs. What the feed once said and does not say now (deltas, removals, heads)
stands nowhere else: a mirror has it.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from byline.errors import NotFound
from byline.formats import itemfeed, keyfeed, rowfeed
from byline.formats.feedhead import Head, parse_head
from byline.formats.keyset import EMPTY, cut
from registry.database import Sessions
from registry.feed.batches import SHARD
from registry.feed.head import FILES, ROOT
from registry.feed.keys import padded, read_keys
from registry.feed.rows import read_row_feeds
from registry.models import FeedHead
from registry.storage import ObjectStore


@dataclass
class Found:
    """What the last head leads to: paths that are whole, and paths that are not. Of what a lost file leads to nothing is known."""

    whole: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)


def last_head(session: Session) -> FeedHead | None:
    """The head that was made last."""
    return session.scalar(select(FeedHead).order_by(FeedHead.seq.desc()).limit(1))


def look(store: ObjectStore, sha256: str) -> Found:
    """Read every file a head leads to, and compare it with its name."""
    found = Found()
    data = _look(store, f"{FILES}/{sha256}.json", found)
    if data is None:
        return found
    head = parse_head(data)
    for one in (*head.base, *head.deltas, *head.removals, *head.packs):
        _look(store, one.path, found)
    for part in head.index.values():
        index = _look(store, part.path, found)
        for path in _named(json.loads(index)) if index is not None else ():
            _look(store, path, found)
    return found


def remake_files(sessions: Sessions, store: ObjectStore, *, padding_key: bytes) -> tuple[int, list[str]]:
    """Write again what can be; how many that were, and what is still lost.

    A part of the index that came back may lead to more that is lost, so it is looked at until nothing new comes.
    """
    with sessions() as session:
        last = last_head(session)
    made = 0
    while last is not None:
        lost = look(store, last.sha256).lost
        if not lost:
            break
        with sessions() as session:
            fresh = _write(store, lost, _candidates(session, store, last.sha256, padding_key=padding_key))
        made += fresh
        if not fresh:
            return made, sorted(lost)
    return made, []


def _write(store: ObjectStore, lost: set[str], candidates: Iterator[bytes]) -> int:
    wanted = {path.removeprefix(f"{FILES}/").partition(".")[0]: path for path in lost}
    made = 0
    for data in candidates:
        path = wanted.pop(hashlib.sha256(data).hexdigest(), None)
        if path is not None:
            store.put(f"{ROOT}/{path}", data)
            made += 1
        if not wanted:
            break
    return made


def _candidates(session: Session, store: ObjectStore, sha256: str, *, padding_key: bytes) -> Iterator[bytes]:
    """Bytes that may be a lost file: what the packs hold, the rows of today, the keys of today in one base."""
    try:
        head: Head | None = parse_head(store.get(f"{ROOT}/{FILES}/{sha256}.json"))
    except NotFound:
        head = None
    for pack in head.packs if head else ():
        yield from _unpacked(store, pack.path)
    for one in read_row_feeds(session).files:
        for rows in one.rows.values():
            if rows:
                yield rowfeed.write(rows, file_sha256=one.file_sha256)
        if len(one.items.k):
            yield keyfeed.write(*one.items)
            yield itemfeed.write_ndjson(one.items)
    keys = padded(read_keys(session), EMPTY, padding_key=padding_key)
    yield from (keyfeed.write(*piece) for piece in cut(keys, SHARD))


def _unpacked(store: ObjectStore, path: str) -> Iterator[bytes]:
    try:
        data = store.get(f"{ROOT}/{path}")
    except NotFound:
        return
    if not path.startswith(f"{FILES}/{hashlib.sha256(data).hexdigest()}."):
        return
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as pack:
        for member in pack:
            body = pack.extractfile(member)
            if body is not None:
                yield body.read()


def _look(store: ObjectStore, path: str, found: Found) -> bytes | None:
    """Its bytes, if they are the ones its name says."""
    if path in found.whole or path in found.lost:
        return None
    try:
        data = store.get(f"{ROOT}/{path}")
    except NotFound:
        data = b""
    if path.startswith(f"{FILES}/{hashlib.sha256(data).hexdigest()}."):
        found.whole.add(path)
        return data
    found.lost.add(path)
    return None


def _named(part: dict[str, Any]) -> Iterator[str]:
    for entries in part["files"].values():
        for entry in entries:
            for bitmap in (*entry["bitmaps"].values(), *entry["removed"].values()):
                if bitmap["n"]:
                    yield bitmap["path"]
            yield from (one["path"] for one in (entry.get("items") or {}).values() if isinstance(one, dict))
