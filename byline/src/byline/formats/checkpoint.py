"""C2SP tlog-checkpoint: a signed note that says how long a log is and what its root hash is.

Source: https://c2sp.org/tlog-checkpoint@v1.0.0. Extension lines are read over and never written.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from byline.errors import Untrusted
from byline.formats import note
from byline.formats.keys import PrivateKey
from byline.formats.merkle import EMPTY_ROOT, HASH
from byline.formats.note import NoteKey

MAX_CHECKPOINT = 16 << 10
MAX_SIZE = (1 << 63) - 1
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True)
class Checkpoint:
    """How long the log of an origin is, and its root hash."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def write(checkpoint: Checkpoint, key: PrivateKey) -> bytes:
    """Sign with the log's key, whose name is the origin."""
    return note.sign(checkpoint.text, checkpoint.origin, key)


def read(data: bytes, key: NoteKey) -> Checkpoint:
    """The checkpoint that `key` signed; its name is the origin that is expected.

    Untrusted("bad-checkpoint", and what `note.verify` says of its signature).
    """
    if len(data) > MAX_CHECKPOINT:
        raise Untrusted("bad-checkpoint", f"a checkpoint has at most {MAX_CHECKPOINT:,} bytes")
    text = note.verify(data, key)
    lines = text.split("\n")
    if len(lines) < 4 or not _SIZE.fullmatch(lines[1]):
        raise Untrusted("bad-checkpoint", "a checkpoint is an origin, a size and a root hash, a line each")
    if lines[0] != key.name:
        raise Untrusted("bad-checkpoint", f"this is a checkpoint of {lines[0]!r}, not of {key.name!r}")
    found = Checkpoint(lines[0], int(lines[1]), _hash(lines[2]))
    if found.size > MAX_SIZE or (found.size == 0) != (found.root == EMPTY_ROOT):
        raise Untrusted("bad-checkpoint", "the root hash does not fit the size")
    return found


def _hash(line: str) -> bytes:
    try:
        found = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Untrusted("bad-checkpoint", "the root hash is not base64") from error
    if len(found) != HASH or base64.b64encode(found).decode() != line:
        raise Untrusted("bad-checkpoint", "the root hash is not 32 bytes of base64")
    return found
