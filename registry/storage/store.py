"""The object store (extracts, record indexes, manifests, feed, log): its interface, and what all kinds share.

Three real ones stand behind `ObjectStore`: a folder, any S3 that keeps conditional writes, and memory.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from byline.errors import NotFound, Refused

Body = bytes | BinaryIO
CHUNK = 1 << 20
_PART = re.compile(r"[A-Za-z0-9_=@+-][A-Za-z0-9_=@+.,-]{0,199}", re.ASCII)


@dataclass(frozen=True)
class Entry:
    """An object in a listing: its size in bytes, and a tag that changes whenever its bytes do."""

    key: str
    size: int
    tag: str


class ObjectStore(Protocol):
    """Bytes by key.

    A key that is the folder of other keys (`a` beside `a/b`) is not to be used: a folder cannot hold both.
    """

    def put_new(self, key: str, data: Body) -> bool:
        """Write what is not there yet; False, and nothing changed, where the key exists.

        Of racing writers one wins.
        """
        ...

    def put(self, key: str, data: Body) -> None:
        """Write or replace; readers see the old object or the new one, never a mixture."""
        ...

    def put_file(self, key: str, path: Path) -> None:
        """As `put`, of a whole file that nobody writes to any more: a store in a folder takes the file itself where it can."""
        ...

    def get(self, key: str) -> bytes:
        """The whole object; NotFound("no-such-object")."""
        ...

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """`length` bytes from `start`, fewer where the object ends; NotFound("no-such-object")."""
        ...

    def size(self, key: str) -> int:
        """Bytes; NotFound("no-such-object")."""
        ...

    def replace_if(self, key: str, data: bytes, *, expected: bytes | None) -> bool:
        """Replace the object if it still is `expected` (None: not there).

        False, and nothing changed, if it is not.
        """
        ...

    def delete(self, key: str) -> None:
        """Make it gone; no error where it was not there."""
        ...

    def list(self, prefix: str) -> Iterator[str]:
        """Every key that begins with `prefix`, in the order of their bytes."""
        ...

    def entries(self, prefix: str) -> Iterator[Entry]:
        """The same with sizes and tags."""
        ...

    def sweep(self, *, before: dt.datetime) -> int:
        """Remove what writers that were killed before this time left half written; how many."""
        ...


def check_key(key: str) -> str:
    """Give the key back, or Refused("bad-object-key").

    Parts are ASCII letters, digits and `_=@+.,-`, joined by `/`, and none begins with a dot; a part has at
    most 200 bytes (a file name may have 255), a key 512 (S3 takes 1,024, and a prefix goes before it).
    """
    if len(key) > 512 or not all(_PART.fullmatch(part) for part in key.split("/")):
        raise Refused(
            "bad-object-key",
            "an object's key is parts of letters, digits and _=@+.,- joined by /",
            at=key[:100],
        )
    return key


def check_range(start: int, length: int) -> None:
    """A range counts from 0 and is not negative; anything else is a mistake of ours."""
    if start < 0 or length < 0:
        raise ValueError(f"no such range: {start}, {length}")


def missing(key: str) -> NotFound:
    """What a store says of a key it does not hold."""
    return NotFound("no-such-object", "the store holds no such object", at=key)


def chunks(data: Body) -> Iterator[bytes]:
    """The body in blocks of at most 1 MiB, whatever it came as."""
    if isinstance(data, bytes | bytearray | memoryview):
        yield bytes(data)
        return
    while block := data.read(CHUNK):
        yield block
