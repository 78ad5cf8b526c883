"""A manifest arrives: what is accepted, what it awaits, what stands in its way."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import func, select

from byline.errors import BylineError, Conflict, NotFound, Refused, Unavailable
from registry.database import transaction
from registry.models import ExtractPart, Manifest, Publisher, Submission
from registry.publishing import uploads
from tests.registry.publishing.desk import Change, Desk, Extract, Registry, extract_of, records


def count(registry: Registry, table: type[Manifest | Submission | ExtractPart]) -> int:
    with registry.sessions() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_an_accepted_manifest_awaits_its_extract(desk: Desk, registry: Registry, extract: Extract) -> None:
    view = registry.view(desk.submit(desk.manifest(extract)))
    assert (view["state"], view["awaits"]) == ("awaiting-extract", [{"part": 0, "received": 0}])


def test_a_manifest_is_kept_byte_for_byte(desk: Desk, registry: Registry, extract: Extract) -> None:
    sent = desk.manifest(extract)
    digest = registry.view(desk.submit(sent))["digest"]
    assert registry.store.get(f"manifests/{digest}.dsse.json") == sent


def test_the_same_manifest_again_answers_the_same_submission(desk: Desk, extract: Extract) -> None:
    sent = desk.manifest(extract)
    assert desk.submit(sent) == desk.submit(sent)


def test_the_same_manifest_again_after_it_is_published_changes_nothing(
    desk: Desk, registry: Registry, extract: Extract
) -> None:
    sent = desk.manifest(extract)
    submission = desk.submit(sent)
    desk.send(submission, extract)
    registry.ingest(submission)
    assert desk.submit(sent) == submission
    assert count(registry, Manifest) == 1


def test_a_version_made_from_itself_is_refused(desk: Desk, registry: Registry, extract: Extract) -> None:
    def of(name: str, version: str | None) -> Change:
        return lambda said: said.update(derived_from=[{"dataset": name, "version": version, "digest": None}])

    with registry.sessions() as session:
        slug = session.scalars(select(Publisher.slug)).one()
    desk.submit(desk.manifest(extract, change=of(f"{slug}/crops", None)))
    desk.submit(desk.manifest(extract, name="crops", version="0.9", change=of(f"{slug}/never-seen", "1")))
    desk.submit(desk.manifest(extract, name="cuts", change=of(f"{slug}/street-portraits", "1.0.0")))
    for name, parent, version in (
        ("crops", "street-portraits", None),
        ("crops", "cuts", "1.0.0"),
        ("itself", "itself", None),
    ):
        with pytest.raises(Conflict) as error:
            desk.submit(desk.manifest(extract, name=name, change=of(f"{slug}/{parent}", version)))
        assert error.value.code == "circular-lineage"
    desk.submit(desk.manifest(extract, name="crops", change=of(f"{slug}/street-portraits", "0.1")))


def test_another_manifest_of_the_same_version_is_a_conflict(desk: Desk, extract: Extract) -> None:
    desk.submit(desk.manifest(extract))
    with pytest.raises(Conflict) as error:
        desk.submit(desk.manifest(extract))
    assert error.value.code == "version-exists"


def test_a_later_manifest_overtakes_one_whose_extract_never_came(
    desk: Desk, registry: Registry, extract: Extract
) -> None:
    early = desk.manifest(extract)
    first = desk.submit(early)
    with transaction(registry.sessions) as session:
        session.add(ExtractPart(submission_id=first, part=0, received=1))
    registry.store.put(uploads.block_key(first, 0, 0), b"x")
    registry.now += dt.timedelta(seconds=1)
    second = desk.submit(desk.manifest(extract))
    ended = registry.view(first)
    assert (ended["state"], ended["errors"][0]["code"]) == ("expired", "overtaken")
    with pytest.raises(Conflict, match="is here already"):  # what is older, sent again, undoes nothing
        desk.submit(early)
    uploads.expire_overdue(registry.sessions, store=registry.store, now=registry.now)
    assert list(registry.store.list(f"uploads/{first}/")) == []
    assert count(registry, ExtractPart) == 0
    desk.send(second, extract)
    registry.ingest(second)
    assert registry.view(second)["state"] == "published"
    registry.now += dt.timedelta(seconds=1)
    with pytest.raises(Conflict, match=r"is here already \(published\)"):
        desk.submit(desk.manifest(extract))


def test_a_second_version_must_follow_the_first(desk: Desk, extract: Extract) -> None:
    first = desk.publish(extract)
    with pytest.raises(Conflict) as error:
        desk.submit(desk.manifest(extract, version="2"))
    assert (error.value.code, error.value.details) == (
        "stale-previous",
        {"subject": "dataset:lumen-labs/street-portraits", "present": first["digest"]},
    )


def test_a_second_version_may_supersede_the_newest(desk: Desk, registry: Registry, extract: Extract) -> None:
    first = desk.publish(extract)["digest"]
    second = desk.publish(extract, version="2", previous=first, supersedes=first)
    made = registry.manifest(second["digest"])
    assert made is not None
    assert made.supersedes_id is not None


def test_an_older_version_is_not_superseded_again(desk: Desk, extract: Extract) -> None:
    first = desk.publish(extract)["digest"]
    second = desk.publish(extract, version="2", previous=first, supersedes=first)["digest"]
    with pytest.raises(Conflict) as error:
        desk.submit(desk.manifest(extract, version="3", previous=second, supersedes=first))
    assert error.value.code == "superseded-not-newest"


def test_of_two_that_follow_the_same_statement_one_is_published(
    desk: Desk, registry: Registry, extract: Extract
) -> None:
    first, second = (desk.submit(desk.manifest(extract, version=version)) for version in ("1", "2"))
    for submission in (first, second):
        desk.send(submission, extract)
        registry.ingest(submission)
    assert registry.view(first)["state"] == "published"
    assert registry.view(second)["errors"][0]["code"] == "stale-previous"


def test_two_publishers_may_name_the_same_file(desk: Desk, registry: Registry, extract: Extract) -> None:
    other = Desk(registry, slug="openwild")
    other.register()
    desk.publish(extract)
    assert other.publish(extract)["state"] == "published"


def test_a_known_extract_digest_attaches_nothing(desk: Desk, registry: Registry, extract: Extract) -> None:
    desk.publish(extract)
    other = Desk(registry, slug="openwild")
    other.register()
    assert registry.view(other.submit(other.manifest(extract)))["state"] == "awaiting-extract"


def test_a_manifest_nobody_awaits_is_not_found(registry: Registry) -> None:
    with pytest.raises(NotFound):
        registry.view("0" * 32)


def test_more_records_than_the_registry_takes_are_refused_at_once(desk: Desk) -> None:
    extract = extract_of(records({"url": "https://example.org/a.jpg"}))

    def huge(predicate: dict[str, Any]) -> None:
        predicate["records"]["count"] = predicate["records"]["extract"]["rows"] = 10**12
        predicate["records"]["files"][0]["records"] = 10**12

    with pytest.raises(Refused) as error:
        desk.submit(desk.manifest(extract, change=huge))
    assert error.value.code == "too-many-records"


def test_an_extract_that_does_not_come_in_time_is_not_taken(
    desk: Desk, registry: Registry, extract: Extract
) -> None:
    submission = desk.submit(desk.manifest(extract))
    registry.now += dt.timedelta(hours=25)
    with pytest.raises(Conflict) as error:
        desk.send(submission, extract)
    assert error.value.code == "extract-not-awaited"


def test_an_expired_submission_gives_its_version_back(
    desk: Desk, registry: Registry, extract: Extract
) -> None:
    submission = desk.submit(desk.manifest(extract))
    registry.now += dt.timedelta(hours=25)
    assert uploads.expire_overdue(registry.sessions, store=registry.store, now=registry.now) == 1
    assert registry.view(submission)["state"] == "expired"
    assert desk.publish(extract)["state"] == "published"


def test_a_refused_submission_gives_its_version_back(desk: Desk, extract: Extract) -> None:
    other = extract_of(records({"url": "https://example.org/other.jpg"}, {"url": "b"}, {"url": "c"}))
    sent = desk.manifest(extract)
    submission = desk.submit(sent)
    desk.send(submission, other)
    desk.registry.ingest(submission)
    assert desk.registry.view(submission)["state"] == "refused"
    assert desk.publish(extract)["state"] == "published"


def test_a_manifest_that_was_refused_may_be_sent_again_as_it_is(
    desk: Desk, registry: Registry, extract: Extract
) -> None:
    other = extract_of(records({"url": "https://example.org/other.jpg"}))
    sent = desk.manifest(extract)
    first = desk.submit(sent)
    desk.send(first, other)
    registry.ingest(first)
    second = desk.submit(sent)
    desk.send(second, extract)
    registry.ingest(second)
    assert second != first
    assert registry.view(second)["state"] == "published"


def test_nothing_unsigned_is_kept(desk: Desk, registry: Registry, extract: Extract) -> None:
    stranger = Desk(registry, slug=desk.slug)
    with pytest.raises(BylineError) as error:
        stranger.submit(stranger.manifest(extract))
    assert error.value.code == "unknown-key"
    assert list(registry.store.list("manifests/")) == []


def test_who_only_submits_and_never_sends_is_asked_to_wait(
    desk: Desk, extract: Extract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.publishing.submit.MOST_WAITING", 1)
    desk.submit(desk.manifest(extract))
    with pytest.raises(Unavailable) as error:
        desk.submit(desk.manifest(extract, name="another"))
    assert error.value.code == "too-many-waiting"
