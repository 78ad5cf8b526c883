"""Who may sign: registration, keys added and revoked."""

from __future__ import annotations

import base64
import json

import pytest
from sqlalchemy import func, select

from byline.errors import BylineError, Conflict, Untrusted
from byline.formats import envelope, statements
from byline.formats.keys import PrivateKey
from byline.formats.statements import Subject
from registry.database import transaction
from registry.models import Act, Publisher, PublisherKey
from registry.publishing import queries, signed
from tests.registry.publishing.desk import Desk, Extract, Registry, registry_in


def acts(registry: Registry) -> int:
    with registry.sessions() as session:
        return session.scalar(select(func.count()).select_from(Act)) or 0


def refused_as(error: pytest.ExceptionInfo[BylineError]) -> str:
    return error.value.code


def test_a_registration_is_a_leaf_of_the_log(registry: Registry) -> None:
    Desk(registry).register()
    with registry.sessions() as session:
        act = session.scalars(select(Act)).one()
    assert (act.kind, act.subject, act.leaf is not None) == ("publisher", "publisher:lumen-labs", True)


def test_the_same_statement_twice_changes_nothing(registry: Registry) -> None:
    desk = Desk(registry)
    desk.post_publisher(desk.register())
    assert acts(registry) == 1


def test_registering_again_with_another_nonce_changes_nothing(desk: Desk, registry: Registry) -> None:
    desk.register()
    assert acts(registry) == 1


def test_an_open_registry_approves_on_arrival(desk: Desk, registry: Registry) -> None:
    with registry.sessions() as session:
        assert queries.publisher(session, desk.slug)["approved"]


def test_a_registry_that_approves_by_hand_waits(tmp_path_factory: pytest.TempPathFactory) -> None:
    with registry_in(tmp_path_factory.mktemp("by-hand"), publisher_policy="approved") as registry:
        Desk(registry).register()
        with registry.sessions() as session:
            assert not queries.publisher(session, "lumen-labs")["approved"]


def test_a_slug_belongs_to_its_first_key(desk: Desk, registry: Registry) -> None:
    with pytest.raises(Conflict) as error:
        Desk(registry, slug=desk.slug).register()
    assert refused_as(error) == "slug-taken"


def test_a_key_bears_one_slug(desk: Desk, registry: Registry) -> None:
    with pytest.raises(Conflict) as error:
        Desk(registry, slug="somebody-else", key=desk.key).register()
    assert refused_as(error) == "key-in-use"


def test_a_publisher_statement_must_be_signed_by_its_own_key(registry: Registry) -> None:
    desk, stranger = Desk(registry), PrivateKey.generate()
    predicate = {**desk.common(), "slug": "x", "name": "X", "public_key": stranger.public.to_pem()}
    sent = desk.signed(statements.PUBLISHER, [Subject("x", stranger.public.key_id)], predicate)
    with pytest.raises(Untrusted) as error:
        desk.post_publisher(sent)
    assert refused_as(error) == "bad-signature"


def test_a_new_name_follows_the_statement_before_it(desk: Desk, registry: Registry) -> None:
    first = envelope.open_envelope(desk.register(name="Lumen Labs"))
    del first  # the same words: nothing new
    with registry.sessions() as session:
        previous = session.scalars(select(Act.ref).where(Act.kind == "publisher")).one()
    desk.register(name="Lumen Laboratories", previous=f"sha256:{previous}")
    with registry.sessions() as session:
        assert queries.publisher(session, desk.slug)["name"] == "Lumen Laboratories"


def test_a_new_name_that_follows_nothing_is_a_conflict(desk: Desk) -> None:
    with pytest.raises(Conflict) as error:
        desk.register(name="Another name")
    assert refused_as(error) == "stale-previous"


def test_an_added_key_may_publish(desk: Desk, registry: Registry, extract: Extract) -> None:
    second = PrivateKey.generate()
    desk.change_key("add", second)
    assert Desk(registry, key=second).publish(extract)["state"] == "published"


def test_a_key_for_outcomes_alone_may_not_publish(desk: Desk, registry: Registry, extract: Extract) -> None:
    second = PrivateKey.generate()
    desk.change_key("add", second, roles=["outcome"])
    with pytest.raises(Untrusted) as error:
        Desk(registry, key=second).publish(extract)
    assert refused_as(error) == "key-lacks-role"


def test_a_key_for_outcomes_alone_may_not_add_keys(desk: Desk, registry: Registry) -> None:
    second = PrivateKey.generate()
    head = desk.change_key("add", second, roles=["outcome"])
    with pytest.raises(Untrusted) as error:
        Desk(registry, key=second).change_key("add", PrivateKey.generate(), previous=head)
    assert refused_as(error) == "key-lacks-role"


def test_a_revoked_key_may_not_publish(desk: Desk, extract: Extract) -> None:
    desk.change_key("revoke", desk.key)
    with pytest.raises(Untrusted) as error:
        desk.publish(extract)
    assert refused_as(error) == "revoked-key"


def test_a_revocation_names_the_act_from_which_it_counts(desk: Desk, registry: Registry) -> None:
    desk.change_key("revoke", desk.key)
    with registry.sessions() as session:
        key = session.get_one(PublisherKey, desk.key.public.key_id)
        assert key.revoked_act == session.scalars(select(Act.id).where(Act.kind == "key")).one()


def test_what_a_key_published_before_its_revocation_stays(
    desk: Desk, registry: Registry, extract: Extract
) -> None:
    published = desk.publish(extract)
    desk.change_key("revoke", desk.key)
    assert registry.view(published["id"])["state"] == "published"


def test_a_key_revoked_while_its_extract_is_read_publishes_nothing(
    desk: Desk, registry: Registry, extract: Extract
) -> None:
    submission = desk.submit(desk.manifest(extract))
    desk.send(submission, extract)
    desk.change_key("revoke", desk.key)
    registry.ingest(submission)
    view = registry.view(submission)
    assert (view["state"], view["errors"][0]["code"]) == ("refused", "revoked-key")


def test_a_revoked_key_is_not_added_again(desk: Desk, registry: Registry) -> None:
    second = PrivateKey.generate()
    added = desk.change_key("add", second)
    revoked = desk.change_key("revoke", second, previous=added)
    with pytest.raises(Conflict) as error:
        desk.change_key("add", second, previous=revoked)
    assert refused_as(error) == "key-in-use"


def test_key_statements_follow_one_another(desk: Desk) -> None:
    desk.change_key("add", PrivateKey.generate())
    with pytest.raises(Conflict) as error:
        desk.change_key("add", PrivateKey.generate())
    assert refused_as(error) == "stale-previous"


def test_a_refused_key_change_leaves_no_act(desk: Desk, registry: Registry) -> None:
    before = acts(registry)
    with pytest.raises(Conflict):
        desk.change_key("revoke", PrivateKey.generate())
    assert acts(registry) == before


def test_a_suspended_publisher_may_not_publish(desk: Desk, registry: Registry, extract: Extract) -> None:
    with transaction(registry.sessions) as session:
        session.scalars(select(Publisher)).one().suspended = True
    with pytest.raises(Untrusted) as error:
        desk.publish(extract)
    assert refused_as(error) == "publisher-suspended"


def test_a_suspended_publisher_takes_no_other_name(desk: Desk, registry: Registry) -> None:
    with transaction(registry.sessions) as session:
        session.scalars(select(Publisher)).one().suspended = True
        previous = session.scalars(select(Act.ref).where(Act.kind == "publisher")).one()
    with pytest.raises(Untrusted) as error:
        desk.register(name="Somebody else", previous=f"sha256:{previous}")
    assert refused_as(error) == "publisher-suspended"


def test_a_second_signature_by_a_revoked_key_spoils_nothing(
    desk: Desk, registry: Registry, extract: Extract
) -> None:
    second = PrivateKey.generate()
    added = desk.change_key("add", second)
    desk.change_key("revoke", desk.key, previous=added)
    one = json.loads(desk.manifest(extract))
    payload = base64.b64decode(one["payload"])
    one["signatures"] += json.loads(envelope.sign(payload, second))["signatures"]
    sent = signed.open_sent(json.dumps(one).encode(), max_payload=1 << 20)
    with registry.sessions() as session:
        assert (
            signed.signer_of(session, sent, slug=desk.slug, role="manifest").key.key_id
            == second.public.key_id
        )
