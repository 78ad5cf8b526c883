"""Which handles are shown to be one: by one record, by one photo; and what does not link."""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlalchemy import select

from registry.database import transaction
from registry.models import AliasLink, Contributor, Publisher
from registry.publishing import attributions
from tests.registry.publishing.desk import Desk, Registry, extract_of, records

PHOTO, OTHER = 3072908271, 3072908272
NUMBER, ALIAS = "flickr:12345678@N00", "flickr:somebody"


def page(owner: str, photo: int = PHOTO) -> dict[str, Any]:
    return {"landing_url": f"https://www.flickr.com/photos/{owner}/{photo}/"}


def links(registry: Registry) -> set[tuple[str, str, str, str, int]]:
    """(alias, number, source, how, records)."""
    with registry.sessions() as session:
        keys = {row.id: row.key for row in session.scalars(select(Contributor))}
        return {
            (keys[link.alias_id], keys[link.number_id], link.source, link.how, link.records)
            for link in session.scalars(select(AliasLink))
        }


def roots(registry: Registry) -> dict[str, str]:
    with registry.sessions() as session:
        rows = session.scalars(select(Contributor)).all()
        keys = {row.id: row.key for row in rows}
        return {row.key: keys[row.root_id] for row in rows}


def second(desk: Desk, slug: str = "openwild") -> Desk:
    made = Desk(desk.registry, slug=slug)
    made.register()
    return made


def test_one_record_that_shows_both_links_them(desk: Desk, registry: Registry) -> None:
    both = {**page("somebody"), "creator_url": "https://www.flickr.com/people/12345678@N00/"}
    desk.publish(extract_of(records(both, both)))
    assert links(registry) == {(ALIAS, NUMBER, "manifest:1", "record", 2)}
    assert roots(registry) == {ALIAS: NUMBER, NUMBER: NUMBER}


def test_two_attributions_of_one_photo_link_within_a_manifest(desk: Desk, registry: Registry) -> None:
    desk.publish(extract_of(records(page("somebody"), page("12345678@N00"))))
    assert links(registry) == {(ALIAS, NUMBER, "photo:1:1", "photo", 0)}


def test_two_attributions_of_one_photo_link_across_manifests(desk: Desk, registry: Registry) -> None:
    desk.publish(extract_of(records(page("12345678@N00"))))
    second(desk).publish(extract_of(records(page("somebody"))))
    assert links(registry) == {(ALIAS, NUMBER, "photo:1:2", "photo", 0)}
    assert roots(registry)[ALIAS] == NUMBER


def test_it_does_not_matter_which_came_first(desk: Desk, registry: Registry) -> None:
    desk.publish(extract_of(records(page("somebody"))))
    second(desk).publish(extract_of(records(page("12345678@N00"))))
    assert roots(registry)[ALIAS] == NUMBER


def test_different_photos_link_nobody(desk: Desk, registry: Registry) -> None:
    desk.publish(extract_of(records(page("12345678@N00"))))
    second(desk).publish(extract_of(records(page("somebody", OTHER))))
    assert links(registry) == set()


def test_an_equal_digest_links_nobody(desk: Desk, registry: Registry) -> None:
    desk.publish(extract_of(records({**page("12345678@N00"), "sha256": "a" * 64})))
    second(desk).publish(extract_of(records({**page("somebody", OTHER), "sha256": "a" * 64})))
    assert links(registry) == set()


def test_a_row_that_shows_two_photos_links_nobody(desk: Desk, registry: Registry) -> None:
    desk.publish(extract_of(records(page("12345678@N00"))))
    two = {**page("somebody", OTHER), "url": f"https://live.staticflickr.com/1/{PHOTO}_abcdef0123_b.jpg"}
    second(desk).publish(extract_of(records(two)))
    assert links(registry) == set()


def test_an_alias_with_two_numbers_is_nobodys(desk: Desk, registry: Registry) -> None:
    desk.publish(extract_of(records(page("somebody"), page("12345678@N00"), page("87654321@N00"))))
    assert len(links(registry)) == 2
    assert roots(registry)[ALIAS] == ALIAS


def test_a_link_of_an_unapproved_publisher_is_kept_and_does_not_count(desk: Desk, registry: Registry) -> None:
    desk.publish(extract_of(records(page("12345678@N00"))))
    stranger = second(desk)
    with transaction(registry.sessions) as session:
        session.scalars(select(Publisher).where(Publisher.slug == stranger.slug)).one().approved = False
    stranger.publish(extract_of(records(page("somebody"))))
    assert len(links(registry)) == 1
    assert roots(registry)[ALIAS] == ALIAS


def test_links_of_a_refused_manifest_go_with_it(desk: Desk, registry: Registry) -> None:
    desk.publish(extract_of(records(page("12345678@N00"))))
    other = second(desk)
    extract = extract_of(records(page("somebody")))
    submission = other.submit(other.manifest(extract))
    other.send(submission, extract)
    other.change_key("revoke", other.key)  # noticed only once everything is recorded
    registry.ingest(submission)
    assert registry.view(submission)["state"] == "refused"
    assert links(registry) == set()
    with registry.items.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM item_key WHERE manifest_id = 2").scalar() == 0


def test_positions_outside_every_run_are_nobodys(desk: Desk, registry: Registry) -> None:
    desk.publish(extract_of(records({"creator_name": "Jane"}, page("12345678@N00"))))
    with registry.sessions() as session:
        handles = attributions.handles_of(session, 1)
    assert handles.at(np.array([0, 1, 2])).tolist() == [0, -1, -1]
