"""What a built feed says, and what it must never say."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from byline.formats.entries import parse_entry
from byline.formats.selectors import fingerprint
from registry.database import transaction
from registry.feed.build import is_due
from registry.models import Act, ManifestFile, Notice
from registry.optouts.status import status
from tests.registry.feed.reading import build, read
from tests.registry.optouts.small_registry import Line, SmallRegistry, static

OWNER = "flickr:11@N00"
FILE = "ab" * 32
FS = fingerprint("fs", "101_abcdef0123")


def file_of(here: SmallRegistry, manifest_id: int) -> str:
    with here.sessions() as session:
        return session.scalars(
            select(ManifestFile.sha256).where(ManifestFile.manifest_id == manifest_id)
        ).one()


def owned(number: int = 101) -> Line:
    return Line(makers=(OWNER,), photos=(f"flickr:{number}",), url=static(number))


def test_a_file_lists_the_rows_of_who_opted_out(here: SmallRegistry) -> None:
    manifest = here.publish("museum/a", "1", [Line(), owned(), Line()])
    here.opt_out(OWNER)
    build(here)
    assert read(here).rows(file_of(here, manifest)) == [{1}]


def test_the_photo_carries_the_opt_out_into_a_dataset_that_names_nobody(here: SmallRegistry) -> None:
    here.publish("museum/a", "1", [owned()])
    manifest = here.publish("archive/b", "1", [Line(), Line(photos=("flickr:101",), url=static(101))])
    here.opt_out(OWNER)
    build(here)
    assert read(here).rows(file_of(here, manifest)) == [{1}]


def test_a_file_with_nothing_dropped_is_known(here: SmallRegistry) -> None:
    manifest = here.publish("museum/a", "1", [owned()])
    build(here)
    entries = read(here).entries(file_of(here, manifest))
    assert [(one["dataset"], one["version"], one["records"], one["bitmaps"]["any"]) for one in entries] == [
        ("museum/a", "1", 1, {"n": 0})
    ]


def test_a_file_two_datasets_name_has_an_entry_of_each(here: SmallRegistry) -> None:
    here.publish("museum/a", "1", [owned()], files={0: FILE})
    here.publish("archive/b", "1", [Line(), owned()], files={0: FILE})
    here.opt_out(OWNER)
    build(here)
    assert read(here).rows(FILE) == [{1}, {0}]  # archive/b, museum/a


def test_an_unapproved_publishers_files_are_in_no_feed(here: SmallRegistry) -> None:
    here.publish("stranger/bait", "1", [owned()], files={0: FILE})
    here.opt_out(OWNER)
    build(here)
    assert read(here).entries(FILE) == []


def test_a_retracted_versions_files_leave_the_feed(here: SmallRegistry) -> None:
    manifest = here.publish("museum/a", "1", [owned()], files={0: FILE})
    here.opt_out(OWNER)
    here.end(manifest, "retracted")
    build(here)
    assert read(here).entries(FILE) == []


def test_what_a_retracted_version_protected_stays_protected(here: SmallRegistry) -> None:
    manifest = here.publish("museum/a", "1", [owned()])
    here.publish("archive/b", "1", [Line(photos=("flickr:101",), url=static(101))], files={0: FILE})
    here.opt_out(OWNER)
    here.end(manifest, "retracted")
    build(here)
    assert (read(here).rows(FILE), FS in read(here).fingerprints()) == ([{0}], True)


def test_what_a_voided_version_protected_leaves_the_feed(here: SmallRegistry) -> None:
    manifest = here.publish("museum/a", "1", [owned()])
    here.publish("archive/b", "1", [Line(photos=("flickr:101",), url=static(101))], files={0: FILE})
    here.opt_out(OWNER)
    here.end(manifest, "voided")
    build(here)
    assert (read(here).rows(FILE), FS in read(here).fingerprints()) == ([set()], False)


def test_a_row_stands_under_the_uses_objected_to(here: SmallRegistry) -> None:
    here.publish("museum/a", "1", [owned()], files={0: FILE})
    here.opt_out(OWNER, categories=["train-other"], remove_existing=False)
    build(here)
    labels = ("any", "train-other", "train-generative", "remove-existing")
    assert [read(here).rows(FILE, label) for label in labels] == [[{0}], [{0}], [set()], [set()]]


def test_the_key_feed_holds_the_static_url_with_its_categories(here: SmallRegistry) -> None:
    here.publish("museum/a", "1", [owned()])
    here.opt_out(OWNER, categories=["train-other"])
    build(here)
    assert read(here).fingerprints()[FS] == 2 | 16


def test_two_who_object_to_one_photo_join_their_categories(here: SmallRegistry) -> None:
    here.publish(
        "museum/a", "1", [Line(makers=(OWNER, "flickr:22@N00"), photos=("flickr:101",), url=static(101))]
    )
    here.opt_out(OWNER, categories=["train-other"], remove_existing=False)
    here.opt_out("flickr:22@N00", categories=["ai-search"], remove_existing=False)
    build(here)
    assert read(here).fingerprints()[FS] == 2 | 8


def test_few_keys_are_filled_up_with_ones_that_stay_the_same(here: SmallRegistry) -> None:
    build(here)
    before = read(here).fingerprints()
    here.publish("museum/a", "1", [owned()])
    here.opt_out(OWNER)
    build(here)
    after = read(here).fingerprints()
    assert (len(before), before.items() - after.items(), FS in after) == (1024, set(), True)


@pytest.mark.parametrize(
    ("said", "assurance"),
    [({"publisher_only": True}, "verified"), ({}, "asserted"), ({"datasets": ["archive/b"]}, "verified")],
    ids=["asked of publishers only", "asserted", "limited to another dataset"],
)
def test_what_may_not_be_public_is_in_neither_feed(
    here: SmallRegistry, said: dict[str, object], assurance: str
) -> None:
    here.publish("museum/a", "1", [owned()], files={0: FILE})
    here.dataset("archive/b")
    here.opt_out(OWNER, assurance=assurance, **said)
    build(here)
    assert (read(here).rows(FILE), FS in read(here).fingerprints()) == ([set()], False)


def test_one_limited_to_a_dataset_is_in_its_row_feed_only(here: SmallRegistry) -> None:
    here.publish("museum/a", "1", [owned()], files={0: FILE})
    here.opt_out(OWNER, datasets=["museum/a"])
    build(here)
    assert (read(here).rows(FILE), FS in read(here).fingerprints()) == ([{0}], False)


@pytest.mark.parametrize("relation", ["pictured", "for-someone-else"])
def test_what_a_person_in_a_picture_asked_is_never_in_a_feed(here: SmallRegistry, relation: str) -> None:
    here.publish("museum/a", "1", [owned()], files={0: FILE})
    asked, _ = here.opt_out_items(static(101), relation=relation, datasets=["museum/a"])
    with transaction(here.sessions) as session:
        session.scalars(select(Notice).where(Notice.opt_out_id == asked)).one().confirmed = True
    build(here)
    assert (read(here).rows(FILE), FS in read(here).fingerprints()) == ([set()], False)


def test_a_publisher_that_confirms_an_asserted_wish_has_it_in_its_own_row_feed(here: SmallRegistry) -> None:
    here.publish("museum/a", "1", [owned()], files={0: FILE})
    asked, _ = here.opt_out(OWNER, assurance="asserted")
    with transaction(here.sessions) as session:
        session.scalars(select(Notice).where(Notice.opt_out_id == asked)).one().confirmed = True
    build(here)
    assert (read(here).rows(FILE), FS in read(here).fingerprints()) == ([{0}], False)


def test_where_counting_sources_disagree_nothing_is_dropped_from_others(here: SmallRegistry) -> None:
    here.publish("museum/a", "1", [owned()])
    here.publish(
        "archive/b",
        "1",
        [Line(makers=("flickr:22@N00",), photos=("flickr:101",), url=static(101))],
        files={0: FILE},
    )
    here.opt_out(OWNER)
    build(here)
    assert (read(here).rows(FILE), FS in read(here).fingerprints()) == ([set()], False)


def test_a_listed_host_stands_in_the_key_feed(here: SmallRegistry) -> None:
    here.opt_out("host:example.org", listed=True)
    build(here)
    assert (read(here).head["hosts_n"], fingerprint("h", "example.org") in read(here).fingerprints()) == (
        1,
        True,
    )


def test_a_host_whose_owner_did_not_choose_it_is_not_listed(here: SmallRegistry) -> None:
    here.opt_out("host:example.org")
    build(here)
    assert (read(here).head["hosts_n"], fingerprint("h", "example.org") in read(here).fingerprints()) == (
        0,
        False,
    )


def test_coverage_counts_each_opt_out_once(here: SmallRegistry) -> None:
    here.publish(
        "museum/a", "1", [owned(), Line(makers=("web:example.org/me",), url="https://example.org/1.jpg")]
    )
    here.opt_out(OWNER)
    here.opt_out("web:https://example.org/me")
    here.opt_out("flickr:99@N00")
    here.opt_out(OWNER, publisher_only=True)
    here.opt_out_items(static(101), relation="pictured", datasets=["museum/a"])
    build(here)
    assert read(here).head["coverage"] == {
        "opt_outs": 5,
        "as_fingerprints": 1,
        "rows_only": 1,
        "publisher_only": 2,
        "not_expressible": 1,
    }


def test_nothing_changed_makes_no_new_head(here: SmallRegistry) -> None:
    build(here)
    assert build(here, now=here.now + dt.timedelta(days=1)) is None


def test_a_head_is_renewed_before_it_lapses(here: SmallRegistry) -> None:
    build(here)
    build(here, now=here.now + dt.timedelta(days=4))
    assert (read(here).head["seq"], read(here).head["expires"]) == (2, "2026-12-03T12:00:00Z")


def test_every_head_is_in_the_log(here: SmallRegistry) -> None:
    head = build(here)
    assert head is not None
    with here.sessions() as session:
        leaf = session.scalars(select(Act.leaf).where(Act.kind == "feed")).one()
    assert leaf is not None
    assert parse_entry(leaf)["digest"] == head.sha256


def test_a_status_names_the_first_head_that_shows_it(here: SmallRegistry) -> None:
    build(here)
    asked, token = here.opt_out(OWNER)
    seqs = []
    for _ in range(2):
        with here.sessions() as session:
            seqs.append(status(session, opt_out_id=asked, token=token)["feed_seq"])
        build(here)
    assert seqs == [None, 2]


def test_a_withdrawal_shows_in_the_next_head(here: SmallRegistry) -> None:
    here.publish("museum/a", "1", [owned()], files={0: FILE})
    asked, token = here.opt_out(OWNER)
    build(here)
    here.withdraw(asked, token)
    build(here)
    with here.sessions() as session:
        shown = status(session, opt_out_id=asked, token=token)["feed_seq"]
    assert (read(here).rows(FILE), FS in read(here).fingerprints(), shown) == ([set()], False, 2)


def test_a_build_is_due_when_something_happened(here: SmallRegistry) -> None:
    build(here)
    due = []
    for _ in range(2):
        with here.sessions() as session:
            due.append(is_due(session, settings=here.settings, now=here.now))
        here.opt_out(OWNER)
    assert due == [False, True]
