"""What is registered, as it is read: pages, versions, documents, and how many queries an answer takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from byline.errors import NotFound, Refused
from registry.publishing import queries
from tests.registry.publishing.desk import Desk, Extract, Registry


@contextmanager
def counted(registry: Registry) -> Iterator[list[str]]:
    """The statements sent meanwhile."""
    sent: list[str] = []

    def hear(*args: Any) -> None:
        sent.append(args[2])

    event.listen(registry.engine, "before_cursor_execute", hear)
    try:
        yield sent
    finally:
        event.remove(registry.engine, "before_cursor_execute", hear)


def publish_many(desk: Desk, extract: Extract, count: int) -> None:
    for number in range(count):
        desk.publish(extract, name=f"set-{number}")


def test_pages_follow_one_another_without_gap_or_repeat(
    desk: Desk, registry: Registry, extract: Extract
) -> None:
    publish_many(desk, extract, 5)
    names, cursor = [], None
    with registry.sessions() as session:
        while True:
            page = queries.datasets(session, limit=2, cursor=cursor)
            names += [item["dataset"] for item in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
    assert names == [f"lumen-labs/set-{number}" for number in range(5)]


def test_a_page_takes_one_query_however_long_it_is(desk: Desk, registry: Registry, extract: Extract) -> None:
    publish_many(desk, extract, 4)
    with registry.sessions() as session, counted(registry) as sent:
        queries.datasets(session, limit=10)
    assert len([one for one in sent if one.startswith("SELECT")]) == 1


def test_a_dataset_takes_the_same_queries_however_many_versions(
    desk: Desk, registry: Registry, extract: Extract
) -> None:
    previous, took = None, []
    for number in range(3):
        previous = desk.publish(extract, version=str(number), previous=previous)["digest"]
        with registry.sessions() as session, counted(registry) as sent:
            queries.dataset(session, "lumen-labs/street-portraits")
        took.append(len(sent))
    assert len(set(took)) == 1


def test_a_cursor_nobody_gave_is_refused(registry: Registry) -> None:
    with registry.sessions() as session, pytest.raises(Refused) as error:
        queries.datasets(session, limit=2, cursor="???")
    assert error.value.code == "bad-cursor"


def test_a_page_shows_the_newest_version(desk: Desk, registry: Registry, extract: Extract) -> None:
    first = desk.publish(extract)["digest"]
    desk.publish(extract, version="2", previous=first)
    with registry.sessions() as session:
        assert [item["version"] for item in queries.datasets(session, limit=9)["items"]] == ["2"]


def test_versions_are_listed_newest_first(desk: Desk, registry: Registry, extract: Extract) -> None:
    first = desk.publish(extract)["digest"]
    desk.publish(extract, version="2", previous=first)
    with registry.sessions() as session:
        shown = queries.dataset(session, "lumen-labs/street-portraits")
    assert [one["version"] for one in shown["versions"]] == ["2", "1.0.0"]


def test_the_head_is_what_the_next_statement_must_follow(
    desk: Desk, registry: Registry, extract: Extract
) -> None:
    digest = desk.publish(extract)["digest"]
    with registry.sessions() as session:
        assert queries.dataset(session, "lumen-labs/street-portraits")["head"] == digest


def test_what_is_on_its_way_is_not_found(desk: Desk, registry: Registry, extract: Extract) -> None:
    desk.submit(desk.manifest(extract))
    with registry.sessions() as session:
        assert queries.datasets(session, limit=9)["items"] == []
        assert queries.publisher(session, "lumen-labs")["datasets"] == []
        assert queries.totals(session) == {"datasets": 0, "records": 0}
        with pytest.raises(NotFound):
            queries.dataset(session, "lumen-labs/street-portraits")


def test_a_second_version_on_its_way_shows_nothing_of_itself(
    desk: Desk, registry: Registry, extract: Extract
) -> None:
    first = desk.publish(extract)["digest"]
    desk.submit(desk.manifest(extract, version="2", previous=first))
    with registry.sessions() as session:
        shown = queries.dataset(session, "lumen-labs/street-portraits")
    assert [one["version"] for one in shown["versions"]] == ["1.0.0"]


def test_the_manifest_is_given_byte_for_byte(desk: Desk, registry: Registry, extract: Extract) -> None:
    sent = desk.manifest(extract)
    submission = desk.submit(sent)
    desk.send(submission, extract)
    registry.ingest(submission)
    with registry.sessions() as session:
        given = queries.manifest_envelope(
            session, store=registry.store, dataset="lumen-labs/street-portraits", version="1.0.0"
        )
    assert given == sent


def test_the_publishers_own_croissant_is_given_as_it_is(
    desk: Desk, registry: Registry, extract: Extract
) -> None:
    own = {"@type": "sc:Dataset", "name": "Portraits", "weight": 0.5}
    desk.publish(extract, change=lambda predicate: predicate.update(croissant=own))
    with registry.sessions() as session:
        given = queries.croissant(
            session, store=registry.store, dataset="lumen-labs/street-portraits", version=None
        )
    assert given == own


def test_who_has_no_croissant_gets_a_card(desk: Desk, registry: Registry, extract: Extract) -> None:
    desk.publish(extract, change=lambda predicate: predicate.update(croissant={}))
    with registry.sessions() as session:
        given = queries.croissant(
            session, store=registry.store, dataset="lumen-labs/street-portraits", version=None
        )
    assert (given["conformsTo"], given["name"], given["license"]) == (
        "http://mlcommons.org/croissant/1.1",
        "lumen-labs/street-portraits",
        "CC-BY-2.0",
    )


def test_a_publisher_nobody_registered_is_not_found(registry: Registry) -> None:
    with registry.sessions() as session, pytest.raises(NotFound):
        queries.publisher(session, "nobody")


def test_totals_count_newest_versions(desk: Desk, registry: Registry, extract: Extract) -> None:
    first = desk.publish(extract)["digest"]
    desk.publish(extract, version="2", previous=first)
    with registry.sessions() as session:
        assert queries.totals(session) == {"datasets": 1, "records": 3}
