"""What to offer while somebody types: one range of a table that is sorted for it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from registry.contributors.people import read_people
from registry.models import Suggestion
from search.text import chunks

MOST = 20
SHORTEST = 2  # letters; one letter would sort half of the table


def suggest(session: Session, q: str, *, limit: int = 10) -> list[dict[str, Any]]:
    """Give `[{"text", "contributor", "records"}]`: makers with a word that begins as the last one of `q`.

    Every word before the last must be one of theirs. Most records first; at most 20.
    """
    words = [piece for pieces in chunks(q) for piece in pieces]
    if not words or len(words[-1].folded or words[-1].written) < SHORTEST:
        return []
    begun, before = words[-1], words[:-1]
    rank = func.min(Suggestion.rank).label("rank")
    statement = (
        select(Suggestion.contributor_id, rank)
        .where(
            _begins(begun.written)
            if begun.written == begun.folded
            else _begins(begun.written) | _begins(begun.folded)
        )
        .group_by(Suggestion.contributor_id)
        .order_by(rank, Suggestion.contributor_id)
        .limit(max(1, min(limit, MOST)))
    )
    for word in before:
        other = aliased(Suggestion)
        statement = statement.where(
            Suggestion.contributor_id.in_(
                select(other.contributor_id).where(other.token.in_({word.written, word.folded}))
            )
        )
    found = session.execute(statement).all()
    people = read_people(session, [root for root, _ in found])
    return [
        {"text": people[root].shown_as, "contributor": people[root].public_id, "records": -least}
        for root, least in found
        if root in people and not people[root].hidden  # at once: the table of words follows in a while
    ]


def _begins(prefix: str) -> Any:
    """A range of the primary key: a LIKE would not use it on PostgreSQL."""
    return Suggestion.token.between(prefix[:64], prefix[:64] + "\U0010ffff")
