"""The matching rule by example, each claim of design section 5 once. test_match_history.py holds it to an oracle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pyroaring import BitMap64
from sqlalchemy import event, select, update

from byline.errors import Unavailable
from byline.formats.selectors import fingerprint
from registry.database import transaction
from registry.models import Base, Fingerprint, Job, Match, MatcherState, OptOut
from registry.optouts import match as matcher
from registry.optouts.facts import read_facts
from registry.optouts.match import ask, match_manifest, match_opt_out
from tests.registry.optouts.small_registry import Line, SmallRegistry, static

OWNER = "flickr:11@N00"
ALIAS = "flickr:anna"
OTHER = "flickr:22@N00"
PHOTO = "flickr:3072908271"
FLOWER = Line(makers=(OWNER,), photos=(PHOTO,), url=static(3072908271))
SEEN = Line(photos=(PHOTO,), url=static(3072908271))
DIGEST = "ab" * 32


def reached(here: SmallRegistry, asked: str) -> dict[tuple[int, str], set[int]]:
    """(manifest, strength) -> rows."""
    with here.sessions() as session:
        found = session.scalars(select(Match).where(Match.opt_out_id == asked))
        return {(one.manifest_id, one.strength): set(BitMap64.deserialize(one.rows)) for one in found}


def fingerprints(here: SmallRegistry, asked: str) -> set[int]:
    with here.sessions() as session:
        return set(session.scalars(select(Fingerprint.k).where(Fingerprint.opt_out_id == asked)))


def test_an_opt_out_travels_through_the_photo(here: SmallRegistry) -> None:
    flowers = here.publish("museum/flowers", "1", [Line(), FLOWER])
    coco = here.publish("archive/coco", "1", [Line(), Line(), SEEN])
    asked, _ = here.opt_out(OWNER)
    assert reached(here, asked) == {(flowers, "full"): {1}, (coco, "full"): {2}}


def test_it_reaches_a_dataset_that_comes_later(here: SmallRegistry) -> None:
    flowers = here.publish("museum/flowers", "1", [FLOWER])
    asked, _ = here.opt_out(OWNER)
    coco = here.publish("archive/coco", "1", [SEEN])
    assert reached(here, asked) == {(flowers, "full"): {0}, (coco, "full"): {0}}


def test_an_attribution_that_comes_later_reaches_a_dataset_that_stood_before(here: SmallRegistry) -> None:
    coco = here.publish("archive/coco", "1", [SEEN])
    asked, _ = here.opt_out(OWNER)
    flowers = here.publish("museum/flowers", "1", [FLOWER])
    assert reached(here, asked) == {(flowers, "full"): {0}, (coco, "full"): {0}}


def test_a_strangers_attribution_adds_nothing_elsewhere(here: SmallRegistry) -> None:
    here.publish("archive/coco", "1", [SEEN])
    bait = here.publish("stranger/bait", "1", [FLOWER])
    asked, _ = here.opt_out(OWNER)
    assert reached(here, asked) == {(bait, "full"): {0}}


def test_a_strangers_contrary_row_blocks_nothing(here: SmallRegistry) -> None:
    flowers = here.publish("museum/flowers", "1", [FLOWER])
    bait = here.publish("stranger/bait", "1", [Line(makers=(OTHER,), photos=(PHOTO,))])
    asked, _ = here.opt_out(OWNER)
    assert reached(here, asked) == {(flowers, "full"): {0}, (bait, "full"): {0}}


def test_where_counting_sources_disagree_the_publisher_decides(here: SmallRegistry) -> None:
    flowers = here.publish("museum/flowers", "1", [FLOWER])
    coco = here.publish("archive/coco", "1", [Line(makers=(OTHER,), photos=(PHOTO,))])
    asked, _ = here.opt_out(OWNER)
    assert (reached(here, asked), fingerprints(here, asked)) == (
        {(flowers, "full"): {0}, (coco, "asserted"): {0}},
        set(),
    )


def test_when_the_contrary_source_is_suspended_it_contradicts_no_more(here: SmallRegistry) -> None:
    here.publish("museum/flowers", "1", [FLOWER])
    coco = here.publish("archive/coco", "1", [Line(makers=(OTHER,), photos=(PHOTO,))])
    asked, _ = here.opt_out(OWNER)
    here.set_standing(2, approved=True, suspended=True)
    assert reached(here, asked)[coco, "full"] == {0}


def test_an_alias_and_a_number_are_one_once_a_record_shows_both(here: SmallRegistry) -> None:
    by_alias = here.publish("museum/a", "1", [Line(makers=(ALIAS,))])
    asked, _ = here.opt_out(OWNER)
    before = reached(here, asked)
    both = here.publish("archive/b", "1", [Line(makers=(ALIAS, OWNER))])
    assert (before, reached(here, asked)) == ({}, {(by_alias, "full"): {0}, (both, "full"): {0}})


def test_an_alias_and_a_number_are_one_where_one_photo_is_attributed_to_each(here: SmallRegistry) -> None:
    by_alias = here.publish("museum/a", "1", [Line(makers=(ALIAS,), photos=(PHOTO,)), Line(makers=(ALIAS,))])
    by_number = here.publish("archive/b", "1", [FLOWER])
    asked, _ = here.opt_out(OWNER)
    assert reached(here, asked) == {(by_alias, "full"): {0, 1}, (by_number, "full"): {0}}


def test_an_alias_with_two_numbers_is_neither(here: SmallRegistry) -> None:
    here.publish("museum/a", "1", [Line(makers=(ALIAS,)), Line(makers=(ALIAS, OWNER))])
    asked, _ = here.opt_out(OWNER)
    both = here.publish("archive/b", "1", [Line(makers=(ALIAS, OTHER))])
    assert (reached(here, asked), both) == ({(1, "full"): {1}}, 2)


def test_equal_digests_bridge_nothing(here: SmallRegistry) -> None:
    flowers = here.publish("museum/flowers", "1", [Line(makers=(OWNER,), photos=(PHOTO,), sha256=DIGEST)])
    here.publish("archive/coco", "1", [Line(photos=("flickr:7",), sha256=DIGEST), Line(sha256=DIGEST)])
    asked, _ = here.opt_out(OWNER)
    assert reached(here, asked) == {(flowers, "full"): {0}}


def test_a_row_with_two_photos_bridges_nothing(here: SmallRegistry) -> None:
    flowers = here.publish("museum/flowers", "1", [Line(makers=(OWNER,), photos=(PHOTO, "flickr:7"))])
    here.publish("archive/coco", "1", [SEEN])
    asked, _ = here.opt_out(OWNER)
    assert reached(here, asked) == {(flowers, "full"): {0}}


def test_a_row_with_two_photos_is_reached_by_either(here: SmallRegistry) -> None:
    collage = here.publish("museum/a", "1", [Line(photos=(PHOTO, "flickr:7"))])
    asked, _ = here.opt_out_items(static(7))
    assert reached(here, asked) == {(collage, "full"): {0}}


def test_of_two_makers_of_a_row_one_suffices(here: SmallRegistry) -> None:
    joint = here.publish("museum/a", "1", [Line(makers=(OWNER, OTHER), photos=(PHOTO,))])
    coco = here.publish("archive/coco", "1", [SEEN])
    asked, _ = here.opt_out(OWNER)
    assert reached(here, asked) == {(joint, "full"): {0}, (coco, "full"): {0}}


def test_a_name_reaches_its_dataset_and_no_other(here: SmallRegistry) -> None:
    name = "name:museum/a:Jane Doe"
    named = here.publish("museum/a", "1", [Line(makers=(name,), photos=(PHOTO,))])
    here.publish("archive/coco", "1", [SEEN, Line(makers=("name:archive/coco:Jane Doe",))])
    asked, _ = here.opt_out(name, assurance="asserted")
    assert reached(here, asked) == {(named, "full"): {0}}


def test_a_name_contradicts_nobody(here: SmallRegistry) -> None:
    here.publish("museum/flowers", "1", [FLOWER])
    coco = here.publish("archive/coco", "1", [Line(makers=("name:archive/coco:Jane",), photos=(PHOTO,))])
    asked, _ = here.opt_out(OWNER)
    assert reached(here, asked)[coco, "full"] == {0}


@pytest.mark.parametrize(
    ("item", "line"),
    [
        (static(3072908271, "0000000001"), SEEN),
        ("https://example.org/me.jpg?w=1", Line(url="http://EXAMPLE.org:80/me.jpg?w=1#x")),
        (f"sha256:{DIGEST}", Line(url="https://example.org/other.jpg", sha256=DIGEST)),
    ],
    ids=["a photo by another of its URLs", "a URL in another spelling", "a file's digest"],
)
def test_an_item_reaches_every_row_that_shows_it(here: SmallRegistry, item: str, line: Line) -> None:
    one = here.publish("museum/a", "1", [Line(), line])
    two = here.publish("stranger/b", "1", [line])
    asked, _ = here.opt_out_items(item)
    assert reached(here, asked) == {(one, "full"): {1}, (two, "full"): {0}}


def test_a_host_covers_what_is_under_it_and_nothing_beside_it(here: SmallRegistry) -> None:
    urls = ["https://example.org/1.jpg", "http://IMG.Example.org./2", "//example.org:8080/3", "example.org/4"]
    beside = ["https://notexample.org/5.jpg", "https://x.com/?u=https://example.org/6", None, "not a url"]
    lines = [*(Line(url=url) for url in urls), *(Line(url=url) for url in beside)]
    lines.append(Line(url="https://x.com/7", landing_url="https://www.example.org/7"))
    site = here.publish("museum/a", "1", lines)
    asked, _ = here.opt_out("host:example.org")
    assert reached(here, asked) == {(site, "full"): {0, 1, 2, 3, 8}}


def test_a_host_reaches_a_dataset_that_comes_later(here: SmallRegistry) -> None:
    asked, _ = here.opt_out("host:example.org")
    here.publish("museum/a", "1", [Line(url="https://other.org/1")])
    site = here.publish("museum/b", "1", [Line(), Line(url="https://m.example.org/1")])
    assert reached(here, asked) == {(site, "full"): {1}}


def test_one_limited_to_a_dataset_reaches_that_dataset(here: SmallRegistry) -> None:
    here.publish("museum/flowers", "1", [FLOWER])
    coco = here.publish("archive/coco", "1", [SEEN])
    asked, _ = here.opt_out(OWNER, datasets=["archive/coco"])
    assert reached(here, asked) == {(coco, "full"): {0}}


def test_every_version_that_stands_is_reached(here: SmallRegistry) -> None:
    one = here.publish("museum/flowers", "1", [FLOWER])
    two = here.publish("museum/flowers", "2", [Line(), FLOWER], supersedes=one)
    asked, _ = here.opt_out(OWNER)
    assert reached(here, asked) == {(one, "full"): {0}, (two, "full"): {1}}


def test_a_digest_on_several_photos_is_no_fingerprint(here: SmallRegistry) -> None:
    lines = [Line(makers=(OWNER,), photos=(f"flickr:{n}",), sha256=DIGEST) for n in (1, 2)]
    here.publish("museum/a", "1", [*lines, Line(makers=(OWNER,), photos=("flickr:3",), sha256="cd" * 32)])
    asked, _ = here.opt_out(OWNER)
    assert fingerprints(here, asked) == {fingerprint("sha256", "cd" * 32)}


def test_a_withheld_datasets_urls_are_no_fingerprints(here: SmallRegistry) -> None:
    here.publish("museum/flowers", "1", [FLOWER])
    here.publish(
        "archive/secret",
        "1",
        [Line(photos=(PHOTO,), url=static(3072908271, "0123456789"))],
        visibility="withheld",
    )
    asked, _ = here.opt_out(OWNER)
    assert fingerprints(here, asked) == {fingerprint("fs", "3072908271_abcdef0123")}


def test_matching_again_changes_nothing(here: SmallRegistry) -> None:
    flowers = here.publish("museum/flowers", "1", [FLOWER])
    asked, _ = here.opt_out(OWNER)
    before = reached(here, asked)
    for _ in range(2):
        match_manifest(here.sessions, items=here.items, store=here.store, manifest_id=flowers, now=here.now)
    assert reached(here, asked) == before


@pytest.mark.parametrize(
    ("table", "number"),
    [(MatcherState, "changes"), (OptOut, "generation")],
    ids=["rows changed", "the same opt-out"],
)
def test_what_another_matcher_wrote_meanwhile_is_not_overwritten(
    here: SmallRegistry, monkeypatch: pytest.MonkeyPatch, table: type[Base], number: str
) -> None:
    """The write rests on reading that is out of date: it is dropped, and all is read again."""
    here.publish("museum/flowers", "1", [FLOWER])
    made = here.ask(claims=[here.claim(OWNER)])
    readings = []
    real = read_facts

    def read_and_be_overtaken(*args: Any) -> Any:
        facts = real(*args)
        readings.append(facts)
        if len(readings) == 1:
            with transaction(here.sessions) as session:
                session.execute(update(table).values({number: 100}))
        return facts

    monkeypatch.setattr(matcher, "read_facts", read_and_be_overtaken)
    match_opt_out(here.sessions, items=here.items, store=here.store, opt_out_id=made["id"], now=here.now)
    assert (len(readings), len(reached(here, made["id"]))) == (2, 1)


def test_other_opt_outs_that_are_matched_meanwhile_hold_nobody_up(
    here: SmallRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a large version, whose matching takes long, would never come to its end while people opt out."""
    asked, _ = here.opt_out(OWNER)
    others: list[str] = []
    readings = []
    real = read_facts

    def read_while_others_opt_out(*args: Any) -> Any:
        facts = real(*args)
        readings.append(facts)
        if not others:
            others.append("")
            others.append(here.opt_out("flickr:99@N00")[0])
        return facts

    monkeypatch.setattr(matcher, "read_facts", read_while_others_opt_out)
    version = here.publish("museum/flowers", "1", [FLOWER])
    assert len(others) == 2
    assert len(readings) == 2  # that of the version, that of the other opt-out
    assert reached(here, asked) == {(version, "full"): {0}}


def test_two_versions_that_arrive_at_once_are_matched_with_one_another(
    here: SmallRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second is logged and matched (with nobody) while the first, which names the owner, is being matched."""
    asked, _ = here.opt_out(OWNER)
    first = here.record("museum/flowers", "1", [FLOWER])
    arrived: list[int] = []
    real = read_facts

    def read_while_another_arrives(*args: Any) -> Any:
        facts = real(*args)
        if not arrived:
            arrived.append(here.record("archive/coco", "1", [SEEN]))
            match_manifest(
                here.sessions, items=here.items, store=here.store, manifest_id=arrived[0], now=here.now
            )
        return facts

    monkeypatch.setattr(matcher, "read_facts", read_while_another_arrives)
    match_manifest(here.sessions, items=here.items, store=here.store, manifest_id=first, now=here.now)
    assert reached(here, asked) == {(first, "full"): {0}, (arrived[0], "full"): {0}}


def test_a_matcher_that_is_always_overtaken_gives_up_for_now(
    here: SmallRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = here.ask(claims=[here.claim(OWNER)])

    def overtaken(*_: Any) -> None:
        raise matcher._OvertakenError

    monkeypatch.setattr(matcher, "_check_changes", overtaken)
    with pytest.raises(Unavailable) as caught:
        match_opt_out(here.sessions, items=here.items, store=here.store, opt_out_id=made["id"], now=here.now)
    assert caught.value.code == "matcher-busy"


def test_the_same_request_waits_once_and_another_beside_it(here: SmallRegistry) -> None:
    many = list(range(1000))
    with transaction(here.sessions) as session:
        for contributors in (many, many, [*many, 1000]):
            ask(session, now=here.now, contributors=contributors)
    with here.sessions() as session:
        assert len(session.scalars(select(Job).where(Job.kind == "match")).all()) == 2


@contextmanager
def statements(here: SmallRegistry) -> Iterator[list[str]]:
    """Every statement either database is asked."""
    seen: list[str] = []

    def note(_c: Any, _cur: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    engines = (here.sessions.kw["bind"], here.items)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


def test_forty_thousand_rows_in_three_datasets_take_few_statements(
    here: SmallRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(here, "write_links", lambda _manifest: None)
    for at, (dataset, maker) in enumerate(
        (("museum/a", (OWNER,)), ("archive/b", ()), ("museum/c", (OWNER,)))
    ):
        lines = [
            Line(makers=maker, photos=(f"flickr:{n}",), url=static(n, f"abcdef{at:04}"))
            for n in range(13_334)
        ]
        here.set_state(here.record(dataset, "1", lines), "published")
    made = here.ask(claims=[here.claim(OWNER)])
    with statements(here) as seen:
        match_opt_out(here.sessions, items=here.items, store=here.store, opt_out_id=made["id"], now=here.now)
    assert (len(reached(here, made["id"])), len(seen) < 60) == (3, True), len(seen)


def test_datasets_that_hold_nothing_of_somebody_are_not_opened(
    here: SmallRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    flowers = here.publish("museum/flowers", "1", [FLOWER])
    for n in range(5):
        here.publish(f"archive/d{n}", "1", [Line(makers=(OTHER,), photos=("flickr:7",))])
    opened: set[str] = set()
    real = here.store.get_range

    def note(key: str, start: int, length: int) -> bytes:
        opened.add(key)
        return real(key, start, length)

    monkeypatch.setattr(here.store, "get_range", note)
    here.opt_out(OWNER)
    assert opened == {f"records/{here.digests[flowers]}.parquet"}
