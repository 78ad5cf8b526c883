"""An object store in memory: for tests and for trying things out."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

from registry.storage.store import Body, Entry, check_key, check_range, chunks, missing


class MemoryStore:
    """Objects in a dict, one lock around it."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def put_new(self, key: str, data: Body) -> bool:
        """As ObjectStore says."""
        whole = b"".join(chunks(data))
        with self._lock:
            if check_key(key) in self._objects:
                return False
            self._objects[key] = whole
            return True

    def put(self, key: str, data: Body) -> None:
        """As ObjectStore says."""
        whole = b"".join(chunks(data))
        with self._lock:
            self._objects[check_key(key)] = whole

    def put_file(self, key: str, path: Path) -> None:
        """As ObjectStore says."""
        with path.open("rb") as file:
            self.put(key, file)

    def get(self, key: str) -> bytes:
        """As ObjectStore says."""
        with self._lock:
            found = self._objects.get(check_key(key))
        if found is None:
            raise missing(key)
        return found

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """As ObjectStore says."""
        check_range(start, length)
        return self.get(key)[start : start + length]

    def size(self, key: str) -> int:
        """As ObjectStore says."""
        return len(self.get(key))

    def replace_if(self, key: str, data: bytes, *, expected: bytes | None) -> bool:
        """As ObjectStore says."""
        with self._lock:
            if self._objects.get(check_key(key)) != expected:
                return False
            self._objects[key] = bytes(data)
            return True

    def delete(self, key: str) -> None:
        """As ObjectStore says."""
        with self._lock:
            self._objects.pop(check_key(key), None)

    def entries(self, prefix: str) -> Iterator[Entry]:
        """As ObjectStore says."""
        with self._lock:
            found = sorted((key, data) for key, data in self._objects.items() if key.startswith(prefix))
        yield from (Entry(key, len(data), hashlib.sha256(data).hexdigest()) for key, data in found)

    def sweep(self, *, before: dt.datetime) -> int:  # noqa: ARG002 - nothing is ever half written
        """As ObjectStore says."""
        return 0

    def list(self, prefix: str) -> Iterator[str]:
        """As ObjectStore says."""
        with self._lock:
            found = sorted(key for key in self._objects if key.startswith(prefix))
        yield from found
