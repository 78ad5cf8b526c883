"""The key feed that a head names: its base, what changed since, what was removed and why (docs/formats/keyfeed.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from byline.errors import Untrusted
from byline.formats import keyfeed
from byline.formats.feedhead import Change, FeedFile, Head
from byline.formats.keyfeed import Removals
from byline.formats.keyset import Keys, KeySet, SetDigest, applied, bits_at, joined, latest

Read = Callable[[FeedFile], bytes]
"""A file's bytes, held against its digest already."""


def needed_since(head: Head, seq: int) -> tuple[Change, ...] | None:
    """The deltas that turn the set of an earlier head into this one's; None where they do not reach back that far."""
    if head.deltas and head.deltas[0].since > seq:
        return None
    if not head.deltas and head.base_seq > seq:
        return None
    return tuple(one for one in head.deltas if one.to > seq)


def read_pieces(head: Head, read: Read) -> Iterator[KeySet]:
    """The set of a head from its base and the deltas since, in pieces, checked while it is read.

    Untrusted("wrong-key-set") unless it is the set the head names, Refused("bad-key-feed").
    """
    yield from checked(head, applied(base_pieces(head, read), read_change(head, head.base_seq, read)))


def read_change(head: Head, seq: int, read: Read) -> KeySet:
    """All that was touched after head `seq`."""
    return latest([_delta(one, read(one)) for one in head.deltas if one.to > seq])


def base_pieces(head: Head, read: Callable[[FeedFile], bytes | str]) -> Iterator[KeySet]:
    """The base alone; `read` may give a path instead of bytes."""
    for file in head.base:
        data, rows = read(file), 0
        for piece in keyfeed.pieces(data):
            rows += len(piece.k)
            yield piece
        size = len(data) if isinstance(data, bytes) else Path(data).stat().st_size
        _check_size(file.path, (size, rows), (file.bytes, file.rows))


def checked(head: Head, pieces: Iterator[KeySet]) -> Iterator[KeySet]:
    """The pieces; after the last one Untrusted("wrong-key-set") unless they are the set the head names."""
    digest = SetDigest()
    for piece in pieces:
        digest.update(piece)
        yield piece
    if digest.n != head.keys or digest.hexdigest() != head.set_sha256:
        raise Untrusted("wrong-key-set", "the keys are not the set the head names")


def check_removals(head: Head, gone: KeySet, *, seq: int, read: Read) -> None:
    """Whatever left the set after head `seq` must stand among the removals; Untrusted("removed-unsaid")."""
    if not len(gone.k):
        return
    said = said_removed(head, seq=seq, read=read)
    unsaid = gone.k[(gone.c & ~bits_at(said, gone.k)) > 0]
    if len(unsaid):
        raise Untrusted(
            "removed-unsaid",
            f"{len(unsaid):,} fingerprints left the feed after head {seq}, and no removal says so",
            details={"examples": [int(k) for k in unsaid[:10]]},
        )


def said_removed(head: Head, *, seq: int, read: Read) -> KeySet:
    """Which bits of which keys were removed after head `seq`, for whatever reason."""
    files = [_removals(one, read(one)) for one in head.removals if one.to > seq]
    none: Sequence[Keys] = [np.zeros(0, np.int64)]
    k = np.concatenate([*none, *(one.k for one in files)])
    return joined(k, np.concatenate([np.zeros(0, np.uint8), *(one.c for one in files)]))


def _delta(file: Change, data: bytes) -> KeySet:
    found = keyfeed.read_delta(data)
    _check_size(file.path, (len(data), len(found.k)), (file.bytes, file.rows))
    return found


def _removals(file: Change, data: bytes) -> Removals:
    found = keyfeed.read_removals(data)
    _check_size(file.path, (len(data), len(found.k)), (file.bytes, file.rows))
    return found


def _check_size(path: str, found: tuple[int, int], told: tuple[int, int]) -> None:
    if found != told:
        raise Untrusted("wrong-key-set", f"{path} has another size than the head says", at=path)
