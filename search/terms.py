"""Documents to index terms, queries to what must be found: the same words on both sides."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache

from search import Document
from search.text import Piece, chunks, is_abjad, joined

_NSID = re.compile(r"\d+@n\d+")
MOST_WORDS = 24  # of a query; longer credits are found by their first words


@dataclass(frozen=True)
class Terms:
    """What one document is indexed under."""

    written: frozenset[str]  # words as they are written
    folded: frozenset[str]  # Latin forms that are not written so, syllables, joined chunks, words of handles
    names: frozenset[str]  # whole names, order and punctuation aside
    plain_names: frozenset[str]  # the same, folded
    handles: frozenset[str]
    abjad: frozenset[str]  # those of the Latin forms whose script leaves vowels out

    def sets(self) -> tuple[frozenset[str], ...]:
        """All six, in their order."""
        return self.written, self.folded, self.names, self.plain_names, self.handles, self.abjad

    def latin(self) -> set[str]:
        """Every word in Latin letters, however it is written."""
        return {word for word in self.written if word.isascii()} | self.folded


@dataclass(frozen=True)
class Need:
    """One chunk of a query: its words as written, and the folded forms of which one set must be there."""

    pieces: tuple[Piece, ...]
    ways: tuple[tuple[str, ...], ...]

    @property
    def folded(self) -> str:
        """The chunk's Latin letters in one word."""
        return self.ways[0][0] if len(self.ways[0]) == 1 else "".join(self.ways[0])


@dataclass(frozen=True)
class Query:
    """A query read once: its chunks, its whole name in both forms, and the text as a handle."""

    needs: tuple[Need, ...]
    name: str
    plain_name: str
    handle: str


def whole(words: list[str]) -> str:
    """Give one short key for a whole name: its words in any order (`Last, First` is `First Last`)."""
    return hashlib.blake2b(" ".join(sorted(words)).encode(), digest_size=8).hexdigest()


def handle_term(text: str) -> str:
    """Give the one form of a handle: case folded, without an `@` before it."""
    return text.strip().casefold().removeprefix("@")[:200].encode(errors="ignore").decode()


@lru_cache(maxsize=4_096)  # suggestions and index ask of the same ones, one after the other
def document_terms(document: Document) -> Terms:
    """Take a document apart."""
    written: set[str] = set()
    folded: set[str] = set()
    names: set[str] = set()
    plain: set[str] = set()
    abjad: set[str] = set()
    for name in document.names:
        parts = list(chunks(name))
        flat = [piece for pieces in parts for piece in pieces]
        written.update(piece.written for piece in flat)
        folded.update(form for pieces in parts for form in _folded_forms(pieces))
        if not name.isascii():
            abjad.update(piece.folded for piece in flat if is_abjad(piece.written))
        if flat:
            names.add(whole([piece.written for piece in flat]))
            plain.add(whole([piece.folded for piece in flat]))
    handles = {handle_term(handle) for handle in document.handles}
    for handle in handles:
        if not _NSID.fullmatch(handle):
            for pieces in chunks(handle):
                folded.update(piece.folded for piece in pieces)
                folded.update(_folded_forms(pieces))
    folded.discard("")
    handles.discard("")
    return Terms(*map(frozenset, (written, folded - written, names, plain, handles, abjad)))


def _folded_forms(pieces: tuple[Piece, ...]) -> set[str]:
    if len(pieces) == 1 and pieces[0].written.isascii():
        return set()
    forms = {piece.folded for piece in pieces if piece.folded != piece.written}
    for piece in pieces:
        if (
            len(piece.syllables) > 1
        ):  # `GimMinSu`: gim, min, su, and minsu, as people write given names in one
            forms.update(piece.syllables)
            forms.update("".join(piece.syllables[at:]) for at in range(len(piece.syllables) - 1))
            forms.update("".join(piece.syllables[:at]) for at in range(2, len(piece.syllables)))
    if len(pieces) > 1:
        forms.add(joined(pieces))
    return forms


def read_query(text: str) -> Query:
    """Take a query apart."""
    parts = list(chunks(text))[:MOST_WORDS]
    flat = [piece for pieces in parts for piece in pieces]
    return Query(
        needs=tuple(need for need in map(_need, parts) if need.ways),
        name=whole([piece.written for piece in flat]),
        plain_name=whole([piece.folded for piece in flat]),
        handle=handle_term(text),
    )


def _need(pieces: tuple[Piece, ...]) -> Need:
    ways: list[tuple[str, ...]] = [tuple(piece.folded for piece in pieces)]
    if len(pieces) > 1:
        ways.append((joined(pieces),))
    if any(len(piece.syllables) > 1 for piece in pieces):
        ways.append(tuple(part for piece in pieces for part in piece.syllables))
    kept = tuple(tuple(form for form in way if form) for way in ways)
    return Need(pieces, tuple(way for way in kept if way))
