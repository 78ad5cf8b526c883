"""Versions made from versions, in any order, killed in between: the notices by lineage are a naive recomputation's.

test_match_history.py has every kind of row; here rows are one photographer's or nobody's, and all is lineage.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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

dies_at = st.sampled_from((0, 0, 0, 1, 2, 3))
at = st.integers(0, 30)
edge = st.tuples(
    at, st.sampled_from(("any", "any", "version", "version", "digest", "digest", "wrong", "later", "never"))
)
dataset = st.sampled_from((*DATASETS[:4], *DATASETS))
publish = st.tuples(
    st.just("publish"), dataset, st.sampled_from((True, False, False)), st.lists(edge, max_size=2), dies_at
)
step = st.one_of(
    publish,
    publish,
    publish,
    st.tuples(st.just("ask"), st.none() | st.frozensets(st.sampled_from(DATASETS), min_size=1, max_size=3)),
    st.tuples(st.just("end"), at, st.sampled_from(("retracted", "voided")), dies_at),
    st.tuples(st.just("withdraw"), at, dies_at),
    st.tuples(st.just("decide"), st.sampled_from(PUBLISHERS), st.booleans()),
)
first: st.SearchStrategy[tuple[object, ...]] = st.tuples(
    st.just("publish"), dataset, st.just(True), st.just([]), st.just(0)
)


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
        wish = self.world.wishes[number % len(self.world.wishes)]
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


@given(start=first, steps=st.lists(step, min_size=4, max_size=9))
@settings(max_examples=12)
def test_any_order_gives_the_notices_of_a_naive_recomputation(start: tuple, steps: list[tuple]) -> None:  # type: ignore[type-arg]
    with fresh() as here:
        told = Told(here)
        for what, *said in (start, *steps):
            getattr(told, what)(*said)
            assert_true(here, told.world)
