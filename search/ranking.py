"""How a query becomes an answer: exact, folded, a last word begun, near words, each as a set."""

from __future__ import annotations

import math
from collections.abc import Iterable
from heapq import nlargest
from itertools import islice

from search import Found, Hit, Match
from search.lexicon import Lexicon
from search.snapshot import Snapshot
from search.terms import Need, Query

ENOUGH = 20  # hits after which nothing nearer to a typo is looked for
QUORUM = 0.45  # share of a query's weight (rare words weigh more) that a near hit must carry
# The same where nothing else is found: `Kirby, Oak Abner` is `Kirby, O.A.`
LESS, LEAST, MOST_LEAST = 0.35, 0.2, 10
MOST_COMPLETED = 400  # documents read to see how their words go on
SHORTEST_PREFIX = 2
MOST_NEAR = 100  # near hits; further off nobody looks
TYPO, SOUND, BEGUN = 0.85, 0.7, 0.6  # what a near word counts for

CONTAINED = 0.8  # share of a document's own weight that is enough as well
LEAST_SHARE, MOST_CONTAINED = 0.25, 12
LEAST_WEIGHT = 0.1  # of a word that nearly everybody has

_WHOLE, _WORDS = 100, 60


class Ranking:
    """One query against one snapshot."""

    def __init__(self, snapshot: Snapshot, lexicon: Lexicon, *, limit: int) -> None:
        """Take what the query is asked of."""
        self._snapshot = snapshot
        self._lexicon = lexicon
        self._limit = limit
        self._read: dict[tuple[str, str], frozenset[int]] = {}

    def answer(self, query: Query) -> Found:
        """Give the hits, nearest first."""
        hits: dict[int, tuple[Match, int]] = {}
        handle = self._snapshot.of_handle(query.handle) if query.handle else ()
        more = self._take(hits, handle, Match.exact, _WHOLE)
        if not query.needs:
            return Found(self._named(hits), more)
        more |= self._take(hits, self._snapshot.of_name(query.name), Match.exact, _WHOLE)
        more |= self._take(hits, self._written(query), Match.exact, _WORDS)
        plain = self._snapshot.of_name(query.plain_name) | self._snapshot.of_plain_name(query.plain_name)
        more |= self._take(hits, plain, Match.folded, _WHOLE)
        more |= self._take(hits, self._folded(query.needs), Match.folded, _WORDS)
        more |= self._take(hits, self._begun(query.needs), Match.prefix, _WORDS)
        if len(hits) < ENOUGH:
            for number, closeness in self._nearest(query.needs, alone=not hits):
                more |= self._take(hits, (number,), Match.fuzzy, closeness)
        return Found(self._named(hits), more)

    def _take(
        self, hits: dict[int, tuple[Match, int]], found: Iterable[int], match: Match, closeness: int
    ) -> bool:
        """Add what is new up to the limit; True where something had to stay out."""
        fresh = [number for number in found if number not in hits]
        room = self._limit - len(hits)
        kept = fresh if len(fresh) <= room else nlargest(room, fresh, key=self._heaviest)
        hits.update((number, (match, closeness)) for number in kept)
        return len(fresh) > room

    def _heaviest(self, number: int) -> tuple[int, int]:
        return self._snapshot.column("weight", number), -number

    def _named(self, hits: dict[int, tuple[Match, int]]) -> tuple[Hit, ...]:
        named = (Hit(self._snapshot.column("number", number), *how) for number, how in hits.items())
        return tuple(sorted(named, key=lambda hit: (hit.match, -hit.closeness, hit.id)))

    def _docs(self, field: str, word: str) -> frozenset[int]:
        if (field, word) not in self._read:
            self._read[field, word] = self._snapshot.documents(field, word)
        return self._read[field, word]

    def _latin(self, word: str) -> frozenset[int]:
        return self._docs("written", word) | self._docs("folded", word)

    def _written(self, query: Query) -> frozenset[int]:
        return _all_of(self._docs("written", piece.written) for need in query.needs for piece in need.pieces)

    def _folded(self, needs: tuple[Need, ...]) -> frozenset[int]:
        return _all_of(self._one_way(need) for need in needs)

    def _one_way(self, need: Need) -> frozenset[int]:
        return frozenset().union(*(_all_of(self._latin(word) for word in way) for way in need.ways))

    def _begun(self, needs: tuple[Need, ...]) -> Iterable[int]:
        """The last word is the beginning of one of theirs; the others are all there."""
        begun, before = needs[-1].folded, needs[:-1]
        if len(begun) < SHORTEST_PREFIX:
            return ()
        if before:
            others = self._folded(before)
            if len(others) <= MOST_COMPLETED:
                return [number for number in others if f" {begun}" in self._words(number)]
            return others & self._completed(begun)
        return self._completed(begun)

    def _completed(self, begun: str) -> frozenset[int]:
        return frozenset().union(*(self._latin(word) for word in self._lexicon.completions(begun)))

    def _words(self, number: int) -> str:
        return f" {self._snapshot.stored(number)['words']}"

    def _nearest(self, needs: tuple[Need, ...], *, alone: bool) -> list[tuple[int, int]]:
        """Near documents; where there are no others, further ones, and at last the few nearest there are."""
        if not alone:
            return self._near(needs, quorum=QUORUM)
        return self._near(needs, quorum=LESS) or self._near(needs, quorum=LEAST)[:MOST_LEAST]

    def _near(self, needs: tuple[Need, ...], *, quorum: float) -> list[tuple[int, int]]:
        """Documents that carry enough of the query's weight in words that are there or near.

        Words are taken from the rarest: once what is left could not lift a new document over the quorum,
        only those already found are looked at.
        """
        weights = self._weights(word for need in needs for way in need.ways for word in way)
        weighed = [(max(weights[word] for way in need.ways for word in way), need) for need in needs]
        weighed.sort(key=lambda pair: -pair[0])
        left = total = sum(weight for weight, _ in weighed)
        carried: dict[int, float] = {}
        for weight, need in weighed:
            known_only = left < quorum * total
            for share, documents in self._shares(need):
                for number in (documents & carried.keys()) if known_only else documents:
                    carried[number] = carried.get(number, 0.0) + share * weight
            left -= weight
        self._add_contained(carried, total, quorum=quorum)
        good = [
            (-round(_WHOLE * sum_ / total), number)
            for number, sum_ in carried.items()
            if sum_ >= quorum * total
        ]
        return [(number, -minus) for minus, number in islice(sorted(good), MOST_NEAR)]

    def _add_contained(self, carried: dict[int, float], total: float, *, quorum: float) -> None:
        """`Santi, Raphael` asks for Raphael too: who has hardly a word that was not asked for is near enough."""
        some = [number for number, sum_ in carried.items() if LEAST_SHARE * total <= sum_ < quorum * total]
        closest = nlargest(MOST_CONTAINED, some, key=lambda number: (carried[number], -number))
        own = {number: set(self._words(number).split()) for number in closest}
        weights = self._weights({word for words in own.values() for word in words})
        for number, words in own.items():
            if carried[number] >= CONTAINED * sum(weights[word] for word in words):
                carried[number] = quorum * total

    def _weights(self, words: Iterable[str]) -> dict[str, float]:
        """Rare words say more; one that is nowhere says as much as one that somebody has."""
        asked = set(words)
        seen = self._lexicon.seen(asked)
        count = self._snapshot.count() + 2
        return {word: max(math.log(count / (max(seen.get(word, 0), 1) + 1)), LEAST_WEIGHT) for word in asked}

    def _shares(self, need: Need) -> list[tuple[float, frozenset[int]]]:
        """Documents by how near their word is, each in the nearest share only."""
        exact = self._one_way(need)
        typos = self._any(self._lexicon.typos(need.folded)) - exact
        sounds = self._any(self._lexicon.sounding(need.folded)) - exact - typos
        return [(1.0, exact), (TYPO, typos), (SOUND, sounds)]

    def _any(self, words: list[str]) -> frozenset[int]:
        return frozenset().union(*(self._latin(word) for word in words))


def _all_of(sets: Iterable[frozenset[int]]) -> frozenset[int]:
    found: frozenset[int] | None = None
    for some in sets:
        found = some if found is None else found & some
        if not found:
            return frozenset()
    return found or frozenset()
