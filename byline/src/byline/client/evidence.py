"""What was shown and could not be believed, kept in a file: exactly as it came, beside what was believed before.

The file is written once, whole and flushed, and named after its content: the same lie again is the same file, another one
is another file. Nothing of it is secret: it is what anybody was served, and the receipt of who keeps one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from byline.client.log import Source
from byline.errors import BylineError

MOST_REMEMBERED = 8 << 20
_SIGNED = ("/log/checkpoint", "/log/vkey", "/feed/v1/head.note", "/feed/v1/head.json")
_TOLD = (*_SIGNED, "/v1")
_TOLD_ALONE = frozenset({"key-changed", "feed-went-back", "feed-forked", "feed-expired", "feed-stale"})

_TWO_STORIES = "show it to others who follow this registry: it proves that two stories were told"
_OLD = "try again, a cache on the way may be old; if it stays so, show the file to others who follow this registry"
_NOT_SIGNED = "try another network or mirror, and ask the operator about this file"
_DAMAGED = "try again or from a mirror; if it stays so, show the file to the operator"
_BROKEN_WORD = "show it to the operator and to others: it proves what was signed and not kept to"
_WHY = "ask the operator by another way; begin anew only if they can say why"

TO_DO: Mapping[str, str] = {
    "key-changed": _WHY,
    "wrong-origin": _WHY,
    "bad-signature": _NOT_SIGNED,
    "bad-note": _NOT_SIGNED,
    "bad-checkpoint": _NOT_SIGNED,
    "bad-head": _NOT_SIGNED,
    "bad-receipt": _NOT_SIGNED,
    "head-mismatch": _NOT_SIGNED,
    "log-forked": _TWO_STORIES,
    "feed-forked": _TWO_STORIES,
    "log-went-back": _OLD,
    "feed-went-back": _OLD,
    "feed-expired": _OLD,
    "feed-stale": _OLD,
    "log-truncated": _DAMAGED,
    "log-tiles-wrong": _DAMAGED,
    "wrong-entries": _DAMAGED,
    "wrong-file": _DAMAGED,
    "bad-key-feed": _BROKEN_WORD,
    "wrong-key-set": _BROKEN_WORD,
    "removed-unsaid": _BROKEN_WORD,
    "head-not-logged": _BROKEN_WORD,
    "not-in-log": _BROKEN_WORD,
    "wrong-statement": _BROKEN_WORD,
    "statement-missing": _BROKEN_WORD,
}
"""What is kept as evidence, by the error's code, and what to do with it."""


class Witness:
    """A source whose last answers are remembered: signed ones always, of the others some MB."""

    def __init__(self, source: Source) -> None:
        """`source` reaches the registry, or a copy of its files."""
        self._source, self._lock = source, Lock()
        self._told: dict[str, bytes] = {}
        self._others: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    def fetch(self, path: str, *, max_bytes: int) -> bytes:
        """As Transport.fetch; an answer that takes the place of another under the same path is the one remembered."""
        data = self._source.fetch(path, max_bytes=max_bytes)
        self.remember(path, data)
        return data

    def remember(self, path: str, data: bytes) -> None:
        """Something that was shown by another way. What is too large to keep is known by its digest in the head."""
        with self._lock:
            if path in _TOLD:
                self._told[path] = data
            elif len(data) <= MOST_REMEMBERED:
                self._bytes += len(data) - len(self._others.pop(path, b""))
                self._others[path] = data
                while self._bytes > MOST_REMEMBERED:
                    self._bytes -= len(self._others.popitem(last=False)[1])

    def shown(self, error: BylineError) -> dict[str, bytes]:
        """What was signed or told, and what else it went wrong at: the file of that place, or the last answers."""
        with self._lock:
            at = error.at
            others = {path: data for path, data in self._others.items() if at and at in path} or self._others
            return {**self._told, **({} if error.code in _TOLD_ALONE else others)}


@dataclass(frozen=True)
class Keeper:
    """Where evidence goes, who saw what was shown, and what was believed before (asked for when it is needed)."""

    folder: Path
    witness: Witness
    believed: Callable[[], Mapping[str, bytes]]

    def told(self, error: BylineError) -> BylineError:
        """The error, naming the file that was written and what to do with it; others than TO_DO's as they are."""
        if error.code not in TO_DO:
            return error
        try:
            path = keep(self.folder, error, believed=self.believed(), shown=self.witness.shown(error))
        except OSError as failed:  # a full disk hides no lie
            said, where = f"it could not be kept as evidence ({failed.strerror})", None
        else:
            said, where = f"what was shown is kept in {path}: {TO_DO[error.code]}", str(path)
        details = {**(error.details if isinstance(error.details, dict) else {}), "evidence": where}
        return type(error)(error.code, f"{error.message}; {said}", at=error.at, details=details)


@contextmanager
def keeping(keeper: Keeper | None) -> Iterator[None]:
    """What is not believed within is kept, and the error raised names the file; with no keeper it goes as it came."""
    try:
        yield
    except BylineError as error:
        told = keeper.told(error) if keeper else error
        if told is error:
            raise
        raise told from error


def keep(
    folder: Path, error: BylineError, *, believed: Mapping[str, bytes], shown: Mapping[str, bytes]
) -> Path:
    """Write `evidence/<code>-<digest>.json`, flushed, with its folder. One that is there already stays as it is."""
    document = {
        "v": 1,
        **error.as_json(),
        "believed": [_part(path, data) for path, data in believed.items()],
        "shown": [_part(path, data) for path, data in shown.items()],
    }
    data = json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"
    path = folder / "evidence" / f"{error.code}-{hashlib.sha256(data).hexdigest()[:32]}.json"
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    for one in (path.parent, folder):
        _sync_folder(one)
    return path


def parts_of(document: Mapping[str, Any], which: str) -> dict[str, bytes]:
    """The bytes of a file's `believed` or `shown`, by path."""
    return {
        one["path"]: one["text"].encode() if "text" in one else base64.b64decode(one["base64"])
        for one in document[which]
    }


def copied(source: Source) -> dict[str, bytes]:
    """What a mirror's folder believed: its key, checkpoint and head."""
    found = {}
    for path in _SIGNED:
        try:
            found[path] = source.fetch(path, max_bytes=MOST_REMEMBERED)
        except BylineError:  # noqa: PERF203 - four files, each there or not
            continue
    return found


def _part(path: str, data: bytes) -> dict[str, object]:
    """Text as text, so that a signed note can be read; other bytes in base64."""
    known = {"path": path, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    try:
        return {**known, "text": data.decode("utf-8")}
    except UnicodeDecodeError:
        return {**known, "base64": base64.b64encode(data).decode("ascii")}


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
