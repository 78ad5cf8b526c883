"""The head of the feed: what it says, the note that signs it, and where both lie.

`head.note` is the one commit point. It names the digest of head.json, whose very bytes lie for ever in
`files/<digest>.json`; `head.json` is a copy for convenience, and a crash between the two leaves a head that
is whole.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from byline.errors import NotFound
from byline.formats import canonical, note
from byline.formats.feedhead import note_text
from byline.formats.keys import PrivateKey
from registry.storage import ObjectStore

HEAD = "feed/v1/head.json"
NOTE = "feed/v1/head.note"
FILES = "files"
ROOT = "feed/v1"


@dataclass(frozen=True)
class Written:
    """Paths: all that were put, and those of them that were not there."""

    named: frozenset[str]
    fresh: frozenset[str]


class Files:
    """The feed's immutable files. What the last head names is there already and is not sent again."""

    def __init__(self, store: ObjectStore, there: Collection[str]) -> None:
        """`there`: paths that were written before."""
        self._store, self._there = store, set(there)
        self._fresh: set[str] = set()
        self._named: set[str] = set()

    def put(self, data: bytes, ending: str) -> dict[str, str]:
        """Write a file under its digest; `{"path", "sha256"}`, the path relative to the feed."""
        digest = hashlib.sha256(data).hexdigest()
        path = f"{FILES}/{digest}.{ending}"
        self._named.add(path)
        if path not in self._there:
            self._store.put_new(f"{ROOT}/{path}", data)
            self._there.add(path)
            self._fresh.add(path)
        return {"path": path, "sha256": digest}

    def keep(self, path: str) -> None:
        """The next head leads to this file as the last one does."""
        self._named.add(path)

    def written(self) -> Written:
        """What was put until now."""
        return Written(frozenset(self._named), frozenset(self._fresh))

    def get(self, path: str) -> bytes:
        """A file's bytes."""
        return self._store.get(f"{ROOT}/{path}")


def head_bytes(
    content: dict[str, Any], *, seq: int, log_size: int, now: dt.datetime, lifetime: dt.timedelta
) -> bytes:
    """head.json: the content, its number, when it was made and until when it may be believed."""
    times = {"time": canonical.timestamp(now), "expires": canonical.timestamp(now + lifetime)}
    return canonical.dumps({**content, **times, "seq": seq, "log_size": log_size})


def content_sha256(content: dict[str, Any]) -> str:
    """What a head says apart from number, times and how its keys are cut into files: the same again needs no new one."""
    return hashlib.sha256(canonical.dumps(content)).hexdigest()


def note_bytes(origin: str, seq: int, sha256: str, key: PrivateKey) -> bytes:
    """The signed note over `<origin>/feed/v1`, seq, base64 of head.json's SHA-256.

    The same head, the same bytes.
    """
    return note.sign(note_text(origin, seq, sha256), origin, key)


def read_head(store: ObjectStore) -> tuple[bytes, bytes]:
    """head.json and head.note as they belong together; NotFound("no-feed-yet") before the first feed."""
    signed = read_note(store)
    if signed is None:
        raise NotFound("no-feed-yet", "no feed has been built yet")
    digest = base64.b64decode(note.parse(signed).text.splitlines()[2]).hex()
    return store.get(f"{ROOT}/{FILES}/{digest}.json"), signed


def read_note(store: ObjectStore) -> bytes | None:
    """head.note, unverified; None before the first feed."""
    return _get(store, NOTE)


def publish(store: ObjectStore, head: bytes, signed: bytes) -> None:
    """Make it the feed's head: first the note, then the copy. May be repeated."""
    _replace(store, NOTE, signed)
    _replace(store, HEAD, head)


def _replace(store: ObjectStore, key: str, data: bytes) -> None:
    present = _get(store, key)
    if present != data:
        store.replace_if(key, data, expected=present)


def _get(store: ObjectStore, key: str) -> bytes | None:
    try:
        return store.get(key)
    except NotFound:
        return None
