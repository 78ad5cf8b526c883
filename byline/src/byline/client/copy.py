"""The folder of a mirror: a registry's files under their own paths, each whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

from byline.client.log import Source
from byline.errors import NotFound, Untrusted

REDACTED = "redacted/"


class Folder:
    """A mirror's files; also what an audit reads them from."""

    def __init__(self, path: Path) -> None:
        """The folder need not be there yet."""
        self.path = path
        self._touched: set[Path] = set()

    def fetch(self, path: str, *, max_bytes: int) -> bytes:
        """As Transport.fetch. NotFound("no-such-file"), or "redacted" where the registry said so when it was asked."""
        target = self._at(path)
        try:
            if target.stat().st_size > max_bytes:
                raise Untrusted("answer-too-large", f"{target} has more than {max_bytes:,} bytes")
            return target.read_bytes()
        except OSError as error:
            if self.has(f"{REDACTED}{target.name}"):
                raise NotFound("redacted", "it was taken from view before it was copied", at=path) from error
            raise NotFound("no-such-file", f"the mirror has no {path}", at=path) from error

    def has(self, path: str) -> bool:
        """Whether it is there: it was written whole."""
        return self._at(path).is_file()

    def put(self, path: str, data: bytes) -> None:
        """Write whole, flushed, or not at all."""
        target = self._at(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        self._touched |= {
            target.parent,
            *(one for one in target.parent.parents if one.is_relative_to(self.path)),
        }

    def settle(self) -> None:
        """See to it that all that was put outlives a power cut: what is put next may build on it."""
        for folder in sorted(self._touched):
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        self._touched.clear()

    def redact(self, name: str) -> None:
        """Note that the registry gave no statement of this digest, and said why."""
        self.put(f"{REDACTED}{name}", b"")

    def _at(self, path: str) -> Path:
        return self.path / path.lstrip("/")


class Nearest:
    """What is copied already, else what is served: a copy that goes on reads nothing twice."""

    def __init__(self, here: Folder, there: Source) -> None:
        """`here` holds only what was checked."""
        self._here, self._there = here, there

    def fetch(self, path: str, *, max_bytes: int) -> bytes:
        """As Transport.fetch."""
        return (self._here if self._here.has(path) else self._there).fetch(path, max_bytes=max_bytes)
