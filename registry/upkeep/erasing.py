"""A name taken out of what the registry holds of datasets, for good: record indexes lose it, their extracts go whole.

An extract that lost anything is no more what was signed, so nothing could be made from it again: it is deleted, and the
record index, which holds all that is looked up, is what a rebuild reads from then on. Manifests and the log hold no names
of makers. Rows go on being suppressed by their pages and addresses.

Of each version, in this order: the new index is laid beside the old one; one transaction commits its digest and the
tombstone; it takes the old one's place; the extract goes. Killed before the commit nothing has changed; after it, `finish`
does the rest, which every rebuild begins with.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import select
from sqlalchemy.orm import Session

from byline.errors import NotFound, Refused
from byline.formats.selectors import contributor_kind
from registry.config import Settings
from registry.contributors.deciding import one_with
from registry.contributors.meant import account_meant
from registry.database import Sessions, transaction
from registry.models import Manifest, OperatorAct, Tombstone
from registry.publishing.arrival import scratch
from registry.publishing.records import drop_extract
from registry.storage import ObjectStore, open_object
from registry.storage.record_index import index_key, row_group
from registry.upkeep.staged import settle, stage
from registry.upkeep.versions import HELD

WORDS = ("creator_name", "title")
_ROWS = 65_536


@dataclass(frozen=True)
class Decision:
    """Who had a name erased, why, and when."""

    who: str
    why: str
    at: dt.datetime


@dataclass(frozen=True)
class Erased:
    """In how many versions, and how many entries of their indexes."""

    versions: int
    entries: int


@dataclass(frozen=True)
class Whose:
    """Whose entries lose name and title: those credited to a name, or those of an account's handles."""

    name: str | None = None
    makers: frozenset[str] = frozenset()


def whose(session: Session, text: str) -> Whose:
    """Whom an operator's words mean. Refused("no-name", "not-a-maker")."""
    if not _plain(text):
        raise Refused(
            "no-name",
            "say the name as the datasets spell it (case and spaces do not matter), or the account",
        )
    account = account_meant(text)
    return Whose(name=text) if account is None else Whose(makers=frozenset(one_with(session, account)))


def erase_name(
    text: str, *, sessions: Sessions, store: ObjectStore, settings: Settings, decided: Decision
) -> Erased:
    """Take a maker's name out of every version; a rebuild must follow. `text`: the name, or an account of theirs.

    Refused("no-name", "not-a-maker").
    """
    with sessions() as session:
        meant = whose(session, text)
    finish(sessions, store)
    with sessions() as session:
        rows = session.execute(
            select(Manifest.id, Manifest.digest).where(Manifest.state.in_(HELD)).order_by(Manifest.id)
        ).all()
    versions = entries = 0
    for row in rows:
        with scratch(settings, f"erase-{row.id}") as folder:
            found = _without(store, row.digest, meant, folder / "index.parquet")
            if found:
                _lay_down(sessions, store, row.digest, folder / "index.parquet", decided)
                versions, entries = versions + 1, entries + found
    finish(sessions, store)
    return Erased(versions, entries)


def finish(sessions: Sessions, store: ObjectStore) -> None:
    """Do what is left of erasures that were committed; forget those that were not."""
    settle(sessions, store)
    for digest in erased(sessions):
        drop_extract(store, digest)


def erased(sessions: Sessions) -> set[str]:
    """Versions that lost a name: they have no extract any more."""
    with sessions() as session:
        gone = select(Manifest.digest).join(Tombstone, Tombstone.subject == Manifest.digest)
        return set(session.scalars(gone.where(Tombstone.kind == "erased")))


def _lay_down(sessions: Sessions, store: ObjectStore, digest: str, index: Path, decided: Decision) -> None:
    sha256 = stage(store, digest, index)
    with transaction(sessions) as session:
        manifest = session.scalars(select(Manifest).where(Manifest.digest == digest)).one()
        manifest.index_sha256 = sha256
        if session.get(Tombstone, ("erased", digest)) is None:
            session.add(Tombstone(kind="erased", subject=digest, made_at=decided.at))
        session.add(
            OperatorAct(
                who=decided.who[:100],
                what="name-erase",
                subject=digest,
                why=decided.why[:1000],
                at=decided.at,
            )
        )


def _without(store: ObjectStore, digest: str, meant: Whose, to: Path) -> int:
    """Write the index without the name; how many entries had it. 0 where there is no index: a rebuild tells of that."""
    found = 0
    with suppress(NotFound), open_object(store, index_key(digest)) as source, pq.ParquetFile(source) as file:
        size = row_group(file.metadata.num_rows)
        with pq.ParquetWriter(to, file.schema_arrow, compression="zstd") as writer:
            for table, theirs in _batches(file, meant, size):
                found += theirs
                writer.write_table(table, row_group_size=size)
    return found


def _batches(file: pq.ParquetFile, meant: Whose, size: int) -> Iterator[tuple[pa.Table, int]]:
    """Some row groups' worth of rows at a time, their rows blanked, with how many they were."""
    for batch in file.iter_batches(batch_size=max(1, _ROWS // size) * size):
        table = pa.Table.from_batches([batch])
        theirs = _theirs(table, meant)
        yield _blank(table, theirs), pc.sum(theirs).as_py() or 0


def _blank(table: pa.Table, theirs: pa.ChunkedArray) -> pa.Table:
    by_name = pc.and_(theirs, _each(table["contributor"], lambda key: contributor_kind(key)[0] == "name"))
    for column, where in (*((one, theirs) for one in WORDS), ("contributor", by_name)):
        at = table.schema.get_field_index(column)
        nothing = pa.scalar(None, table.schema.field(column).type)
        table = table.set_column(at, table.schema.field(column), pc.if_else(where, nothing, table[column]))
    return table


def _theirs(table: pa.Table, meant: Whose) -> pa.ChunkedArray:
    if meant.name is None:
        return _each(table["contributor"], meant.makers.__contains__)
    return _is_name(table["creator_name"], meant.name)


def _is_name(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    wanted = _plain(name)
    return _each(column, lambda text: _plain(text) == wanted)


def _each(column: pa.ChunkedArray, is_it: Callable[[str], bool]) -> pa.ChunkedArray:
    """Asked of each distinct text once; nothing is not it."""
    texts = [one for one in pc.unique(column).to_pylist() if one is not None]
    return pc.is_in(column, value_set=pa.array([one for one in texts if is_it(one)], column.type))


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
