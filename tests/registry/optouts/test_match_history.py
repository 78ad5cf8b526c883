"""Whatever happened, in whatever order: the matcher holds exactly what the records say."""

from __future__ import annotations

import hashlib
import itertools
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from byline.formats.selectors import parse_selector
from registry.contributors.places import places_of
from registry.contributors.proofs import GRACE
from tests.registry.optouts.held import assert_true
from tests.registry.optouts.naive import Claimed, Version, Wished, World
from tests.registry.optouts.small_registry import Edge, Line, small_registry, static

# museum and archive are approved at the start; stranger is not and attributes what it likes.
PUBLISHERS = {"museum": True, "archive": True, "stranger": False}
DATASETS = ("museum/a", "museum/b", "archive/c", "stranger/bait")
NEVER = "museum/lost"  # something may be made from it; it is never registered
NUMBERS = ("flickr:11@N00", "flickr:22@N00")
ALIASES = ("flickr:anna", "flickr:bert")
OTHERS = ("unsplash:@anna", "web:www.behance.net/anna")
PHOTOS = tuple(f"flickr:{n}" for n in (101, 102))
DIGESTS = tuple(f"{n:064x}" for n in range(2))
HOSTS = ("img.example.org", "example.com")
IDENTITIES = (
    *NUMBERS, *ALIASES, *OTHERS, "host:example.org", "host:example.com", "name:museum/a:Jane Doe",
)  # fmt: skip
ITEMS = (static(101), static(102), "https://example.com/1.jpg", f"sha256:{DIGESTS[1]}")

one_maker = st.sampled_from((*NUMBERS, *NUMBERS, *ALIASES, *OTHERS)).map(lambda key: (key,))
two_makers = st.sampled_from([(alias, number) for alias in ALIASES for number in NUMBERS] + [NUMBERS, OTHERS])
makers = st.one_of(st.just(()), one_maker, one_maker, one_maker, two_makers)
photos = st.sampled_from([(), *((p,) for p in PHOTOS), *((p,) for p in PHOTOS), PHOTOS])


edge = st.tuples(
    st.sampled_from((*DATASETS, *DATASETS, NEVER)),
    st.none() | st.integers(1, 8).map(str),
    st.sampled_from(("", "", "", "right", "wrong")),
)
commits = st.sampled_from((0, 0, 1, 2, 3, 4))
"""At which commit the process dies; 0: it does not."""


@st.composite
def lines(draw: st.DrawFn) -> Line:
    """A row as datasets have them: mostly one photo, sometimes two or none, then a plain file at a host."""
    shown = draw(photos)
    number = shown[0].partition(":")[2] if shown else ""
    url = static(int(number), draw(st.sampled_from(("abcdef0123", "0123456789")))) if shown else None
    if not shown and draw(st.booleans()):
        url = f"https://{draw(st.sampled_from(HOSTS))}/{draw(st.integers(0, 2))}.jpg"
    return Line(
        makers=draw(makers),
        photos=shown,
        url=url,
        sha256=draw(st.sampled_from((None, None, *DIGESTS))),
        file=draw(st.integers(0, 1)),
    )


def _digest(dataset: str, version: str | None, said: str) -> str | None:
    """A digest as small_registry gives it to that version, one of something else, or none."""
    right = hashlib.sha256(f"{dataset}@{version}".encode()).hexdigest()
    return {"": None, "right": right, "wrong": "0" * 64}[said]


class History(RuleBasedStateMachine):
    """A registry and, beside it, the same world as plain records."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.folder = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))  # noqa: S108
        self.here = self.stack.enter_context(small_registry(self.folder))
        self.world = World()
        self.serial = itertools.count(1)
        self.tokens: dict[str, str] = {}
        self.ids: dict[str, int] = {}
        self.erased: list[Wished] = []

    @initialize(
        started=st.lists(
            st.tuples(st.sampled_from(DATASETS), st.lists(lines(), min_size=2, max_size=6)), max_size=4
        ),
        asked=st.lists(st.sampled_from(IDENTITIES), min_size=1, max_size=3, unique=True),
        items=st.lists(st.sampled_from(ITEMS), max_size=1),
    )
    def begin(self, started: list[tuple[str, list[Line]]], asked: list[str], items: list[str]) -> None:
        for slug, approved in PUBLISHERS.items():
            self.ids[slug] = self.here.publisher(slug, approved=approved)
            self.world.standing[slug] = approved
        for dataset in DATASETS:
            self.here.dataset(dataset)
            self.world.order.append(dataset)
        for identity in asked[:2]:
            self._ask(identity, assurance="asserted")
        for item in items:
            self._ask_item(item)
        for dataset, rows in started:
            self._publish(dataset, rows)
        for identity in asked[2:]:
            self._ask(identity)

    def _publish(
        self,
        dataset: str,
        rows: list[Line],
        role: str = "holder",
        *,
        parents: tuple[Edge, ...] = (),
        withheld: bool = False,
        dies_at: int = 0,
    ) -> None:
        version = str(next(self.serial))
        visibility = "withheld" if withheld else "named"
        manifest = self.here.record(dataset, version, rows, role=role, visibility=visibility, parents=parents)
        self.here.crash_at(dies_at)
        self.here.survive(lambda: self.here.go_on(manifest))
        self.world.versions.append(
            Version(manifest, dataset, version, rows, role=role, parents=parents, withheld=withheld)
        )

    def _ask(
        self,
        *identities: str,
        assurance: str = "verified",
        datasets: frozenset[str] | None = None,
        publisher_only: bool = False,
    ) -> None:
        said: dict[str, Any] = {"datasets": sorted(datasets or ()), "publisher_only": publisher_only}
        made, token = self.here.opt_out(*identities, assurance=assurance, **said)
        self.tokens[made] = token
        selectors = [(s.kind, s.value) for s in map(parse_selector, identities)]
        wish = Wished(made, selectors, assurance, datasets=datasets, publisher_only=publisher_only)
        wish.claims = [Claimed(c.id, c.identity, c.state, c.assurance) for c in self.here.claims_of(made)]
        self.world.wishes.append(wish)

    def _ask_item(self, *items: str, relation: str = "maker", datasets: frozenset[str] | None = None) -> None:
        made, token = self.here.opt_out_items(*items, relation=relation, datasets=sorted(datasets or ()))
        self.tokens[made] = token
        selectors = [(s.kind, s.value) for s in map(parse_selector, items)]
        self.world.wishes.append(Wished(made, selectors, "asserted", relation=relation, datasets=datasets))

    @rule(
        dataset=st.sampled_from(DATASETS),
        rows=st.lists(lines(), min_size=1, max_size=5),
        named=st.booleans(),
        role=st.sampled_from(("holder", "observer")),
        made_from=st.lists(edge, max_size=2),
        withheld=st.sampled_from((False, False, True)),
        dies_at=commits,
    )
    def publish(
        self,
        dataset: str,
        rows: list[Line],
        *,
        named: bool,
        role: str,
        made_from: list[tuple[str, str | None, str]],
        withheld: bool,
        dies_at: int,
    ) -> None:
        if named:  # somebody known by name in this dataset only
            rows = [*rows, Line(makers=(f"name:{dataset}:Jane Doe",), photos=(PHOTOS[0],), url=static(101))]
        withheld = withheld and not self.erased  # a text that is gone is under no later version's key
        parents = tuple((of, version, _digest(of, version, said)) for of, version, said in made_from)
        self._publish(dataset, rows, role, parents=parents, withheld=withheld, dies_at=dies_at)

    @precondition(lambda self: self.world.versions)
    @rule(data=st.data(), state=st.sampled_from(("retracted", "voided")), dies_at=commits)
    def end(self, data: st.DataObject, state: str, dies_at: int) -> None:
        version = data.draw(st.sampled_from(self.world.versions))
        version.state = "voided" if version.state == "voided" else state
        self.here.crash_at(dies_at)
        self.here.survive(lambda: self.here.end(version.id, version.state))

    @rule(slug=st.sampled_from(sorted(PUBLISHERS)), approved=st.booleans(), suspended=st.booleans())
    def decide(self, slug: str, approved: bool, suspended: bool) -> None:  # noqa: FBT001
        self.world.standing[slug] = approved and not suspended
        self.here.set_standing(self.ids[slug], approved=approved, suspended=suspended)

    @rule(
        identities=st.lists(st.sampled_from(IDENTITIES), min_size=1, max_size=2, unique=True),
        assurance=st.sampled_from(("verified", "verified", "asserted")),
        datasets=st.none() | st.frozensets(st.sampled_from(DATASETS), min_size=1),
        publisher_only=st.booleans(),
    )
    def opt_out(
        self,
        identities: list[str],
        assurance: str,
        datasets: frozenset[str] | None,
        publisher_only: bool,  # noqa: FBT001
    ) -> None:
        self._ask(*identities, assurance=assurance, datasets=datasets, publisher_only=publisher_only)

    @rule(
        items=st.lists(st.sampled_from(ITEMS), min_size=1, max_size=2, unique=True),
        relation=st.sampled_from(("maker", "pictured", "for-someone-else")),
        datasets=st.frozensets(st.sampled_from(DATASETS), min_size=1),
    )
    def opt_out_items(self, items: list[str], relation: str, datasets: frozenset[str]) -> None:
        self._ask_item(*items, relation=relation, datasets=datasets if relation != "maker" else None)

    @precondition(lambda self: len(self.world.wishes) > len(self.erased))
    @rule(data=st.data(), dies_at=commits)
    def withdraw(self, data: st.DataObject, dies_at: int) -> None:
        wish = data.draw(st.sampled_from([one for one in self.world.wishes if one not in self.erased]))
        wish.in_force = False
        self.here.crash_at(dies_at)
        self.here.survive(lambda: self.here.withdraw(wish.id, self.tokens[wish.id]))

    @precondition(lambda self: any(wish.in_force for wish in self.world.wishes))
    @rule(data=st.data(), dies_at=commits)
    def erase(self, data: st.DataObject, dies_at: int) -> None:
        """A person is forgotten: nobody can say any more what was asked, and it goes on, in tomorrow's datasets too."""
        wish = data.draw(st.sampled_from([one for one in self.world.wishes if one.in_force]))
        ids = {wish.id} | {claim.id for claim in wish.claims}
        gone = [one for other in self.world.wishes for one in other.claims if one.id in ids]
        self.here.crash_at(dies_at)
        self.here.survive(lambda: self.here.erase(ids))
        for other in self.world.wishes:
            other.claims = [one for one in other.claims if one not in gone]
        self.erased.append(wish)

    @invariant()
    def nothing_says_who_was_erased(self) -> None:
        assert self.here.selectors_of(wish.id for wish in self.erased) <= {"erased"}

    @precondition(lambda self: self._unproved())
    @rule(data=st.data(), dies_at=commits)
    def show_line(self, data: st.DataObject, dies_at: int) -> None:
        """Somebody puts their line there: asserted becomes proved, lapsed is proved again, a second one is disputed."""
        claim = data.draw(st.sampled_from(self._unproved()), label="claim")
        self.world.line_seen(claim)
        self.here.crash_at(dies_at)
        self.here.survive(lambda: self.here.look_for_line(claim.id, there=True))

    @precondition(lambda self: any(claim.by_line for claim in self._provable()))
    @rule(data=st.data(), dies_at=commits)
    def take_line_away(self, data: st.DataObject, dies_at: int) -> None:
        """It is gone, and still gone when the two weeks are over: lapsed, and what was asked stays asked."""
        claim = data.draw(st.sampled_from([one for one in self._provable() if one.by_line]), label="claim")
        self.world.line_gone(claim)
        self.here.look_for_line(claim.id, there=False)
        self.here.now += GRACE
        self.here.crash_at(dies_at)
        self.here.survive(lambda: self.here.look_for_line(claim.id, there=False))

    def _provable(self) -> list[Claimed]:
        return [
            one for wish in self.world.wishes for one in wish.claims if places_of(one.identity, photo=None)
        ]

    def _unproved(self) -> list[Claimed]:
        return [one for one in self._provable() if (one.state, one.assurance) != ("confirmed", "verified")]

    @invariant()
    def what_is_held_is_what_the_records_say(self) -> None:
        assert_true(self.here, self.world)

    def teardown(self) -> None:
        self.stack.close()
        shutil.rmtree(self.folder)


TestHistory = History.TestCase
TestHistory.settings = settings(max_examples=10, stateful_step_count=10, deadline=None)
