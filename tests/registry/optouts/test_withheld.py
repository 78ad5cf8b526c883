"""Versions whose rows are digests: who is reached in them, what a newer one proves, what is left when a person is erased."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyroaring import BitMap64
from sqlalchemy import select

from registry.database import transaction
from registry.models import Fingerprint, Match, Notice, OptOut, OptOutSelector, Watch, WatchEvent
from registry.optouts.erasing import erase_again
from registry.optouts.match import match_all
from registry.watches import noting
from tests.registry.optouts.small_registry import Line, SmallRegistry, small_registry, static

ME, OTHER, ALIAS = "flickr:11@N00", "flickr:22@N00", "flickr:anna"
MINE = Line(makers=(ME,), photos=("flickr:101",), url=static(101))
THEIRS = Line(makers=(OTHER,), photos=("flickr:102",), url=static(102))
KEY = bytes(range(32))


@pytest.fixture
def here(tmp_path: Path) -> Iterator[SmallRegistry]:
    with small_registry(tmp_path) as made:
        for slug in ("museum", "archive"):
            made.publisher(slug)
        yield made


def withheld(
    here: SmallRegistry, *lines: Line, version: str = "1", key: bytes = KEY, after: int | None = None
) -> int:
    return here.publish("archive/secret", version, lines, visibility="withheld", key=key, supersedes=after)


def rows(here: SmallRegistry, opt_out: str) -> dict[tuple[int, str], list[int]]:
    with here.sessions() as session:
        held = session.scalars(select(Match).where(Match.opt_out_id == opt_out)).all()
        return {(one.manifest_id, one.strength): list(BitMap64.deserialize(one.rows)) for one in held}


def notice(here: SmallRegistry, opt_out: str) -> Notice:
    with here.sessions() as session:
        return session.scalars(select(Notice).where(Notice.opt_out_id == opt_out)).one()


@pytest.mark.parametrize("first", [True, False], ids=["opt-out after it", "opt-out before it"])
@pytest.mark.parametrize("identity", [ME, "host:example.org"], ids=["by maker", "by host"])
def test_an_identity_finds_its_rows_whichever_came_first(
    here: SmallRegistry, identity: str, *, first: bool
) -> None:
    mine = MINE if identity == ME else Line(url="https://img.example.org/1.jpg")
    version = 0
    if first:
        version = withheld(here, THEIRS, mine, THEIRS)
    asked, _ = here.opt_out(identity)
    if not first:
        version = withheld(here, THEIRS, mine, THEIRS)
    assert rows(here, asked) == {(version, "full"): [1]}
    assert notice(here, asked).records == 1


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("item", [static(101), "https://example.com/1.jpg", f"sha256:{'ab' * 32}"])
def test_an_item_finds_its_rows_whichever_came_first(here: SmallRegistry, item: str, *, first: bool) -> None:
    lines = [THEIRS, MINE, Line(url="https://example.com/1.jpg"), Line(sha256="ab" * 32)]
    version = 0
    if first:
        version = withheld(here, *lines)
    asked, _ = here.opt_out_items(item)
    if not first:
        version = withheld(here, *lines)
    at = {static(101): 1, "https://example.com/1.jpg": 2}.get(item, 3)
    assert rows(here, asked) == {(version, "full"): [at]}


@pytest.mark.parametrize("first", [True, False])
def test_a_row_that_names_nobody_is_found_through_its_photo(here: SmallRegistry, *, first: bool) -> None:
    """A named dataset says whose photo it is; linked handles of that maker stand here."""
    open_ = here.publish("museum/a", "1", [Line(makers=(ALIAS, ME), photos=("flickr:101",)), THEIRS])
    hidden = [
        Line(photos=("flickr:101",)),
        Line(makers=(ALIAS,)),
        THEIRS,
        Line(photos=("flickr:101", "flickr:102")),
    ]
    version = 0
    if first:
        version = withheld(here, *hidden)
    asked, _ = here.opt_out(ME)
    if not first:
        version = withheld(here, *hidden)
    assert rows(here, asked) == {(open_, "full"): [0], (version, "full"): [0, 1]}


def test_what_withheld_rows_say_is_heard_about_no_other_rows(here: SmallRegistry) -> None:
    withheld(here, MINE)
    here.publish("museum/a", "1", [Line(photos=("flickr:101",), url=static(101))])
    asked, _ = here.opt_out(ME)
    assert len(rows(here, asked)) == 1
    with here.sessions() as session:
        assert session.scalars(select(Fingerprint)).all() == []


def test_rows_gone_under_the_same_key_are_evidence(here: SmallRegistry) -> None:
    first = withheld(here, MINE, THEIRS)
    asked, _ = here.opt_out(ME)
    withheld(here, THEIRS, version="2", after=first)
    assert notice(here, asked).state == "unlisted"


@pytest.mark.parametrize(
    "left",
    [
        [THEIRS, dataclasses.replace(MINE, makers=(OTHER,))],
        [dataclasses.replace(one, makers=()) for one in (MINE, THEIRS)],
        [dataclasses.replace(THEIRS, photos=(), url=f"https://cdn.example.org/{n}.jpg") for n in range(2)],
    ],
    ids=["said to be another's", "makers dropped", "rehosted"],
)
def test_rows_that_are_only_harder_to_find_are_not(here: SmallRegistry, left: list[Line]) -> None:
    first = withheld(here, MINE, THEIRS)
    asked, _ = here.opt_out(ME)
    withheld(here, *left, version="2", after=first)
    assert notice(here, asked).state != "unlisted"


def test_under_another_key_nothing_can_be_compared(here: SmallRegistry) -> None:
    first = withheld(here, MINE, THEIRS)
    asked, _ = here.opt_out(ME)
    second = withheld(here, THEIRS, version="2", key=bytes(32), after=first)
    assert notice(here, asked).state != "unlisted"
    here.publish("archive/secret", "3", [THEIRS], supersedes=second)
    assert notice(here, asked).state != "unlisted"


def test_an_erased_persons_items_go_on_being_suppressed(here: SmallRegistry) -> None:
    version = withheld(here, THEIRS, MINE)
    asked, _ = here.opt_out_items(static(101))
    with transaction(here.sessions) as session:
        erase_again(session, {asked}, seal=here.seal, now=here.now)
    with here.sessions() as session:
        kept = session.scalars(select(OptOutSelector.value).where(OptOutSelector.opt_out_id == asked)).all()
        assert session.get_one(OptOut, asked).email_sealed is None
    assert kept
    assert all(value.startswith("erased:") for value in kept)
    match_all(here.sessions, items=here.items, store=here.store, now=here.now)
    assert rows(here, asked) == {(version, "full"): [1]}


def test_who_watches_a_maker_hears_of_the_first_version_that_holds_them(here: SmallRegistry) -> None:
    here.publish("museum/a", "1", [Line(makers=(ALIAS, ME))])
    with transaction(here.sessions) as session:
        session.add(
            Watch(
                id="w" * 32,
                about=ME,
                state="on",
                token_hash="0" * 64,
                made_at=here.now,
            )
        )
    versions = [withheld(here, Line(makers=(ALIAS,)), THEIRS), withheld(here, MINE, version="2", after=None)]
    versions.append(withheld(here, THEIRS, version="3"))
    digests = [here.digests[one] for one in versions]
    for digest in digests:
        with transaction(here.sessions) as session:
            noting._note_versions(session, [digest], here.now)
    with here.sessions() as session:
        told = session.execute(select(WatchEvent.kind, WatchEvent.manifest_id)).all()
    assert [tuple(one) for one in told] == [("dataset", versions[0])]
