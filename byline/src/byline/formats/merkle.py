"""Merkle trees of RFC 6962 section 2.1 (RFC 9162 section 2.1), SHA-256: roots, proofs, and their verification.

Proofs are generated from stored nodes and verified by the algorithms of RFC 9162 2.1.3.2 and 2.1.4.2, which share
nothing with the generator. A hash has 32 bytes; a tree of `size` leaves counts them from 0.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from byline.errors import Untrusted

HASH = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

Node = tuple[int, int]
"""(level, index): the root of the full subtree over leaves index * 2**level up to (index + 1) * 2**level."""

Read = Callable[[Sequence[Node]], Sequence[bytes]]
"""Gives the hashes of full subtrees, in the order asked."""


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(0x00 || leaf)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """The tree head over leaf hashes, level by level; for what fits in memory."""
    if not hashes:
        return EMPTY_ROOT
    level = list(hashes)
    while len(level) > 1:
        paired = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        level = paired + level[len(level) & ~1 :]
    return level[0]


def right_edge(size: int) -> list[Node]:
    """The full subtrees a tree of `size` leaves is made of, from the left: one for each bit of `size`."""
    nodes, start = [], 0
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            nodes.append((level, start >> level))
            start += 1 << level
    return nodes


def root_of(size: int, read: Read) -> bytes:
    """The tree head of the first `size` leaves, from stored nodes."""
    return _fold(read(right_edge(size))) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, read: Read) -> tuple[bytes, ...]:
    """The audit path of one leaf, nearest sibling first. ValueError unless 0 <= index < size."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    return _read(_path(index, 0, size), read)


def consistency_proof(old: int, new: int, read: Read) -> tuple[bytes, ...]:
    """The proof that the tree of `new` leaves goes on from that of `old`. ValueError unless 0 <= old <= new."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} does not go on from one of {old}")
    return () if old in (0, new) else _read(_subproof(old, 0, new, whole=True), read)


def verify_inclusion(leaf: bytes, proof: Sequence[bytes], *, index: int, size: int, head: bytes) -> None:
    """Untrusted("not-in-log") unless the leaf with this hash stands at `index` of the tree with this head.

    RFC 9162 section 2.1.3.2.
    """
    if not 0 <= index < size:
        raise Untrusted("not-in-log", f"no entry {index} stands in a log of {size}")
    climbed = _climb(index, size - 1, _checked(leaf, proof, head, code="not-in-log"), seed=leaf)
    if climbed is None or climbed[1] != head:
        raise Untrusted("not-in-log", "the inclusion proof does not lead to the signed root")


def verify_consistency(proof: Sequence[bytes], *, old: int, new: int, heads: tuple[bytes, bytes]) -> None:
    """Untrusted("log-forked") unless the tree with `heads[1]` of `new` leaves goes on from `heads[0]` of `old`.

    RFC 9162 section 2.1.4.2. Both sizes are above 0: of nothing everything goes on, which proves nothing.
    """
    before, after = heads
    if not 0 < old <= new:
        raise Untrusted("log-forked", f"a log of {new} does not go on from one of {old}")
    if old == new:
        if proof or before != after:
            raise Untrusted("log-forked", f"two logs of {old} entries have different roots")
        return
    hashes = _checked(before, proof, after, code="log-forked")
    if old & (old - 1) == 0:
        hashes = [before, *hashes]
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    if not hashes or _climb(position, last, hashes[1:], seed=hashes[0]) != (before, after):
        raise Untrusted("log-forked", "the log does not go on from what it was")


def _climb(position: int, last: int, siblings: Sequence[bytes], *, seed: bytes) -> tuple[bytes, bytes] | None:
    """From `seed` at `position` of a level that ends at `last` up to the roots of the old and the new tree.

    None where the proof is too short or too long. RFC 9162 has this loop twice; for inclusion only the second counts.
    """
    first = second = seed
    for sibling in siblings:
        if last == 0:
            return None
        if position & 1 or position == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        position, last = position >> 1, last >> 1
    return None if last else (first, second)


def _checked(one: bytes, proof: Sequence[bytes], other: bytes, *, code: str) -> list[bytes]:
    if any(len(found) != HASH for found in (one, *proof, other)):
        raise Untrusted(code, "a hash in a proof has 32 bytes")
    return list(proof)


Part = tuple[int, int]
"""Leaves [start, end) whose tree head stands in a proof."""


def _path(index: int, start: int, end: int) -> list[Part]:
    if end - start == 1:
        return []
    middle = start + _half(end - start)
    if index < middle:
        return [*_path(index, start, middle), (middle, end)]
    return [*_path(index, middle, end), (start, middle)]


def _subproof(old: int, start: int, end: int, *, whole: bool) -> list[Part]:
    if old == end:
        return [] if whole else [(start, end)]
    middle = start + _half(end - start)
    if old <= middle:
        return [*_subproof(old, start, middle, whole=whole), (middle, end)]
    return [*_subproof(old, middle, end, whole=False), (start, middle)]


def _half(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def _read(parts: list[Part], read: Read) -> tuple[bytes, ...]:
    """The head of each part, all nodes read at once: a part is one full subtree or, at the right edge, several."""
    nodes = [_nodes(start, end) for start, end in parts]
    hashes = iter(read([node for some in nodes for node in some]))
    return tuple(_fold([next(hashes) for _ in some]) for some in nodes)


def _nodes(start: int, end: int) -> list[Node]:
    return [(level, index + (start >> level)) for level, index in right_edge(end - start)]


def _fold(hashes: Sequence[bytes]) -> bytes:
    found = hashes[-1]
    for left in reversed(hashes[:-1]):
        found = node_hash(left, found)
    return found
