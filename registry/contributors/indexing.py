"""The search index and the suggestions keep up with the sequence.

One cursor, kept twice: in the database (`Follower("search")`) and in the index's own commit. The lower one
is where to go on, so a lost index is made again from number 0, and a crash between the two costs a repeat.
An act is only a sign of where to look: documents are made from the tables as they are now, so it does not
matter how often or how late.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Connection, Table, delete, insert, or_, select, tuple_
from sqlalchemy.orm import Session

from registry.ahead import ahead
from registry.contributors.people import Person, read_people
from registry.database import Sessions, transaction
from registry.models import (
    Act,
    AliasLink,
    Contributor,
    ContributorCount,
    Dataset,
    Follower,
    Manifest,
    Publisher,
    Suggestion,
)
from registry.storage.item_index import breathing
from search import Document, Gone, SearchEngine
from search.terms import document_terms

NAME = "search"
PIECE = 1_000  # contributors read, and suggestions written, in one transaction
BULK = 20_000  # contributors in one round from which merging pays
MOST_TOKENS = 64  # of one maker
_Suggested = tuple[str, int, int]  # word, records as a rank, maker
_EVER_SHOWN = ("published", "retracted", "voided")


@dataclass(frozen=True)
class _Touched:
    """What a stretch of acts speaks of, and the number after it."""

    manifests: list[int]
    contributors: list[int]
    after: int


@dataclass(frozen=True)
class _Piece:
    """Some makers: all numbers they have, the documents they are now, and the words they are suggested for."""

    gone: set[int]
    documents: list[Document]
    suggested: list[_Suggested]


def follow(sessions: Sessions, engine: SearchEngine, *, most: int = 100) -> int:
    """Bring index and suggestions up to date with at most `most` acts; give how many there were.

    Setting the follower's number to 0 makes both again. Unavailable("search-busy") while another process
    writes.
    """
    start, standing = _begin(sessions, engine)
    with sessions() as session:
        acts = session.scalars(select(Act).where(Act.number >= start).order_by(Act.number).limit(most)).all()
        if not acts:
            return 0
        touched = _touched(session, list(acts))
        big = _size(session, touched.manifests) >= BULK
    engine.apply(_changes(sessions, touched), position=touched.after, bulk=big)
    with transaction(sessions) as session:
        follower = _follower(session)
        if follower.number >= standing:  # else it was set back meanwhile: begin again
            # A second machine that makes its own index from the start does not call the first one back.
            follower.number = max(follower.number, touched.after)
    return len(acts)


def _begin(sessions: Sessions, engine: SearchEngine) -> tuple[int, int]:
    """Where to go on: where the one behind stands; and where the database's cursor does.

    A follower set to 0 empties the index first.
    """
    known = engine.position()
    with sessions() as session:
        standing = session.scalar(select(Follower.number).where(Follower.name == NAME)) or 0
    if standing == 0 and known > 0:
        engine.clear()
        known = 0
    return min(standing, known), standing


def _follower(session: Session) -> Follower:
    follower = session.get(Follower, NAME)
    if follower is None:
        follower = Follower(name=NAME, number=0)
        session.add(follower)
    return follower


def _touched(session: Session, acts: list[Act]) -> _Touched:
    """Read what acts name: a manifest's digest, a maker's public id, a dataset, a publisher."""
    refs = {act.ref for act in acts}
    of_refs = dict(
        session.execute(select(Manifest.digest, Manifest.id).where(Manifest.digest.in_(refs))).all()
    )
    # An act that names a manifest speaks of that one, not of the dataset's other versions.
    subjects = {act.subject for act in acts if act.ref not in of_refs}
    manifests = set(of_refs.values())
    slugs = {
        subject.removeprefix("publisher:")
        for subject in subjects
        if ":" not in subject.removeprefix("publisher:")
    }
    labels = {tuple(parts) for subject in subjects if len(parts := _parts(subject)) == 2}
    statement = select(Manifest.id).join(Dataset, Dataset.id == Manifest.dataset_id).join(Publisher)
    of_publishers = session.scalars(statement.where(Publisher.slug.in_(slugs | refs)))
    of_datasets = (
        session.scalars(statement.where(tuple_(Publisher.slug, Dataset.name).in_(labels))) if labels else ()
    )
    contributors = session.scalars(select(Contributor.id).where(Contributor.public_id.in_(refs)))
    manifests.update(of_publishers, of_datasets)
    shown = select(Manifest.id).where(Manifest.id.in_(manifests), Manifest.state.in_(_EVER_SHOWN))
    return _Touched(sorted(session.scalars(shown)), sorted(contributors), (acts[-1].number or 0) + 1)


def _parts(subject: str) -> list[str]:
    """`dataset:pub/name` and `pub/name@version` -> [pub, name]."""
    return subject.removeprefix("dataset:").partition("@")[0].split("/")


def _size(session: Session, manifests: list[int]) -> int:
    return sum(session.scalars(select(Manifest.contributors).where(Manifest.id.in_(manifests))))


def _changes(sessions: Sessions, touched: _Touched) -> Iterator[Document | Gone]:
    """Every document to be made or removed, in pieces; suggestions are written on the way."""
    pieces = (_read(sessions, piece) for piece in _contributors(sessions, touched))
    for piece in ahead(pieces):  # read while the suggestions before wait for the disk
        with breathing(), transaction(sessions) as session:  # what takes long is done: others write, too
            _suggest(session, piece.gone, piece.suggested)
        kept = {document.id for document in piece.documents}
        yield from (Gone(number) for number in sorted(piece.gone - kept))
        yield from piece.documents


def _read(sessions: Sessions, contributors: list[int]) -> _Piece:
    with sessions() as session:
        roots = set(session.scalars(select(Contributor.root_id).where(Contributor.id.in_(contributors))))
        people = read_people(session, roots, shown=False)
    gone = {member.id for person in people.values() for member in person.members} | set(contributors)
    records = {root: person.records for root, person in people.items() if not person.hidden}
    documents = [_document(people[root], held) for root, held in records.items() if held]
    return _Piece(gone, documents, _suggestions(documents, records))


def _contributors(sessions: Sessions, touched: _Touched) -> Iterator[list[int]]:
    for at in range(0, len(touched.contributors), PIECE):
        yield touched.contributors[at : at + PIECE]
    for manifest in touched.manifests:
        yield from _counted(sessions, manifest)
        yield from _linked(sessions, manifest)


def _counted(sessions: Sessions, manifest: int) -> Iterator[list[int]]:
    """The contributors of one manifest, along its record index."""
    last = -1
    while True:
        with sessions() as session:
            rows = session.execute(
                select(ContributorCount.contributor_id, ContributorCount.start)
                .where(ContributorCount.manifest_id == manifest, ContributorCount.start > last)
                .order_by(ContributorCount.start)
                .limit(PIECE)
            ).all()
        if not rows:
            return
        last = rows[-1].start
        yield [row.contributor_id for row in rows]


def _linked(sessions: Sessions, manifest: int) -> Iterator[list[int]]:
    """Both sides of every link that stands on this manifest: either may have joined or left the other."""
    last = (-1, -1)
    while True:
        with sessions() as session:
            rows = session.execute(
                select(AliasLink.alias_id, AliasLink.number_id)
                .where(or_(AliasLink.manifest_id == manifest, AliasLink.other_manifest_id == manifest))
                .where(tuple_(AliasLink.alias_id, AliasLink.number_id) > last)
                .order_by(AliasLink.alias_id, AliasLink.number_id)
                .distinct()
                .limit(PIECE // 2)
            ).all()
        if not rows:
            return
        last = (rows[-1].alias_id, rows[-1].number_id)
        yield sorted({side for row in rows for side in row})


def _document(person: Person, records: int) -> Document:
    return Document(person.root, person.known_as, person.handles, weight=records.bit_length())


def _suggestions(documents: list[Document], records: dict[int, int]) -> list[_Suggested]:
    return [
        (token, -records[document.id], document.id)
        for document in documents
        for token in suggestion_tokens(document)
    ]


def _suggest(session: Session, gone: set[int], rows: list[_Suggested]) -> None:
    """Whoever was hidden since they were read is left out; any other change has an act that comes after."""
    session.execute(delete(Suggestion).where(Suggestion.contributor_id.in_(gone)))
    hidden = set(
        session.scalars(select(Contributor.root_id).where(Contributor.id.in_(gone), Contributor.hidden))
    )
    left = [row for row in rows if row[2] not in hidden] if hidden else rows
    if left:
        _insert_all(session.connection(), left)


def _insert_all(connection: Connection, rows: list[_Suggested]) -> None:
    """By the driver where it takes tuples: SQLAlchemy's own look at each of them took as long as the rest."""
    statement = insert(cast("Table", Suggestion.__table__))
    compiled = statement.compile(dialect=connection.dialect)
    if compiled.positiontup is not None:
        connection.exec_driver_sql(str(compiled), rows)
        return
    names = tuple(compiled.params)
    connection.execute(statement, [dict(zip(names, row, strict=True)) for row in rows])


def suggestion_tokens(document: Document) -> list[str]:
    """Words a maker is suggested for: as written and folded, the longest where there are too many."""
    terms = document_terms(document)
    words = {word[:64] for word in terms.written | terms.folded | terms.handles}
    return sorted(words, key=lambda word: (-len(word), word))[:MOST_TOKENS]
