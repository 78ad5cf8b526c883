"""Who is asked because of what their dataset is said to be made from: the graph of `derived_from`, walked in SQL.

An edge is a publisher's claim: it counts where that publisher is approved and the version that says it stands. It leads
from a version to the versions it fits: those of the named dataset, of the version it names and of the digest it names.
A digest the registry does not hold for that version fits nothing. A version that was never registered here, named
without a digest, fits every version of its dataset: nobody can say which it was.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, and_, bindparam, exists, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from registry.models import Dataset, DerivedFrom, Manifest, Match, Notice, OptOut, Publisher
from registry.optouts.pieces import pieces, select_in
from registry.optouts.sources import TARGET_STATES

DEEPEST = 32
"""Steps from a dataset with rows to one that is asked by lineage; what is circular ends here."""
KNOWN_STATES = frozenset({*TARGET_STATES, "retracted", "voided"})


@dataclass
class Descent:
    """One dataset made from others that hold rows: the nearest of them, and the versions that say so, oldest first."""

    dataset: str
    parent_id: int
    depth: int
    versions: list[str] = field(default_factory=list)
    observed: bool = True


def descendants(session: Session, opt_outs: Collection[str]) -> dict[str, dict[int, Descent]]:
    """Of each opt-out every dataset without its rows that is made, by whatever steps, from one with rows.

    One statement for all of them. Only by versions with rows that name no maker: where every row names one, it was read,
    and holds none of theirs. Of several parents it is the nearest, then the one that was registered first.
    """
    if not opt_outs:
        return {}
    rows = session.execute(_nearest(), {"opt_outs": sorted(opt_outs)}).all()
    direct = {(row.opt_out_id, row.dataset_id) for row in rows if row.depth == 0}
    found: dict[str, dict[int, Descent]] = defaultdict(dict)
    for row in rows:
        if row.unattributed == 0 or (row.opt_out_id, row.dataset_id) in direct:
            continue
        one = found[row.opt_out_id].setdefault(
            row.dataset_id, Descent(f"{row.slug}/{row.name}", parent_id=row.root_id, depth=row.depth)
        )
        one.depth, one.parent_id = min((one.depth, one.parent_id), (row.depth, row.root_id))
        if row.version not in one.versions:
            one.versions.append(row.version)
        one.observed &= row.role == "observer"
    return found


@functools.cache
def _nearest() -> Select[*tuple[Any, ...]]:
    """Every version that is reached, from each dataset with rows, with the fewest steps; depth 0 are those with rows.

    Built once: that takes longer than most of its runs.
    """
    walk = _walk()
    columns = (
        walk.c.opt_out_id, walk.c.root_id, Manifest.id, Manifest.dataset_id, Manifest.version, Manifest.role,
        Manifest.unattributed, Publisher.slug, Dataset.name,
    )  # fmt: skip
    return (
        select(*columns, func.min(walk.c.depth).label("depth"))
        .join(walk, walk.c.manifest_id == Manifest.id)
        .join(Dataset, Dataset.id == Manifest.dataset_id)
        .join(Publisher, Publisher.id == Dataset.publisher_id)
        .group_by(*columns)
        .order_by(Manifest.id)
    )


def _walk() -> CTE:
    """(opt-out, version, dataset it began at, steps), from the versions with rows of `opt_outs` on."""
    parent, child = aliased(Manifest), aliased(Manifest)
    of, by = aliased(Dataset), aliased(Publisher)
    walk = (
        select(
            Match.opt_out_id,
            Manifest.id.label("manifest_id"),
            Manifest.dataset_id.label("root_id"),
            literal(0).label("depth"),
        )
        .join(Match, Match.manifest_id == Manifest.id)
        .join(Dataset, Dataset.id == Manifest.dataset_id)
        .join(Publisher, Publisher.id == Dataset.publisher_id)
        .where(Match.opt_out_id.in_(bindparam("opt_outs", expanding=True)), *_stands(Manifest, Publisher))
        .cte("walk", recursive=True)
    )
    own, own_by = aliased(Dataset), aliased(Publisher)
    return walk.union(
        select(walk.c.opt_out_id, child.id, walk.c.root_id, walk.c.depth + 1)
        .select_from(walk)
        .join(parent, parent.id == walk.c.manifest_id)
        .join(of, of.id == parent.dataset_id)
        .join(by, by.id == of.publisher_id)
        .join(DerivedFrom, and_(DerivedFrom.dataset == by.slug + "/" + of.name, _fits(parent)))
        .join(child, child.id == DerivedFrom.manifest_id)
        .join(own, own.id == child.dataset_id)
        .join(own_by, own_by.id == own.publisher_id)
        .where(walk.c.depth < DEEPEST, *_stands(child, own_by))
    )


def touched_by(session: Session, manifest: Manifest) -> set[str]:
    """Opt-outs whose notices by lineage a version's coming, going or change of standing may touch.

    Those that ask something of the dataset, where anything is made from it, and of whatever it is made from.
    """
    own = session.execute(
        select(Publisher.slug, Dataset.name)
        .join(Dataset, Dataset.publisher_id == Publisher.id)
        .where(Dataset.id == manifest.dataset_id)
    ).one()
    ancestors = _ancestors(session, manifest.id)
    named = select(DerivedFrom.position).where(DerivedFrom.dataset == f"{own.slug}/{own.name}").limit(1)
    if ancestors or session.scalar(named) is not None:
        ancestors.add(manifest.dataset_id)
    asking = (
        select(Notice.opt_out_id)
        .join(OptOut, OptOut.id == Notice.opt_out_id)
        .where(OptOut.state == "in-force", Notice.state != "withdrawn")
        .distinct()
    )
    return {one for (one,) in select_in(session, asking, Notice.dataset_id, ancestors)}


def _ancestors(session: Session, manifest_id: int) -> set[int]:
    """Datasets a version may be made from, whatever version of them: one look-up a step, however wide the graph."""
    refs = set(session.scalars(select(DerivedFrom.dataset).where(DerivedFrom.manifest_id == manifest_id)))
    found: set[int] = set()
    for _ in range(DEEPEST):
        new = _ids(session, refs) - found
        if not new:
            break
        found |= new
        further = (
            select(DerivedFrom.dataset).join(Manifest, Manifest.id == DerivedFrom.manifest_id).distinct()
        )
        refs = {ref for (ref,) in select_in(session, further, Manifest.dataset_id, new)}
    return found


def _ids(session: Session, refs: Collection[str]) -> set[int]:
    """Of those that are registered."""
    columns = select(Dataset.id).join(Publisher, Publisher.id == Dataset.publisher_id)
    return {
        one
        for piece in pieces(refs)
        for one in session.scalars(
            columns.where(
                tuple_(Publisher.slug, Dataset.name).in_([tuple(ref.split("/", 1)) for ref in piece])
            )
        )
    }


def _stands(manifest: type[Manifest], publisher: type[Publisher]) -> tuple[ColumnElement[bool], ...]:
    return manifest.state.in_(TARGET_STATES), publisher.approved.is_(True), publisher.suspended.is_(False)


def _fits(parent: type[Manifest]) -> ColumnElement[bool]:
    """What an edge names, beside this version of the dataset it names."""
    said = aliased(Manifest)
    registered = exists().where(
        said.dataset_id == parent.dataset_id,
        said.version == DerivedFrom.version,
        said.state.in_(KNOWN_STATES),
    )
    return and_(
        or_(DerivedFrom.digest.is_(None), DerivedFrom.digest == parent.digest),
        or_(
            DerivedFrom.version.is_(None),
            DerivedFrom.version == parent.version,
            and_(DerivedFrom.digest.is_(None), ~registered),
        ),
    )
