"""Whole names, handles and ids in a Whoosh index: found by a bucket of a few bits, told apart by a column.

A term of its own for each would be three terms of one document each, and writing those is most of what indexing takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

from search.terms import Terms

BUCKETS = 1 << 14
TOGETHER = 6  # ids that differ in so many of their last bits share a bucket
NAME, PLAIN_NAME, HANDLE = "n", "p", "h"


@dataclass(frozen=True)
class Keys:
    """What a document is told apart by.

    `buckets`: the terms it is found under. `name`, `handle`: the number of its first one, 0 for none; `more`: those of all others,
    as `stored` gives them, one space between.
    """

    buckets: set[str]
    name: int
    handle: int
    more: str

    @classmethod
    def of(cls, document: int, terms: Terms) -> Keys:
        """Of one document's terms."""
        names = [name_key(name) for name in sorted(terms.names)]
        plain = [name_key(name) for name in sorted(terms.plain_names - terms.names)]
        handles = [handle_key(handle) for handle in sorted(terms.handles)]
        kinds = ((NAME, names), (PLAIN_NAME, plain), (HANDLE, handles))
        more = [(NAME, names[1:]), (PLAIN_NAME, plain), (HANDLE, handles[1:])]
        return cls(
            buckets={id_bucket(document), *(bucket(kind, one) for kind, some in kinds for one in some)},
            name=names[0] if names else 0,
            handle=handles[0] if handles else 0,
            more=" ".join(stored(kind, one) for kind, some in more for one in some),
        )


def name_key(whole: str) -> int:
    """A whole name's number of 64 bits (`search.terms.whole` gives it in hex), never 0."""
    return int(whole, 16) or 1


def handle_key(handle: str) -> int:
    """The same of a handle."""
    return int.from_bytes(blake2b(handle.encode(), digest_size=8).digest(), "big") or 1


def bucket(kind: str, number: int) -> str:
    """The term that a name or handle is found under, with few others."""
    return f"{kind}{number % BUCKETS:x}"


def id_bucket(document: int) -> str:
    """The term that a document is found under by its id."""
    return f"i{document >> TOGETHER:x}"


def stored(kind: str, number: int) -> str:
    """A name or handle among a document's further ones."""
    return f"{kind}{number:x}"
