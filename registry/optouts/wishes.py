"""Opt-outs in force, read into what the rule asks for, with the permissions that say where they may show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from registry.contributors.withheld import Blind
from registry.models import ContributorCount, OptOut, OptOutScope, OptOutSelector
from registry.optouts.meant import Handle, Wish, host_keys, read_meant
from registry.optouts.pieces import select_in

IN_FORCE = "in-force"


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
    known = [one for (one,) in select_in(session, select(OptOut), OptOut.id, ids)]
    opt_outs = [one for one in known if one.state == IN_FORCE]
    standing = {one.id for one in opt_outs}
    selectors, scopes = _selectors(session, standing), _scopes(session, standing)
    meant = read_meant(session, [each for some in selectors.values() for each in some])
    by_root: dict[int, set[int]] = defaultdict(set)
    for handle in meant.handles.values():
        by_root[handle.root].add(handle.id)
    asked = []
    for one in opt_outs:
        wish, listed = meant.wish(selectors[one.id]), one.listed and may_be_fingerprint(one)
        asked.append(
            Asked(
                id=one.id,
                wish=wish,
                datasets=frozenset(scopes[one.id]) if one.scope != "all" or one.relation != "maker" else None,
                handles=frozenset(handle for root in wish.makers for handle in by_root[root]),
                assurance=one.assurance,
                may_be_fingerprint=may_be_fingerprint(one),
                listed_hosts=host_keys(selectors[one.id]) if listed else frozenset(),
            )
        )
    return Wishes(tuple(asked), meant.handles, meant.blinds)


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
