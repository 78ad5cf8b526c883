"""A person was erased: nothing says any more who it was, and tomorrow's datasets are matched all the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from byline.formats.selectors import fingerprint
from registry.contributors.sealed import hosts_of
from registry.models import Fingerprint, Match, OptOutSelector
from registry.optouts.match import match_all
from tests.registry.optouts.small_registry import Line, SmallRegistry, small_registry

ME, OTHER, ALIAS = "flickr:11@N00", "flickr:22@N00", "flickr:anna"
NAME = "name:museum/a:Jane Doe"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[SmallRegistry]:
    with small_registry(tmp_path) as made:
        made.publisher("museum")
        yield made


def erased(here: SmallRegistry, identity: str, **said: Any) -> str:
    """Somebody opts out, and has everything erased."""
    made, _ = here.opt_out(identity, **said)
    here.erase({made, *(one.id for one in here.claims_of(made))})
    return made


def matched(here: SmallRegistry, opt_out: str) -> set[int]:
    with here.sessions() as session:
        return set(session.scalars(select(Match.manifest_id).where(Match.opt_out_id == opt_out)))


@pytest.mark.parametrize("identity", [ME, ALIAS, NAME, "host:jane.example.org"])
def test_nothing_that_is_kept_can_be_read_back(here: SmallRegistry, identity: str) -> None:
    made = erased(here, identity)
    with here.sessions() as session:
        kept = session.scalars(select(OptOutSelector).where(OptOutSelector.opt_out_id == made)).all()
    [one] = kept
    _, _, value = identity.partition(":") if one.kind in {"host", "name"} else ("", "", identity)
    assert one.value == f"erased:{one.k:015x}"
    assert one.k != fingerprint(one.kind, value), "who tries names must have the seal"
    assert one.k_beside is None


@pytest.mark.parametrize("known_before", [True, False])
@pytest.mark.parametrize("identity", [ME, NAME])
def test_tomorrows_datasets_are_matched(here: SmallRegistry, identity: str, *, known_before: bool) -> None:
    first = here.publish("museum/a", "1", [Line(makers=(identity,))]) if known_before else None
    made = erased(here, identity)
    second = here.publish("museum/a", "2", [Line(makers=(OTHER,)), Line(makers=(identity,))])
    assert matched(here, made) == {one for one in (first, second) if one}
    match_all(here.sessions, items=here.items, store=here.store, now=here.now)
    assert matched(here, made) == {one for one in (first, second) if one}


def test_a_handle_that_turns_out_to_be_theirs_is_reached_too(here: SmallRegistry) -> None:
    made = erased(here, ME)
    alone = here.publish("museum/a", "1", [Line(makers=(ALIAS,))])
    assert matched(here, made) == set()
    linked = here.publish("museum/b", "1", [Line(makers=(ALIAS, ME))])
    assert matched(here, made) == {alone, linked}


def test_a_site_goes_on_being_found(here: SmallRegistry) -> None:
    made = erased(here, "host:jane.example.org", listed=True)
    here.publish("museum/a", "1", [Line(url="https://example.org/1.jpg")])
    theirs = here.publish("museum/a", "2", [Line(url="https://pics.jane.example.org/1.jpg")])
    assert matched(here, made) == {theirs}
    with here.sessions() as session:
        shown = session.scalars(select(Fingerprint.k).where(Fingerprint.opt_out_id == made)).all()
        assert shown == [fingerprint("h", "jane.example.org")]  # it was in the feed for all to see
        assert "jane.example.org" in hosts_of(session, here.values_of(made))
        assert "john.example.org" not in hosts_of(session, here.values_of(made))


def test_versions_of_digests_that_stood_go_on_being_matched(here: SmallRegistry) -> None:
    version = here.publish(
        "museum/secret", "1", [Line(makers=(ME,)), Line(makers=(OTHER,))], visibility="withheld"
    )
    made = erased(here, ME)
    match_all(here.sessions, items=here.items, store=here.store, now=here.now)
    assert matched(here, made) == {version}
