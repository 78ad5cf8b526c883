"""Opt-outs in force, read into what the rule asks for, with the permissions that say where they may show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from byline.formats.selectors import fingerprint
from registry.contributors import withheld
from registry.contributors.sealed import ERASED
from registry.contributors.withheld import Blind, item_keys, known_as, read_blinds
from registry.models import Contributor, ContributorCount, Manifest, OptOut, OptOutScope, OptOutSelector
from registry.optouts.pieces import select_in
from registry.optouts.sources import SOURCE_STATES

ITEM_KINDS = frozenset({"photo", "url", "sha256"})
MAKER_KINDS = ("maker", "name", "id")
BLINDED_KINDS = ITEM_KINDS | {"host"}
WITHHELD = withheld.KIND
KEPT_KINDS = ITEM_KINDS | {WITHHELD}
"""Those with item keys of their own; `withheld`: keys in versions whose rows are digests, kept when their text was erased."""


@dataclass(frozen=True)
class Wish:
    """What one opt-out points at: roots of makers, item keys, hosts."""

    makers: frozenset[int]
    items: frozenset[int]
    hosts: frozenset[str]


@dataclass(frozen=True)
class Asked:
    """One opt-out in force.

    `datasets` is None where it holds for all; `handles` are the contributors it reaches.
    """

    id: str
    wish: Wish
    datasets: frozenset[int] | None
    handles: frozenset[int]
    assurance: str
    may_be_fingerprint: bool
    listed_hosts: frozenset[int]

    def targets(self, dataset_id: int) -> bool:
        """Whether it is about this dataset."""
        return self.datasets is None or dataset_id in self.datasets


@dataclass(frozen=True)
class Handle:
    """A contributor as the matcher needs it."""

    id: int
    key: str
    root: int
    kind: str


@dataclass(frozen=True)
class Wishes:
    """A batch of opt-outs and every handle they reach; `blinds`: the versions whose rows are digests."""

    asked: tuple[Asked, ...]
    handles: Mapping[int, Handle]
    blinds: tuple[Blind, ...] = ()

    @property
    def item_keys(self) -> frozenset[int]:
        """Every item any of them points at."""
        return frozenset().union(*(one.wish.items for one in self.asked))

    @property
    def hosts(self) -> frozenset[str]:
        """Every host any of them points at."""
        return frozenset().union(*(one.wish.hosts for one in self.asked))


def read_wishes(session: Session, ids: Collection[str]) -> Wishes:
    """Those of `ids` that are in force."""
    opt_outs = [
        row[0] for row in select_in(session, select(OptOut).where(OptOut.state == "in-force"), OptOut.id, ids)
    ]
    standing = {one.id for one in opt_outs}
    selectors, scopes = _selectors(session, standing), _scopes(session, standing)
    roots = _roots(session, {key for found in selectors.values() for key in _keys(found)})
    sealed = _sealed_roots(session, {k for found in selectors.values() for k in _erased(found)})
    handles = _handles(session, set(roots.values()) | {one for some in sealed.values() for one in some})
    by_root: dict[int, set[int]] = defaultdict(set)
    for handle in handles.values():
        by_root[handle.root].add(handle.id)
    blinds = read_blinds(session, Manifest.state.in_(SOURCE_STATES))
    named = {key for found in selectors.values() for key in _keys(found)}
    behind = known_as(session, blinds, named | {each.key for each in handles.values()})
    asked = []
    for one in opt_outs:
        found = selectors[one.id]
        wish = _wish(found, roots, sealed)
        if blinds:
            theirs = {handles[each].key for root in wish.makers for each in by_root[root]} | set(_keys(found))
            digests = {each for key in theirs for each in behind.get(key, ())}
            by_root.update((each, {each}) for each in digests)
            wish = replace(wish, makers=wish.makers | digests, items=wish.items | _behind(blinds, found))
        asked.append(
            Asked(
                id=one.id,
                wish=wish,
                datasets=frozenset(scopes[one.id]) if one.scope != "all" or one.relation != "maker" else None,
                handles=frozenset(handle for root in wish.makers for handle in by_root[root]),
                assurance=one.assurance,
                may_be_fingerprint=may_be_fingerprint(one),
                listed_hosts=_host_keys(found) if one.listed and may_be_fingerprint(one) else frozenset(),
            )
        )
    of_digests = {each: Handle(each, key, each, WITHHELD) for key, some in behind.items() for each in some}
    return Wishes(tuple(asked), {**handles, **of_digests}, tuple(blinds))


def own_rows(session: Session, wishes: Wishes) -> dict[str, int]:
    """How many rows of record indexes name each opt-out's makers themselves."""
    columns = select(ContributorCount.contributor_id, ContributorCount.entries)
    rows: dict[int, int] = defaultdict(int)
    for row in select_in(session, columns, ContributorCount.contributor_id, wishes.handles):
        rows[row.contributor_id] += row.entries
    return {one.id: sum(rows[handle] for handle in one.handles) for one in wishes.asked}


def may_be_fingerprint(one: OptOut) -> bool:
    """Only a verified maker who asked everybody, and in public, is in the key feed (design section 5)."""
    return (
        one.assurance == "verified"
        and one.relation == "maker"
        and one.scope == "all"
        and not one.publisher_only
    )


def maker_key(kind: str, value: str) -> str | None:
    """The contributor key a selector names, if it names one."""
    if kind == "maker":
        return value
    return f"{kind}:{value}" if kind in {"name", "id"} else None


def selector_item_keys(kind: str, value: str) -> tuple[int, ...]:
    """The item keys of rows that show a selector's item; a photo may also stand beside another."""
    if kind == "photo":
        return fingerprint("photo", value), fingerprint("photo2", value)
    return (fingerprint(kind, value),)


def _keys(selectors: Iterable[OptOutSelector]) -> list[str]:
    keys = (maker_key(one.kind, one.value) for one in selectors if not one.value.startswith(ERASED))
    return [key for key in keys if key is not None]


def _erased(selectors: Iterable[OptOutSelector]) -> set[int]:
    """The sealed numbers of makers whose names are gone."""
    return {one.k for one in selectors if one.kind in MAKER_KINDS and one.value.startswith(ERASED)}


def _host_keys(selectors: Iterable[OptOutSelector]) -> frozenset[int]:
    """What hosts are listed as: that stays when their name is gone, as the feed says it."""
    hosts = [one for one in selectors if one.kind == "host"]
    named = {fingerprint("h", one.value) for one in hosts if not one.value.startswith(ERASED)}
    return frozenset(named | {one.k_beside for one in hosts if one.k_beside is not None})


def _wish(
    selectors: Collection[OptOutSelector], roots: Mapping[str, int], sealed: Mapping[int, set[int]]
) -> Wish:
    keys = _keys(selectors)
    erased = {root for k in _erased(selectors) for root in sealed.get(k, ())}
    return Wish(
        makers=frozenset(roots[key] for key in keys if key in roots) | erased,
        # As they were kept, not made again from the text: that of an erased person is gone.
        items=frozenset(
            k for s in selectors if s.kind in KEPT_KINDS for k in (s.k, s.k_beside) if k is not None
        ),
        hosts=frozenset(s.value for s in selectors if s.kind == "host"),
    )


def _behind(blinds: Collection[Blind], selectors: Iterable[OptOutSelector]) -> frozenset[int]:
    """The item keys of these items and hosts in rows that are digests. Of an erased person's text only what was kept is left."""
    return frozenset(
        k
        for one in selectors
        if one.kind in BLINDED_KINDS and not one.value.startswith(ERASED)
        for k in item_keys(blinds, one.kind, one.value)
    )


def _selectors(session: Session, ids: Collection[str]) -> dict[str, list[OptOutSelector]]:
    found: dict[str, list[OptOutSelector]] = defaultdict(list)
    for (selector,) in select_in(session, select(OptOutSelector), OptOutSelector.opt_out_id, ids):
        found[selector.opt_out_id].append(selector)
    return found


def _scopes(session: Session, ids: Collection[str]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    statement = select(OptOutScope.opt_out_id, OptOutScope.dataset_id)
    for opt_out_id, dataset_id in select_in(session, statement, OptOutScope.opt_out_id, ids):
        found[opt_out_id].add(dataset_id)
    return found


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
