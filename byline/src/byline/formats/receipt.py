"""C2SP tlog-proof: a receipt that an entry is in the log, to be kept and checked by anyone, offline.

The extra line carries the entry itself, so that file, key and statement are enough. Source: https://c2sp.org/tlog-proof.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Any

from byline.errors import Refused, Untrusted
from byline.formats import checkpoint as checkpoints
from byline.formats.checkpoint import Checkpoint
from byline.formats.entries import STATEMENT_KINDS, parse_entry
from byline.formats.merkle import HASH, leaf_hash, verify_inclusion
from byline.formats.note import NoteKey, parse_vkey

HEADER = "c2sp.org/tlog-proof@v1"
MAX_RECEIPT = 256 << 10
MOST_HASHES = 63
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)
_NOT_A_RECEIPT = "a receipt is a header, extra, index, hashes, a blank line and a checkpoint"


@dataclass(frozen=True)
class Receipt:
    """A receipt taken apart, not believed yet."""

    entry: bytes
    index: int
    proof: tuple[bytes, ...]
    checkpoint: bytes


@dataclass(frozen=True)
class Proved:
    """What a receipt proves: this entry stands at this index of this log."""

    entry: dict[str, Any]
    index: int
    checkpoint: Checkpoint


def write(receipt: Receipt) -> bytes:
    """The file."""
    lines = [HEADER, f"extra {_text(receipt.entry)}", f"index {receipt.index}", *map(_text, receipt.proof)]
    return ("\n".join(lines) + "\n\n").encode() + receipt.checkpoint


def read(data: bytes) -> Receipt:
    """Take a file apart; Refused("bad-receipt")."""
    head, blank, checkpoint = data.partition(b"\n\n")
    if len(data) > MAX_RECEIPT or not blank or not head.isascii():
        raise Refused("bad-receipt", _NOT_A_RECEIPT)
    lines = head.decode("ascii").split("\n")
    index = _INDEX.fullmatch(lines[2]) if len(lines) > 2 else None
    if not index or lines[0] != HEADER or not lines[1].startswith("extra ") or len(lines) > 3 + MOST_HASHES:
        raise Refused("bad-receipt", _NOT_A_RECEIPT)
    return Receipt(
        entry=_bytes(lines[1].removeprefix("extra ")),
        index=int(index[1]),
        proof=tuple(_hash(line) for line in lines[3:]),
        checkpoint=checkpoint,
    )


def verify(receipt: Receipt, *, vkey: NoteKey | str) -> Proved:
    """Untrusted unless the log of this key holds the receipt's entry ("bad-signature", "bad-checkpoint", "not-in-log")."""
    key = parse_vkey(vkey) if isinstance(vkey, str) else vkey
    checkpoint = checkpoints.read(receipt.checkpoint, key)
    verify_inclusion(
        leaf_hash(receipt.entry),
        receipt.proof,
        index=receipt.index,
        size=checkpoint.size,
        head=checkpoint.root,
    )
    return Proved(parse_entry(receipt.entry), receipt.index, checkpoint)


def verify_statement(proved: Proved, payload: bytes) -> None:
    """Untrusted("other-statement") unless the entry is of the statement with this payload."""
    found = hashlib.sha256(payload).hexdigest()
    if proved.entry["kind"] not in STATEMENT_KINDS or proved.entry["digest"] != found:
        raise Untrusted(
            "other-statement", f"the receipt is of another statement than the one with digest {found}"
        )


def verify_envelope(proved: Proved, data: bytes) -> None:
    """The entry is about this envelope, signatures included, byte for byte; Untrusted("other-envelope")."""
    if proved.entry.get("envelope_sha256") != hashlib.sha256(data).hexdigest():
        raise Untrusted(
            "other-envelope",
            "the receipt is of this statement in another envelope: take the one that the registry serves",
        )


def verify_commitment(proved: Proved, *, salt: bytes, request: bytes) -> None:
    """Untrusted("other-request") unless the entry is the commitment SHA-256(salt || request) to this wish."""
    found = hashlib.sha256(salt + request).hexdigest()
    if proved.entry.get("commitment") != found:
        raise Untrusted("other-request", "the receipt is of another request, or the salt is not its own")


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused("bad-receipt", _NOT_A_RECEIPT) from error
    if _text(data) != text:
        raise Refused("bad-receipt", _NOT_A_RECEIPT)
    return data


def _hash(line: str) -> bytes:
    data = _bytes(line)
    if len(data) != HASH:
        raise Refused("bad-receipt", _NOT_A_RECEIPT)
    return data
