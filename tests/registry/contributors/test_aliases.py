from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from byline.formats.selectors import contributor_kind, public_id
from registry.contributors import aliases
from registry.database import Sessions, make_engine, make_sessions, transaction
from registry.models import AliasLink, Base, Contributor, Dataset, Manifest, Publisher
from tests.registry.publishing.desk import NOW

STATES = ("received", "recorded", "logged", "published", "retracted", "voided")
ALIASES, NUMBERS = (1, 2, 3), (11, 12, 13)
Link = tuple[int, int, int, int | None, str]


@contextmanager
def tables(folder: Path) -> Iterator[Sessions]:
    engine = make_engine(f"sqlite:///{folder / 'db.sqlite'}")
    with engine.connect() as connection, connection.begin():
        Base.metadata.create_all(connection)
    try:
        yield make_sessions(engine)
    finally:
        engine.dispose()


def lay(sessions: Sessions, links: Sequence[Link], manifests: Sequence[tuple[str, bool, bool]]) -> None:
    """Three aliases, three numbers, one dataset a manifest; `manifests` are (state, approved, suspended)."""
    keys = {one: f"flickr:alias{one}" for one in ALIASES} | {
        one: f"flickr:123456{one}@N00" for one in NUMBERS
    }
    with transaction(sessions) as session:
        for number, (state, approved, suspended) in enumerate(manifests, 1):
            session.add(
                Publisher(
                    id=number,
                    slug=f"p{number}",
                    name="P",
                    approved=approved,
                    suspended=suspended,
                    registered_at=NOW,
                )
            )
            session.flush()
            session.add(Dataset(id=number, publisher_id=number, name="d", created_at=NOW))
            session.flush()
            session.execute(insert(Manifest), [_manifest(number, state)])
        for one, key in keys.items():
            kind, platform = contributor_kind(key)
            session.add(
                Contributor(
                    id=one,
                    key=key,
                    public_id=public_id(key),
                    kind=kind,
                    platform=platform,
                    handle=key[7:],
                    root_id=one,
                )
            )
        session.flush()
        for at, (alias, number, first, second, how) in enumerate(links):
            proof = how == "proof"
            session.add(
                AliasLink(
                    alias_id=alias,
                    number_id=number,
                    source=f"{how}:{at}",
                    manifest_id=None if proof else first,
                    other_manifest_id=second if how == "photo" else None,
                    how=how,
                )
            )


def _manifest(number: int, state: str) -> dict[str, Any]:
    return {
        "id": number,
        "dataset_id": number,
        "version": "1",
        "digest": f"{number:064x}",
        "key_id": "0" * 64,
        "state": state,
        "role": "holder",
        "format": "csv",
        "records": 1,
        "rows": 1,
        "purposes": [],
        "access": "open",
        "annotations": [],
        "consent": {},
        "licenses": {},
        "platforms": {},
        "made_at": NOW,
    }


def roots(sessions: Sessions) -> dict[int, int]:
    with sessions() as session:
        return {row.id: row.root_id for row in session.execute(select(Contributor.id, Contributor.root_id))}


def recompute(sessions: Sessions, ids: Sequence[int]) -> set[int]:
    with transaction(sessions) as session:
        return aliases.recompute_roots(session, ids)


def naive(links: Sequence[Link], manifests: Sequence[tuple[str, bool, bool]]) -> dict[int, int]:
    """The rule as design section 5 says it, link by link."""

    def counts(number: int | None) -> bool:
        state, approved, suspended = manifests[(number or 1) - 1]
        return number is None or (
            state in {"logged", "published", "retracted"} and approved and not suspended
        )

    expected = {one: one for one in (*ALIASES, *NUMBERS)}
    for alias in ALIASES:
        numbers = {
            number
            for one, number, first, second, how in links
            if one == alias
            and (how == "proof" or (counts(first) and counts(second if how == "photo" else None)))
        }
        if len(numbers) == 1:
            expected[alias] = numbers.pop()
    return expected


MANIFESTS = st.lists(st.tuples(st.sampled_from(STATES), st.booleans(), st.booleans()), min_size=3, max_size=3)
LINKS = st.lists(
    st.tuples(
        st.sampled_from(ALIASES),
        st.sampled_from(NUMBERS),
        st.integers(1, 3),
        st.integers(1, 3),
        st.sampled_from(["record", "photo", "proof"]),
    ),
    max_size=6,
)


@given(LINKS, MANIFESTS, st.permutations([*ALIASES, *NUMBERS]))
def test_roots_are_what_counting_links_say_in_whatever_order_they_are_asked(
    links: list[Link], manifests: list[tuple[str, bool, bool]], order: list[int]
) -> None:
    with TemporaryDirectory() as folder, tables(Path(folder)) as sessions:
        lay(sessions, links, manifests)
        for one in order:
            recompute(sessions, [one])
        assert roots(sessions) == naive(links, manifests)
        assert recompute(sessions, order) == set()


@pytest.fixture
def sessions(tmp_path: Path) -> Iterator[Sessions]:
    with tables(tmp_path) as made:
        yield made


PUBLISHED = ("published", True, False)


def test_what_changed_is_told(sessions: Sessions) -> None:
    lay(sessions, [(1, 11, 1, None, "record"), (2, 11, 1, None, "record")], [PUBLISHED])
    assert (recompute(sessions, [11]), recompute(sessions, [1, 2, 11])) == ({1, 2}, set())


def test_an_alias_with_two_numbers_merges_with_none_and_is_shown(sessions: Sessions) -> None:
    lay(sessions, [(1, 11, 1, None, "record"), (1, 12, 2, 1, "photo")], [PUBLISHED, PUBLISHED])
    recompute(sessions, [1])
    with sessions() as session:
        found = aliases.conflicts(session)
    assert roots(sessions)[1] == 1
    assert found == [
        {
            "kind": "alias-with-two-numbers",
            "alias": "flickr:alias1",
            "numbers": [
                {"number": "flickr:12345611@N00", "sources": [{"how": "record", "versions": ["p1/d@1"]}]},
                {
                    "number": "flickr:12345612@N00",
                    "sources": [{"how": "photo", "versions": ["p2/d@1", "p1/d@1"]}],
                },
            ],
        }
    ]


def test_a_conflict_that_ends_merges_again(sessions: Sessions) -> None:
    lay(sessions, [(1, 11, 1, None, "record"), (1, 12, 2, None, "record")], [PUBLISHED, PUBLISHED])
    recompute(sessions, [1])
    with transaction(sessions) as session:
        session.execute(update(Manifest).where(Manifest.id == 2).values(state="voided"))
        changed = aliases.recompute_for_manifest(session, 2)
    assert (changed, roots(sessions)[1]) == ({1}, 11)


def test_an_unapproved_publisher_neither_joins_nor_parts(sessions: Sessions) -> None:
    lay(
        sessions,
        [(1, 11, 1, None, "record"), (1, 12, 2, None, "record"), (2, 12, 2, None, "record")],
        [PUBLISHED, ("published", False, False)],
    )
    recompute(sessions, [1, 2])
    with sessions() as session:
        assert aliases.conflicts(session) == []
    assert [roots(sessions)[alias] for alias in (1, 2)] == [11, 2]


def test_approving_a_publisher_settles_all_it_links(sessions: Sessions) -> None:
    lay(sessions, [(1, 11, 1, None, "record"), (2, 12, 1, None, "record")], [("published", False, False)])
    with transaction(sessions) as session:
        session.execute(update(Publisher).values(approved=True))
        changed = aliases.recompute_for_publisher(session, 1)
    assert changed == {1, 2}
