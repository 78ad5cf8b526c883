"""One maker: who, in what, and which records."""

from __future__ import annotations

import base64
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from byline.errors import NotFound, Refused
from registry.contributors.entries import ALL, as_public, rows_of_runs
from registry.contributors.people import flushed, read_people, shown_twice
from registry.contributors.views import described
from registry.contributors.visible import named, newest_first, versions
from registry.models import Contributor, ContributorCount, Dataset, Manifest, Publisher
from registry.storage import ObjectStore

MOST_PAGE = 100
_ROOT = select(Contributor.root_id).where(Contributor.public_id == bindparam("public_id"))


def contributor(session: Session, public_id: str) -> dict[str, Any]:
    """Give `{"contributor", "handles", "records", "datasets"}`; a handle answers for all it is linked to.

    NotFound("no-such-contributor") for who is unknown, or named by nothing that is published.
    """
    root = _root(session, public_id)
    people = read_people(session, [root])
    shown = described(session, people, hidden_too=True).get(root)
    if shown is None:
        raise _nobody(public_id)
    handles = [
        {"key": each.key, "kind": each.kind, "platform": each.platform} for each in people[root].members
    ]
    return shown | {"handles": handles}


def contributor_records(
    session: Session,
    *,
    store: ObjectStore,
    public_id: str,
    dataset: str,
    version: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
    shown: str = ALL,
) -> dict[str, Any]:
    """Give a page of a maker's rows in one dataset, in the order of its record index.

    Without `version`: of the newest published one that holds them. `shown`: of which datasets' rows file, row and
    address are named (the setting `rows_shown`). NotFound("no-such-contributor"), ("no-records").
    """
    root = _root(session, public_id)
    manifest = _version(session, root, dataset, version)
    runs = _runs(session, root, manifest.id)
    start = _read_cursor(cursor)
    size = max(1, min(limit, MOST_PAGE))
    ranges, left = _cut(runs, start, size)
    label = {"dataset": dataset, "version": manifest.version}
    rows = rows_of_runs(session, store, manifest=(manifest.id, manifest.digest), ranges=ranges)
    if start and shown_twice(session, root, manifest.id):
        before = rows_of_runs(
            session, store, manifest=(manifest.id, manifest.digest), ranges=_cut(runs, 0, start)[0]
        )
        told = {(row["file"], row["row"]) for row in before}
        rows = [row for row in rows if (row["file"], row["row"]) not in told]
    items = [label | row for row in as_public(rows, manifest, shown=shown)]
    return {"items": items, "next": _write_cursor(start + size) if left else None}


def _root(session: Session, public_id: str) -> int:
    found = flushed(session).scalar(_ROOT, {"public_id": public_id})
    if found is None:
        raise _nobody(public_id)
    return found


def _nobody(public_id: str) -> NotFound:
    return NotFound("no-such-contributor", "no registered dataset names this maker", at=public_id[:64])


def _version(session: Session, root: int, dataset: str, version: str | None) -> Manifest:
    slug, _, name = dataset.partition("/")
    held = (
        select(ContributorCount.manifest_id)
        .join(Contributor, Contributor.id == ContributorCount.contributor_id)
        .where(Contributor.root_id == root)
    )
    statement = versions().where(named(), Publisher.slug == slug, Dataset.name == name, Manifest.id.in_(held))
    if version is not None:
        statement = statement.where(Manifest.version == version)
    found = session.scalars(statement.with_only_columns(Manifest)).all()
    if not found:
        raise NotFound("no-records", f"{dataset} names no records of this maker", at="dataset")
    return max(found, key=newest_first)


def _runs(session: Session, root: int, manifest_id: int) -> list[tuple[int, int]]:
    statement = (
        select(ContributorCount.start, ContributorCount.entries)
        .join(Contributor, Contributor.id == ContributorCount.contributor_id)
        .where(Contributor.root_id == root, ContributorCount.manifest_id == manifest_id)
        .order_by(ContributorCount.start)
    )
    return list(session.execute(statement))


def _cut(runs: list[tuple[int, int]], skip: int, size: int) -> tuple[list[tuple[int, int]], bool]:
    """The parts of `runs` that `size` entries after `skip` lie in, and whether anything is left."""
    left = sum(entries for _, entries in runs) > skip + size
    parts: list[tuple[int, int]] = []
    for start, entries in runs:
        taken = min(max(entries - skip, 0), size)
        if taken:
            parts.append((start + skip, taken))
        skip = max(skip - entries, 0)
        size -= taken
    return parts, left


def _write_cursor(at: int) -> str:
    return base64.urlsafe_b64encode(str(at).encode()).decode().rstrip("=")


def _read_cursor(cursor: str | None) -> int:
    if not cursor:
        return 0
    try:
        at = int(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError as error:
        raise Refused(
            "bad-cursor", "this cursor was not given out here; begin without one", at="cursor"
        ) from error
    if not 0 <= at < 2**62:
        raise Refused("bad-cursor", "this cursor was not given out here; begin without one", at="cursor")
    return at
