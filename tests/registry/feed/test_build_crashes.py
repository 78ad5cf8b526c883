"""Every durable write of a build, failing, and failing after it was kept.

Readers have a whole head, and the next build finishes what was begun.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from byline.errors import Unavailable
from registry.feed.head import HEAD, read_head
from registry.models import FeedHead
from registry.storage import Body, ObjectStore
from tests.registry.feed.reading import build, read
from tests.registry.optouts.small_registry import Line, SmallRegistry, static

OWNER = "flickr:11@N00"
FILE = "ab" * 32


class Faulty:
    """A store whose n-th write fails, after keeping the object or without."""

    def __init__(self, store: ObjectStore, *, at: int, kept: bool) -> None:
        self._store, self._at, self._kept, self.writes = store, at, kept, 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def put_new(self, key: str, data: Body) -> bool:
        return self._write(lambda: self._store.put_new(key, data))

    def replace_if(self, key: str, data: bytes, *, expected: bytes | None) -> bool:
        return self._write(lambda: self._store.replace_if(key, data, expected=expected))

    def _write(self, do: object) -> bool:
        self.writes += 1
        if self.writes == self._at and not self._kept:
            raise Unavailable("store-down", "planted")
        done = do()  # type: ignore[operator]
        if self.writes == self._at:
            raise Unavailable("store-down", "planted, but the object was kept")
        return bool(done)


@contextmanager
def faulty_commit(here: SmallRegistry, *, at: int, kept: bool) -> Iterator[None]:
    """The n-th commit fails before or after it is durable."""
    commits = 0

    def fail(_session: Session) -> None:
        nonlocal commits
        commits += 1
        if commits == at:
            raise Unavailable("database-down", "planted")

    name = "after_commit" if kept else "before_commit"
    event.listen(here.sessions, name, fail)
    try:
        yield
    finally:
        event.remove(here.sessions, name, fail)


@pytest.fixture
def changed(here: SmallRegistry) -> SmallRegistry:
    """A registry with one head, and an opt-out since."""
    here.publish(
        "museum/a", "1", [Line(makers=(OWNER,), photos=("flickr:101",), url=static(101))], files={0: FILE}
    )
    build(here)
    here.opt_out(OWNER)
    return here


WRITES = range(1, 8)  # a bitmap, an index part, a pack, a delta, the head's file, head.note, head.json


@pytest.mark.parametrize("kept", [False, True], ids=["lost", "kept"])
@pytest.mark.parametrize("at", WRITES)
def test_a_failed_write_leaves_a_whole_head_and_the_next_build_mends_it(
    changed: SmallRegistry,
    at: int,
    kept: bool,  # noqa: FBT001
) -> None:
    with pytest.raises(Unavailable):
        build(changed, store=Faulty(changed.store, at=at, kept=kept))  # type: ignore[arg-type]
    between = read(changed)
    assert between.rows(FILE) in ([set()], [{0}])
    build(changed)
    assert (read(changed).rows(FILE), changed.store.get(HEAD)) == ([{0}], read_head(changed.store)[0])


@pytest.mark.parametrize("kept", [False, True], ids=["lost", "kept"])
@pytest.mark.parametrize("at", [2, 3], ids=["the head recorded", "the status noted"])
def test_a_failed_commit_leaves_a_whole_head_and_the_next_build_mends_it(
    changed: SmallRegistry,
    at: int,
    kept: bool,  # noqa: FBT001
) -> None:
    with faulty_commit(changed, at=at, kept=kept), pytest.raises(Unavailable):
        build(changed)
    assert read(changed).rows(FILE) in ([set()], [{0}])
    build(changed)
    assert read(changed).rows(FILE) == [{0}]


@pytest.mark.parametrize("kept", [False, True], ids=["lost", "kept"])
@pytest.mark.parametrize("at", WRITES)
def test_a_number_never_stands_for_two_contents(changed: SmallRegistry, at: int, kept: bool) -> None:  # noqa: FBT001
    with pytest.raises(Unavailable):
        build(changed, store=Faulty(changed.store, at=at, kept=kept))  # type: ignore[arg-type]
    seen = {read(changed).head["seq"]: read_head(changed.store)[0]}
    changed.publish("archive/b", "1", [Line()])
    build(changed)
    head = read(changed).head["seq"]
    assert seen.get(head, read_head(changed.store)[0]) == read_head(changed.store)[0]
    with changed.sessions() as session:
        assert list(session.scalars(select(FeedHead.seq).order_by(FeedHead.seq))) == list(range(1, head + 1))


def test_the_table_above_names_every_write(changed: SmallRegistry) -> None:
    store = Faulty(changed.store, at=0, kept=False)
    build(changed, store=store)  # type: ignore[arg-type]
    assert store.writes == len(WRITES)
