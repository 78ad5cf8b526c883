"""Budgets that all server processes of a machine share: a table in one mapped file, of fixed size.

Each in its own memory, N processes would give everybody N budgets. A slot is 16 bytes: whose (a keyed digest: the file
names no address), until when, how many. Where all places of a key are taken, the one that ends first makes room.
"""

from __future__ import annotations

import fcntl
import hashlib
import math
import mmap
import os
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from limits.storage import Storage

SCHEME = "byline-file"
SLOTS, NEAR = 1 << 16, 8
_SLOT = struct.Struct("<QII")


class SharedCounters(Storage):
    """Fixed windows for `limits`; `storage_uri` is byline-file://FILE, the option `key` 32 bytes in hex."""

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012 - read from the class by limits

    def __init__(self, uri: str, wrap_exceptions: bool = False, *, key: str, **_: Any) -> None:  # noqa: FBT001, FBT002
        super().__init__(uri, wrap_exceptions)
        path = Path(uri.removeprefix(f"{SCHEME}://"))
        self._key, self._lock = bytes.fromhex(key), threading.Lock()
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with self._alone():
            if os.fstat(self._handle).st_size != SLOTS * _SLOT.size:
                os.ftruncate(self._handle, SLOTS * _SLOT.size)
            self._table = mmap.mmap(self._handle, SLOTS * _SLOT.size)

    @property
    def base_exceptions(self) -> type[Exception]:
        """What goes wrong with files."""
        return OSError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count, in a window that begins now where none runs; how many by now."""
        return self.hit(key, expiry, amount)[0]

    def hit(self, key: str, expiry: float, amount: int = 1) -> tuple[int, int]:
        """The same; how many by now, and when the window ends."""
        now = time.time()
        tag = self._tag(key)
        with self._alone():
            at, until, count = self._find(tag, now)
            if until <= now:
                until, count = math.ceil(now + expiry), 0
            count = min(count + amount, (1 << 32) - 1)
            _SLOT.pack_into(self._table, at, tag, until, count)
        return count, until

    def get(self, key: str) -> int:
        """How many in the present window."""
        now = time.time()
        with self._alone():
            _, until, count = self._find(self._tag(key), now)
        return count if until > now else 0

    def get_expiry(self, key: str) -> float:
        """When the present window ends; now, where none runs."""
        now = time.time()
        with self._alone():
            _, until, _ = self._find(self._tag(key), now)
        return max(float(until), now)

    def check(self) -> bool:
        """It is there."""
        return not self._table.closed

    def reset(self) -> int | None:
        """Forget everything."""
        with self._alone():
            self._table[:] = bytes(len(self._table))
        return None

    def clear(self, key: str) -> None:
        """Forget one."""
        with self._alone():
            at, until, _ = self._find(self._tag(key), time.time())
            if until:
                _SLOT.pack_into(self._table, at, 0, 0, 0)

    def _tag(self, key: str) -> int:
        digest = hashlib.blake2b(key.encode(), digest_size=8, key=self._key).digest()
        return int.from_bytes(digest, "big") or 1

    def _find(self, tag: int, now: float) -> tuple[int, int, int]:
        """Where a tag's slot is or may be, its window's end, its count; an empty one has 0 and 0."""
        free = (1 << 33, 0)
        for step in range(NEAR):
            at = (tag + step) % SLOTS * _SLOT.size
            owner, until, count = _SLOT.unpack_from(self._table, at)
            if owner == tag:
                return at, until, count
            free = min(free, (until if until > now else 0, at))
        return free[1], 0, 0

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Of all threads and processes."""
        with self._lock:
            fcntl.flock(self._handle, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._handle, fcntl.LOCK_UN)
