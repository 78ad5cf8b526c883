"""Versions made from versions, in any order, killed in between: the notices by lineage are a naive recomputation's.

test_match_history.py has every kind of row; here rows are one photographer's or nobody's, and all is lineage.
"""

from __future__ import annotations

import itertools
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.registry.optouts.held import assert_true
from tests.registry.optouts.naive import Version, Wished, World
from tests.registry.optouts.small_registry import Edge, Line, SmallRegistry, small_registry, static

PUBLISHERS = ("museum", "archive", "stranger")
DATASETS = ("museum/a", "museum/b", "archive/c", "archive/d", "stranger/e")
NEVER = "museum/lost"
OWNER = "flickr:11@N00"
MINE = Line(makers=(OWNER,), photos=("flickr:101",), url=static(101))

KINDS = ("any", "version", "version", "digest", "wrong", "later", "never")
DIES = (0, 0, 0, 1, 2, 3)
"""At which commit the process dies; 0: it does not."""


def steps(draw: random.Random) -> Iterator[tuple[Any, ...]]:
    """A history: somebody's rows first, then mostly versions made from versions."""
    yield "publish", draw.choice(DATASETS[:4]), True, [], 0
    for _ in range(10):
        what = draw.choice(("derive",) * 5 + ("publish", "ask", "end", "withdraw", "decide"))
        name, number, dies = draw.choice((*DATASETS[:4], *DATASETS)), draw.randrange(60), draw.choice(DIES)
        made_from = [(draw.randrange(60), draw.choice(KINDS)) for _ in range(draw.choice((1, 1, 2)))]
        if what in {"derive", "publish"}:
            yield "publish", name, what == "publish", made_from, dies
        elif what == "ask":
            yield "ask", draw.choice((None, frozenset(draw.sample(DATASETS, 3))))
        elif what == "end":
            yield "end", number, draw.choice(("retracted", "voided")), dies
        elif what == "withdraw":
            yield "withdraw", number, dies
        else:
            yield "decide", draw.choice(PUBLISHERS), draw.random() < 0.7


class Told:
    """The registry and, beside it, the same as plain records."""

    def __init__(self, here: SmallRegistry) -> None:
        self.here, self.world, self.serial = here, World(), itertools.count(1)
        self.tokens: dict[str, str] = {}
        self.ids = {slug: here.publisher(slug, approved=slug != "stranger") for slug in PUBLISHERS}
        self.world.standing = {slug: slug != "stranger" for slug in PUBLISHERS}
        for name in DATASETS:
            here.dataset(name)
            self.world.order.append(name)
        self.ask(None)

    def publish(self, name: str, mine: bool, made_from: list[tuple[int, str]], dies: int) -> None:  # noqa: FBT001
        version, lines = str(next(self.serial)), [MINE if mine else Line()]
        parents = tuple(itertools.starmap(self._edge, made_from))
        manifest = self.here.record(name, version, lines, parents=parents)
        self.here.crash_at(dies)
        self.here.survive(lambda: self.here.go_on(manifest))
        self.world.versions.append(Version(manifest, name, version, lines, parents=parents))

    def _edge(self, number: int, kind: str) -> Edge:
        """To a version that is there, or by what is not: another digest, a version to come or never to come."""
        if kind == "never":
            return NEVER, None, None
        if kind == "later" or not self.world.versions:
            return DATASETS[number % 5], str(len(self.world.versions) + 2 + number % 3), None
        one = self.world.versions[number % len(self.world.versions)]
        return {
            "any": (one.dataset, None, None),
            "version": (one.dataset, one.version, None),
            "digest": (one.dataset, one.version, one.digest),
            "wrong": (one.dataset, one.version, "0" * 64),
        }[kind]

    def ask(self, scope: frozenset[str] | None) -> None:
        made, token = self.here.opt_out(OWNER, datasets=sorted(scope or ()))
        self.tokens[made] = token
        self.world.wishes.append(Wished(made, [("maker", OWNER)], "verified", datasets=scope))

    def end(self, number: int, state: str, dies: int) -> None:
        version = self.world.versions[number % len(self.world.versions)]
        version.state = "voided" if version.state == "voided" else state
        self.here.crash_at(dies)
        self.here.survive(lambda: self.here.end(version.id, version.state))

    def withdraw(self, number: int, dies: int) -> None:
        if len(self.world.wishes) == 1:  # somebody is left, or the rest of the history is about nobody
            self.ask(None)
        wish = self.world.wishes[-1 if number > 5 else 0]
        wish.in_force = False
        self.here.crash_at(dies)
        self.here.survive(lambda: self.here.withdraw(wish.id, self.tokens[wish.id]))

    def decide(self, slug: str, approved: bool) -> None:  # noqa: FBT001
        self.world.standing[slug] = approved
        self.here.set_standing(self.ids[slug], approved=approved)


@contextmanager
def fresh() -> Iterator[SmallRegistry]:
    folder = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))  # noqa: S108
    try:
        with small_registry(folder) as here:
            yield here
    finally:
        shutil.rmtree(folder)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=8)
def test_any_order_gives_the_notices_of_a_naive_recomputation(seed: int) -> None:
    with fresh() as here:
        told = Told(here)
        for what, *said in steps(random.Random(seed)):  # noqa: S311 - repeatable on purpose
            getattr(told, what)(*said)
            assert_true(here, told.world)
