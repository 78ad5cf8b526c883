"""The bytes of an extract: resumed where they stopped, taken only where they are awaited."""

from __future__ import annotations

import hashlib
import io
import shutil

import pytest
from sqlalchemy import select

from byline.errors import Conflict, NotFound, Refused, Unavailable
from registry.database import transaction
from registry.models import Job, Publisher
from registry.publishing import uploads
from tests.registry.publishing.desk import Desk, Extract, Registry, registry_in, spoiled


@pytest.fixture
def submission(desk: Desk, extract: Extract) -> str:
    return desk.submit(desk.manifest(extract))


def jobs(registry: Registry) -> list[tuple[str, str, str]]:
    with registry.sessions() as session:
        return [
            (job.lane, job.kind, job.key) for job in session.scalars(select(Job).where(Job.kind == "ingest"))
        ]


def test_the_last_byte_makes_the_ingest_due(
    desk: Desk, registry: Registry, extract: Extract, submission: str
) -> None:
    answer = desk.send(submission, extract)
    assert answer["state"] == "received"
    assert jobs(registry) == [("long", "ingest", submission)]


def test_an_upload_goes_on_where_it_stopped(
    desk: Desk, registry: Registry, extract: Extract, submission: str
) -> None:
    [data] = extract.parts
    desk.put(submission, data[:100], total=len(data))
    assert registry.view(submission)["awaits"] == [{"part": 0, "received": 100}]
    desk.put(submission, data[100:], offset=100, total=len(data))
    registry.ingest(submission)
    assert registry.view(submission)["state"] == "published"


def test_a_connection_that_breaks_keeps_what_came(
    desk: Desk, registry: Registry, extract: Extract, submission: str
) -> None:
    [data] = extract.parts
    sent = uploads.Range(0, 1, 0, len(data), len(data), None)
    answer = uploads.receive_part(
        registry.sessions, store=registry.store, submission_id=submission, sent=sent, stream=io.BytesIO(data[:70]),
        settings=registry.settings, now=registry.now,
    )  # fmt: skip
    assert answer == {"part": 0, "received": 70, "size": len(data), "state": "awaiting-extract"}


def test_blocks_are_kept_one_by_one(
    desk: Desk, registry: Registry, submission: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "BLOCK", 1000)
    desk.put(submission, b"x" * 2500, total=3000)
    assert len(list(registry.store.list(f"uploads/{submission}/"))) == 3


def test_a_range_that_leaves_a_hole_names_where_to_go_on(
    desk: Desk, extract: Extract, submission: str
) -> None:
    [data] = extract.parts
    desk.put(submission, data[:100], total=len(data))
    with pytest.raises(Conflict) as error:
        desk.put(submission, data[200:], offset=200, total=len(data))
    assert (error.value.code, error.value.details) == ("wrong-offset", {"received": 100})


def test_a_part_of_another_size_is_a_conflict(desk: Desk, submission: str) -> None:
    desk.put(submission, b"x" * 10, total=100)
    with pytest.raises(Conflict) as error:
        desk.put(submission, b"x" * 10, offset=10, total=99)
    assert error.value.code == "size-changed"


def test_the_number_of_parts_is_settled_by_the_first(desk: Desk, submission: str) -> None:
    desk.put(submission, b"x" * 10, total=100, parts=2)
    with pytest.raises(Conflict) as error:
        desk.put(submission, b"x" * 10, part=2, parts=3)
    assert error.value.code == "parts-changed"


def test_parts_may_come_in_any_order(desk: Desk, registry: Registry, submission: str) -> None:
    desk.put(submission, b"x" * 10, part=1, parts=2)
    assert registry.view(submission)["awaits"] == [{"part": 0, "received": 0}]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("no-such-part", {"part": 1, "parts": 1}),
        ("no-such-part", {"part": 0, "parts": 65}),
        ("part-too-large", {"total": (4 << 30) + 1}),
        ("bad-range", {"total": 5}),
    ],
)
def test_a_range_outside_every_part_is_refused(
    desk: Desk, submission: str, code: str, said: dict[str, int]
) -> None:
    with pytest.raises(Refused) as error:
        desk.put(submission, b"x" * 10, **said)  # type: ignore[arg-type]
    assert error.value.code == code


def test_a_part_that_is_not_what_its_digest_says_begins_anew(
    desk: Desk, registry: Registry, submission: str
) -> None:
    with pytest.raises(Refused) as error:
        desk.put(submission, b"x" * 10, sha256=hashlib.sha256(b"y").hexdigest())
    assert error.value.code == "part-digest-mismatch"
    assert registry.view(submission)["awaits"] == [{"part": 0, "received": 0}]


def test_a_part_that_is_what_its_digest_says_is_taken(desk: Desk, extract: Extract, submission: str) -> None:
    [data] = extract.parts
    assert desk.put(submission, data, sha256=hashlib.sha256(data).hexdigest())["state"] == "received"


def test_a_received_extract_takes_no_more(desk: Desk, extract: Extract, submission: str) -> None:
    desk.send(submission, extract)
    with pytest.raises(Conflict) as error:
        desk.send(submission, extract)
    assert error.value.code == "extract-not-awaited"


def test_bytes_for_no_submission_are_not_taken(desk: Desk) -> None:
    with pytest.raises(NotFound):
        desk.put("0" * 32, b"x")


def test_a_publisher_has_a_quota(tmp_path_factory: pytest.TempPathFactory, extract: Extract) -> None:
    with registry_in(tmp_path_factory.mktemp("quota"), publisher_quota=100) as registry:
        desk = Desk(registry)
        desk.register()
        with pytest.raises(Unavailable) as error:
            desk.send(desk.submit(desk.manifest(extract)), extract)
        assert error.value.code == "quota-reached"


def test_publishers_nobody_approved_share_a_quota_and_one_has_a_quarter(
    tmp_path_factory: pytest.TempPathFactory, extract: Extract
) -> None:
    size = len(extract.parts[0])
    limits = {"publisher_policy": "approved", "unapproved_quota": 4 * size + 3}
    with registry_in(tmp_path_factory.mktemp("unapproved"), **limits) as registry:
        for number in range(4):  # published ones count as well
            assert stranger(registry, number).publish(extract)["state"] == "published"
        fifth = stranger(registry, 4)
        with pytest.raises(Unavailable) as error:
            fifth.send(fifth.submit(fifth.manifest(extract)), extract)
        assert error.value.code == "unapproved-quota-reached"
        approve(registry, "stranger-4")
        assert fifth.publish(extract, name="other")["state"] == "published"


def test_one_stranger_has_a_quarter_of_it(tmp_path_factory: pytest.TempPathFactory, extract: Extract) -> None:
    limits = {"publisher_policy": "approved", "unapproved_quota": 4 * len(extract.parts[0]) + 3}
    with registry_in(tmp_path_factory.mktemp("quarter"), **limits) as registry:
        desk = stranger(registry, 0)
        first = desk.publish(extract)
        with pytest.raises(Unavailable) as error:
            desk.send(desk.submit(desk.manifest(extract, name="second")), extract)
        assert error.value.code == "unapproved-quota-reached"
        digest = first["digest"]
        desk.retract(desk.retraction(digest, previous=digest))  # what is gone is given back
        assert desk.publish(extract, name="third")["state"] == "published"


def test_a_quota_ends_an_upload_in_its_middle_and_keeps_what_came(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, extract: Extract
) -> None:
    monkeypatch.setattr(uploads, "BLOCK", 64)
    with registry_in(tmp_path_factory.mktemp("middle"), publisher_quota=200) as registry:
        desk = Desk(registry)
        desk.register()
        submission = desk.submit(desk.manifest(extract))
        with pytest.raises(Unavailable) as error:
            desk.send(submission, extract)
        assert error.value.code == "quota-reached"
        assert registry.view(submission)["awaits"] == [{"part": 0, "received": 192}]


def stranger(registry: Registry, number: int) -> Desk:
    desk = Desk(registry, slug=f"stranger-{number}")
    desk.register()
    return desk


def approve(registry: Registry, slug: str) -> None:
    with transaction(registry.sessions) as session:
        session.scalars(select(Publisher).where(Publisher.slug == slug)).one().approved = True


def test_a_disk_that_fills_up_takes_no_uploads(
    desk: Desk, registry: Registry, extract: Extract, submission: str
) -> None:
    free = shutil.disk_usage(registry.settings.data_dir).free
    object.__setattr__(registry.settings, "disk_reserve", free + (1 << 40))
    with pytest.raises(Unavailable) as error:
        desk.send(submission, extract)
    assert error.value.code == "disk-full"


def test_uploads_are_gone_once_published(desk: Desk, registry: Registry, extract: Extract) -> None:
    desk.publish(extract)
    assert list(registry.store.list("uploads/")) == []


def test_uploads_are_gone_once_refused(desk: Desk, registry: Registry, extract: Extract) -> None:
    wrong = spoiled(extract, sha256="0" * 64)
    assert desk.publish(wrong)["state"] == "refused"
    assert [
        *registry.store.list("uploads/"),
        *registry.store.list("extracts/"),
        *registry.store.list("records/"),
    ] == []
