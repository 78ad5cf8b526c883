"""Whom and what selectors mean: roots of makers by every way they are known here, item keys, hosts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from byline.formats.selectors import fingerprint
from registry.contributors import withheld
from registry.contributors.sealed import ERASED
from registry.contributors.withheld import Blind, item_keys, known_as, read_blinds
from registry.models import Contributor, Manifest, OptOutSelector
from registry.optouts.pieces import select_in
from registry.optouts.sources import SOURCE_STATES

MAKER_KINDS = ("maker", "name", "id")
ITEM_KINDS = frozenset({"photo", "url", "sha256"})
BLINDED_KINDS = ITEM_KINDS | {"host"}
WITHHELD = withheld.KIND
KEPT_KINDS = ITEM_KINDS | {WITHHELD}
"""Those with item keys of their own; `withheld`: keys in versions whose rows are digests, kept when their text was erased."""
Selectors = Collection[OptOutSelector]


@dataclass(frozen=True)
class Wish:
    """What one opt-out points at: roots of makers, item keys, hosts."""

    makers: frozenset[int]
    items: frozenset[int]
    hosts: frozenset[str]


@dataclass(frozen=True)
class Handle:
    """A contributor as the matcher needs it."""

    id: int
    key: str
    root: int
    kind: str


@dataclass(frozen=True)
class Meant:
    """What is known of the makers of some selectors.

    `roots`: by contributor key, `sealed`: by the number that is left of an erased person's. `handles`: all that are linked with
    them, by id; `behind`: key -> contributors that are it behind a digest, in the versions of `blinds`.
    """

    roots: Mapping[str, int]
    sealed: Mapping[int, set[int]]
    handles: Mapping[int, Handle]
    blinds: tuple[Blind, ...]
    behind: Mapping[str, set[int]]

    def wish(self, selectors: Selectors) -> Wish:
        """What these point at."""
        named = _keys(selectors)
        makers = {self.roots[key] for key in named if key in self.roots}
        makers |= {root for k in _erased(selectors) for root in self.sealed.get(k, ())}
        return Wish(
            makers=frozenset(makers | self._digests(makers, named)),
            items=_kept_items(selectors) | _items_behind(self.blinds, selectors),
            hosts=frozenset(one.value for one in selectors if one.kind == "host"),
        )

    def _digests(self, makers: set[int], named: list[str]) -> set[int]:
        """The same makers behind digests, by each of their handles."""
        if not self.behind:
            return set()
        linked = (one.key for one in self.handles.values() if one.root in makers)
        return {one for key in (*named, *linked) for one in self.behind.get(key, ())}


def read_meant(session: Session, selectors: Selectors) -> Meant:
    """Look them all up at once."""
    keys = set(_keys(selectors))
    roots, sealed = _roots(session, keys), _sealed_roots(session, _erased(selectors))
    handles = _handles(session, set(roots.values()) | {one for some in sealed.values() for one in some})
    blinds = read_blinds(session, Manifest.state.in_(SOURCE_STATES))
    behind = known_as(session, blinds, keys | {each.key for each in handles.values()})
    of_digests = {each: Handle(each, key, each, WITHHELD) for key, some in behind.items() for each in some}
    return Meant(roots, sealed, handles | of_digests, tuple(blinds), behind)


def maker_key(kind: str, value: str) -> str | None:
    """The contributor key a selector names, if it names one."""
    if kind == "maker":
        return value
    return f"{kind}:{value}" if kind in {"name", "id"} else None


def host_keys(selectors: Selectors) -> frozenset[int]:
    """What hosts are listed as: that stays when their name is gone, as the feed says it."""
    hosts = [one for one in selectors if one.kind == "host"]
    named = {fingerprint("h", one.value) for one in hosts if not one.value.startswith(ERASED)}
    return frozenset(named | {one.k_beside for one in hosts if one.k_beside is not None})


def _keys(selectors: Iterable[OptOutSelector]) -> list[str]:
    keys = (maker_key(one.kind, one.value) for one in selectors if not one.value.startswith(ERASED))
    return [key for key in keys if key is not None]


def _erased(selectors: Iterable[OptOutSelector]) -> set[int]:
    """The sealed numbers of makers whose names are gone."""
    return {one.k for one in selectors if one.kind in MAKER_KINDS and one.value.startswith(ERASED)}


def _kept_items(selectors: Selectors) -> frozenset[int]:
    """As they were kept, not made again from the text: that of an erased person is gone."""
    kept = [one for one in selectors if one.kind in KEPT_KINDS]
    return frozenset(k for one in kept for k in (one.k, one.k_beside) if k is not None)


def _items_behind(blinds: Collection[Blind], selectors: Selectors) -> frozenset[int]:
    """The same in rows that are digests, and those of hosts; of an erased person's text only what was kept is left."""
    there = [one for one in selectors if one.kind in BLINDED_KINDS and not one.value.startswith(ERASED)]
    return frozenset(k for one in there for k in item_keys(blinds, one.kind, one.value))


def _roots(session: Session, keys: Collection[str]) -> dict[str, int]:
    statement = select(Contributor.key, Contributor.root_id)
    return {row.key: row.root_id for row in select_in(session, statement, Contributor.key, keys)}


def _sealed_roots(session: Session, ks: Collection[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    statement = select(Contributor.sealed, Contributor.root_id)
    for row in select_in(session, statement, Contributor.sealed, ks):
        found[row.sealed].add(row.root_id)
    return found


def _handles(session: Session, roots: Collection[int]) -> dict[int, Handle]:
    statement = select(Contributor.id, Contributor.key, Contributor.root_id, Contributor.kind)
    return {
        row.id: Handle(row.id, row.key, row.root_id, row.kind)
        for row in select_in(session, statement, Contributor.root_id, roots)
    }
