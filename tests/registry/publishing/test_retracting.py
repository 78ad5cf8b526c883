"""A manifest withdrawn by its publisher, voided or hidden by the operator."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from byline.errors import Conflict, NotFound, Refused
from registry.database import transaction
from registry.models import Act, ContributorCount, Job, Manifest, OperatorAct, Tombstone
from registry.publishing import queries, retract
from tests.registry.publishing.desk import Desk, Extract, Registry


@pytest.fixture
def digest(desk: Desk, extract: Extract) -> str:
    return str(desk.publish(extract)["digest"])


def objects(registry: Registry) -> list[str]:
    return [key.split("/")[0] for prefix in ("extracts/", "records/") for key in registry.store.list(prefix)]


def item_keys(registry: Registry) -> int:
    with registry.items.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM item_key").scalar() or 0)


def void(registry: Registry) -> list[str]:
    with transaction(registry.sessions) as session:
        return retract.void_dataset(
            session, dataset="lumen-labs/street-portraits", who="op", why="invented", now=registry.now
        )


def test_a_retracted_version_leaves_the_list_at_once(desk: Desk, registry: Registry, digest: str) -> None:
    desk.retract(desk.retraction(digest, previous=digest))
    with registry.sessions() as session:
        assert queries.datasets(session, limit=10)["items"] == []
        assert queries.dataset(session, "lumen-labs/street-portraits")["state"] == "retracted"


def test_a_retraction_is_a_leaf_and_told_to_the_followers(
    desk: Desk, registry: Registry, digest: str
) -> None:
    desk.retract(desk.retraction(digest, previous=digest))
    with registry.sessions() as session:
        acts = session.scalars(select(Act).order_by(Act.id.desc()).limit(2)).all()
    assert [(act.kind, act.leaf is not None) for act in acts] == [("retracted", False), ("retraction", True)]
    assert acts[0].ref == digest


def test_the_extract_goes_and_what_protects_stays(desk: Desk, registry: Registry, digest: str) -> None:
    desk.retract(desk.retraction(digest, previous=digest))
    assert objects(registry) == ["extracts", "records"]
    registry.forget_withdrawn()
    assert objects(registry) == ["records"]
    assert item_keys(registry) == 3
    with registry.sessions() as session:
        assert session.scalars(select(ContributorCount)).all()


def test_a_retraction_leaves_a_tombstone(desk: Desk, registry: Registry, digest: str) -> None:
    desk.retract(desk.retraction(digest, previous=digest))
    with registry.sessions() as session:
        assert session.get(Tombstone, ("retracted", digest)) is not None


def test_the_opt_outs_it_touches_are_matched_again(desk: Desk, registry: Registry, digest: str) -> None:
    desk.retract(desk.retraction(digest, previous=digest))
    with registry.sessions() as session:
        assert [job.payload for job in session.scalars(select(Job).where(Job.kind == "match"))] == [
            {"manifest": 1}
        ]


def test_the_same_retraction_twice_answers_the_same(desk: Desk, registry: Registry, digest: str) -> None:
    sent = desk.retraction(digest, previous=digest)
    assert desk.retract(sent) == desk.retract(sent)
    with registry.sessions() as session:
        assert len(session.scalars(select(Act).where(Act.kind == "retraction")).all()) == 1


def test_another_retraction_of_the_same_version_is_a_conflict(desk: Desk, digest: str) -> None:
    desk.retract(desk.retraction(digest, previous=digest))
    with pytest.raises(Conflict) as error:
        desk.retract(desk.retraction(digest, previous=digest))
    assert error.value.code == "not-published"


def test_a_retraction_must_follow_the_datasets_last_statement(desk: Desk, digest: str) -> None:
    with pytest.raises(Conflict) as error:
        desk.retract(desk.retraction(digest, previous="0" * 64))
    assert error.value.code == "stale-previous"


def test_a_retraction_must_name_the_manifest_that_stands(desk: Desk, digest: str) -> None:
    with pytest.raises(Refused) as error:
        desk.retract(desk.retraction("0" * 64, previous=digest))
    assert error.value.code == "wrong-subject"


def test_a_version_that_never_was_is_not_retracted(desk: Desk, digest: str) -> None:
    with pytest.raises(NotFound) as error:
        desk.retract(desk.retraction(digest, previous=digest, version="9"))
    assert error.value.code == "no-such-version"


def test_a_retracted_version_is_not_published_again(desk: Desk, extract: Extract, digest: str) -> None:
    sent = desk.retraction(digest, previous=digest)
    desk.retract(sent)
    with pytest.raises(Conflict) as error:
        desk.submit(desk.manifest(extract))
    assert error.value.code == "version-exists"


def test_a_voided_dataset_counts_for_nothing(registry: Registry, digest: str) -> None:
    assert void(registry) == ["1.0.0"]
    registry.forget_withdrawn()
    assert objects(registry) == []
    assert item_keys(registry) == 0
    with registry.sessions() as session:
        assert session.scalars(select(Manifest.state)).all() == ["voided"]
        assert session.get(Tombstone, ("voided", digest)) is not None


def test_what_was_retracted_can_still_be_voided(desk: Desk, registry: Registry, digest: str) -> None:
    desk.retract(desk.retraction(digest, previous=digest))
    assert void(registry) == ["1.0.0"]


def test_who_voided_and_why_is_kept(registry: Registry, digest: str) -> None:
    del digest
    void(registry)
    with registry.sessions() as session:
        act = session.scalars(select(OperatorAct)).one()
    assert (act.who, act.what, act.why) == ("op", "dataset-void", "invented")


def test_a_hidden_dataset_is_not_found(registry: Registry, digest: str) -> None:
    del digest
    with transaction(registry.sessions) as session:
        retract.hide_dataset(
            session, dataset="lumen-labs/street-portraits", who="op", why="a court", now=registry.now
        )
    with registry.sessions() as session, pytest.raises(NotFound):
        queries.dataset(session, "lumen-labs/street-portraits")


def test_forgetting_does_nothing_to_what_is_shown(registry: Registry, digest: str) -> None:
    retract.forget(
        {"manifest": 1, "digest": digest},
        sessions=registry.sessions,
        items=registry.items,
        store=registry.store,
    )
    assert objects(registry) == ["extracts", "records"]
