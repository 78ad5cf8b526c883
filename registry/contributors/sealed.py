"""Accounts and hosts by keyed digest: what is left of them in the wish of a person who was erased, found again by who has the seal.

The digests are HMAC-SHA-256 under a key that is not in the database (registry.seal); their first 60 bits stand as a number.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session

from registry.seal import Seal

SEAL = "seal"
"""Under this name the sessions of an open registry carry its seal (`Session.info`)."""
ERASED = "erased:"
"""Before the keyed digest that a text became when its person was erased."""


def seal_of(session: Session) -> Seal:
    """The registry's own."""
    found: Seal = session.info[SEAL]
    return found


def sealed_maker(seal: Seal, key: str) -> int:
    """The number a contributor key has under the seal."""
    return int(seal.digest(f"maker:{key}")[:15], 16)


def sealed_host(seal: Seal, host: str) -> int:
    """The number of a host under the seal."""
    return int(seal.digest(f"host:{host}")[:15], 16)


def erased_host(k: int) -> str:
    """What stands in place of a host's name."""
    return f"{ERASED}{k:015x}"


@dataclass(frozen=True)
class Hosts(Collection[str]):
    """Hosts that are wished for, by name or (of an erased person) by what stands in its place: None where nobody was."""

    wished: frozenset[str]
    known_as: Callable[[str], str] | None

    def __contains__(self, host: object) -> bool:
        """Whether it is one of them."""
        return host in self.wished or (
            isinstance(host, str) and self.known_as is not None and self.known_as(host) in self.wished
        )

    def __iter__(self) -> Iterator[str]:
        """As they stand."""
        return iter(self.wished)

    def __len__(self) -> int:
        """How many."""
        return len(self.wished)


def hosts_of(session: Session, wished: Collection[str]) -> Hosts:
    """The hosts of standing wishes, for `in`."""
    if not any(one.startswith(ERASED) for one in wished):
        return Hosts(frozenset(wished), None)
    seal = seal_of(session)
    return Hosts(frozenset(wished), lambda host: erased_host(sealed_host(seal, host)))
