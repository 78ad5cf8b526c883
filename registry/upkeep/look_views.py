"""Views against each other: record index, item keys, counts, search and suggestions; the feed's files against their heads."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Engine, Row, func, select, text
from sqlalchemy.orm import Session

from byline.errors import BylineError
from byline.formats.feedhead import noted
from registry.contributors import indexing
from registry.contributors.visible import named
from registry.database import Sessions
from registry.feed.head import FILES, NOTE, ROOT, read_note
from registry.feed.remade import last_head, look
from registry.models import Contributor, ContributorCount, Dataset, FeedHead, Follower, Manifest, Suggestion
from registry.moving.objects import sha256_of
from registry.storage import ObjectStore
from registry.storage.record_index import index_key, scan_entries
from registry.tlog.sequence import last_number
from registry.upkeep.findings import Finding, Findings
from registry.upkeep.versions import HELD
from search import SearchEngine

MOST = 100
_KEYS = "SELECT manifest_id, count(*) AS n, sum(position) AS at FROM item_key GROUP BY manifest_id"


@dataclass(frozen=True)
class Sum:
    """How many keys of a version, and the sum of the positions they stand at."""

    count: int
    positions: int


def look_at_rows(sessions: Sessions, items: Engine, store: ObjectStore) -> Findings:
    """What the tables and the item keys say of each record index. One that is damaged is told of elsewhere."""
    with items.connect() as connection:
        keys = {row.manifest_id: Sum(row.n, int(row.at)) for row in connection.execute(text(_KEYS))}
    with sessions() as session:
        counted = _counted(session)
        versions = session.scalars(
            select(Manifest).where(Manifest.state.in_(HELD)).order_by(Manifest.id)
        ).all()
    for version in versions:
        standing, makers = keys.pop(version.id, Sum(0, 0)), counted.get(version.id, (0, 0))
        if not _whole(store, version):
            continue
        entries, attributed, wanted = _sum(store, version)
        if (makers[0], makers[1]) != (version.contributors, attributed):
            message = f"{makers[0]} makers with {makers[1]} entries are counted, the record index has {attributed} of {entries}"
            yield Finding("counts-wrong", version.digest, message, rebuild=True)
        if standing != wanted:
            message = (
                f"{standing.count} item keys stand for this version, its record index has {wanted.count}"
            )
            yield Finding("keys-wrong", version.digest, message, rebuild=True)
    for manifest_id in sorted(keys):
        yield Finding(
            "keys-unknown", f"item_key {manifest_id}", "item keys of a version that has none", rebuild=True
        )


def _counted(session: Session) -> dict[int, tuple[int, int]]:
    rows: list[Row[int, int, int]] = list(
        session.execute(
            select(ContributorCount.manifest_id, func.count(), func.sum(ContributorCount.entries)).group_by(
                ContributorCount.manifest_id
            )
        ).all()
    )
    return {manifest_id: (makers, int(entries)) for manifest_id, makers, entries in rows}


def _whole(store: ObjectStore, version: Manifest) -> bool:
    """Nothing that is not ours is parsed."""
    try:
        return sha256_of(store, index_key(version.digest)) == version.index_sha256
    except BylineError:
        return False


def _sum(store: ObjectStore, version: Manifest) -> tuple[int, int, Sum]:
    """Entries, those with a maker, and the keys there should be (the photo or URL, each of several photos, the file).

    Of rows that are digests, each of the hosts they lie at, too.
    """
    columns = ("contributor", "k", "photos", "sha256", *(("landing_url",) if version.withheld_sha256 else ()))
    entries = attributed = count = positions = 0
    for table in scan_entries(store, version.digest, columns):
        entries += table.num_rows
        attributed += table.num_rows - table["contributor"].null_count
        several = pc.fill_null(pc.list_value_length(table["photos"]), 0)
        each = pc.add(
            pc.add(pc.cast(pc.is_valid(table["k"]), "int64"), pc.cast(pc.is_valid(table["sha256"]), "int64")),
            pc.cast(several, "int64"),
        )
        count += pc.sum(each).as_py() or 0
        positions += pc.sum(pc.multiply(each, table["position"])).as_py() or 0
        if version.withheld_sha256:
            hosts = _hosts(table)
            count += len(hosts)
            positions += pc.sum(hosts).as_py() or 0
    return entries, attributed, Sum(count, positions)


def _hosts(table: pa.Table) -> pa.ChunkedArray:
    """The position of each host of each row, a host that stands twice in a row once."""
    some = table.filter(table["landing_url"].is_valid())
    hosts = pc.split_pattern(some["landing_url"], " ").combine_chunks()
    places = pa.table(
        {"position": some["position"].take(pc.list_parent_indices(hosts)), "host": hosts.flatten()}
    )
    return places.group_by(["position", "host"]).aggregate([])["position"]


def look_at_search(sessions: Sessions, engine: SearchEngine) -> Findings:
    """Whoever has a name that may be shown stands in search and suggestions, and nobody else."""
    with sessions() as session:
        follower = session.scalar(select(Follower.number).where(Follower.name == indexing.NAME)) or 0
        if follower < last_number(session) or engine.position() < follower:
            yield Finding(
                "search-behind", "search", "the index has not seen every act; a worker brings it up to date"
            )
            return
        shown, suggested = _shown(session), set(session.scalars(select(Suggestion.contributor_id).distinct()))
        for root in sorted(shown ^ suggested)[:MOST]:
            word = "is suggested and should not be" if root in suggested else "should be suggested and is not"
            public_id = session.scalar(select(Contributor.public_id).where(Contributor.id == root)) or str(
                root
            )
            yield Finding("suggestions-wrong", public_id, f"this maker {word}", rebuild=True)
    if engine.count() != len(shown):
        message = f"the index has {engine.count()} makers, the tables have {len(shown)}"
        yield Finding("search-wrong", "search", message, rebuild=True)


def _shown(session: Session) -> set[int]:
    """Roots with something published under a name, none of whose handles is hidden."""
    members: defaultdict[int, list[bool]] = defaultdict(list)
    for root, hidden in session.execute(select(Contributor.root_id, Contributor.hidden)):
        members[root].append(hidden)
    held = (
        select(Contributor.root_id)
        .join(ContributorCount, ContributorCount.contributor_id == Contributor.id)
        .join(Manifest, Manifest.id == ContributorCount.manifest_id)
        .join(Dataset, Dataset.id == Manifest.dataset_id)
        .where(named(), ContributorCount.records > 0)
        .distinct()
    )
    return {root for root in session.scalars(held) if not any(members[root])}


def look_at_feed(sessions: Sessions, store: ObjectStore, *, vkey: str) -> Findings:
    """Heads without a gap, each head's own file, all that the last one leads to, and the note that signs it."""
    with sessions() as session:
        last = last_head(session)
        heads = session.execute(select(FeedHead.seq, FeedHead.sha256).order_by(FeedHead.seq)).all()
    if last is None:
        return
    if [row.seq for row in heads] != list(range(1, len(heads) + 1)):
        yield Finding("feed-gap", "feed_head", f"{len(heads)} heads are known, the last is number {last.seq}")
    there = set(store.list(f"{ROOT}/{FILES}/"))
    for row in heads:
        if f"{ROOT}/{FILES}/{row.sha256}.json" not in there:
            yield Finding(
                "feed-file-lost", f"{FILES}/{row.sha256}.json", f"head {row.seq} of the feed is lost"
            )
    for path in sorted(look(store, last.sha256).lost):
        yield Finding("feed-file-wrong", path, "this file of the feed is lost or damaged", rebuild=True)
    yield from _note(store, last, vkey)


def _note(store: ObjectStore, last: FeedHead, vkey: str) -> Findings:
    signed = read_note(store)
    try:
        if signed is None or noted(signed, vkey) != last.sha256:
            yield Finding(
                "feed-note-wrong", NOTE, f"head {last.seq} is not the one that is published", rebuild=True
            )
    except BylineError as error:
        yield Finding("feed-note-wrong", NOTE, error.message, rebuild=True)
