from __future__ import annotations

import hashlib
import logging
import random
from typing import Any

import pytest
from sqlalchemy import select

from byline.errors import Conflict, NotFound, Refused, Untrusted
from registry.contributors import aliases, claim
from registry.database import transaction
from registry.models import Act, Claim, OperatorAct
from registry.seal import Seal
from tests.registry.contributors.reading_room import NSID, Room

SEAL = Seal(bytes(32))
CHANCE = random.Random(7)  # noqa: S311 - repeatable on purpose


def make(room: Room, identity: str = f"flickr:{NSID}", email: str = "jane@example.org") -> dict[str, Any]:
    with transaction(room.registry.sessions) as session:
        return claim.make_claim(
            session,
            identity=identity,
            email=email,
            seal=SEAL,
            now=room.registry.now,
            token_bytes=CHANCE.randbytes,
        )


def decide(room: Room, claim_id: str, *, confirmed: bool = True) -> dict[str, Any]:
    with transaction(room.registry.sessions) as session:
        what = claim.confirm if confirmed else claim.reject
        return what(
            session, claim_id=claim_id, who="operator", why="wrote from the account", now=room.registry.now
        )


@pytest.mark.parametrize(
    ("text", "identity"),
    [
        ("flickr:12345678%40n00", "flickr:12345678@N00"),
        ("https://www.flickr.com/people/Jane-Doe/", "flickr:jane-doe"),
        ("flickr:Jane-Doe", "flickr:jane-doe"),
        ("unsplash:jane", "unsplash:@jane"),
        ("host:Example.ORG", "host:example.org"),
        ("name:alpha/faces: Jane  Doe", "name:alpha/faces:Jane Doe"),
        ("id:alpha/faces:38", "id:alpha/faces:38"),
        ("https://artists.example/janedoe", "web:artists.example/janedoe"),
    ],
)
def test_an_identity_has_one_text(text: str, identity: str) -> None:
    assert claim.read_identity(text) == identity


@pytest.mark.parametrize(
    "text", ["https://www.flickr.com/photos/jane/3072908271/", "photo:flickr:1", "sha256:" + "a" * 64]
)
def test_a_picture_is_not_somebody(text: str) -> None:
    with pytest.raises(Refused) as caught:
        claim.read_identity(text)
    assert caught.value.code == "not-an-identity"


@pytest.mark.parametrize(
    ("text", "code"), [("host:live.staticflickr.com", "shared-host"), ("host:github.io", "public-suffix")]
)
def test_nobody_claims_a_host_where_strangers_pictures_lie(text: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        claim.read_identity(text)
    assert caught.value.code == code


def test_somebody_in_no_dataset_can_claim(room: Room) -> None:
    made = make(room)
    assert (made["state"], made["assurance"], made["identity"]) == ("pending", None, f"flickr:{NSID}")


def test_only_the_digest_of_the_token_is_kept_and_the_address_is_sealed(room: Room) -> None:
    made = make(room)
    with room.registry.sessions() as session:
        kept = session.get_one(Claim, made["id"])
    assert kept.token_hash == hashlib.sha256(made["token"].encode()).hexdigest()
    assert (SEAL.open(kept.email_sealed or b""), b"jane" in (kept.email_sealed or b"")) == (
        "jane@example.org",
        False,
    )


def test_the_proof_says_nothing_of_the_token(room: Room) -> None:
    made = make(room)
    assert made["proof"].startswith("byline-proof=")
    assert made["token"] not in made["proof"]
    assert made["proof"].partition("=")[2] != hashlib.sha256(made["token"].encode()).hexdigest()[:32]


def test_a_claim_is_seen_by_its_token_only(room: Room) -> None:
    one, other = make(room), make(room)
    with room.registry.sessions() as session:
        seen = claim.claim_view(session, claim_id=one["id"], token=one["token"])
        with pytest.raises(Untrusted):
            claim.claim_view(session, claim_id=one["id"], token=other["token"])
        with pytest.raises(NotFound):
            claim.claim_view(session, claim_id="0" * 32, token=one["token"])
    assert seen == {name: value for name, value in one.items() if name != "token"}


@pytest.mark.parametrize(
    ("identity", "assurance"),
    [
        (f"flickr:{NSID}", "verified"),
        ("flickr:jane", "verified"),
        ("host:example.org", "verified"),
        ("https://artists.example/jane", "verified"),
        ("name:a/b:Jane", "asserted"),
        ("id:a/b:7", "asserted"),
    ],
)
def test_an_identity_becomes_verified_a_name_asserted(room: Room, identity: str, assurance: str) -> None:
    decided = decide(room, make(room, identity)["id"])
    assert (decided["state"], decided["assurance"]) == ("confirmed", assurance)


@pytest.mark.parametrize("confirmed", [True, False])
def test_who_decided_and_why_is_kept_and_an_act_takes_a_number(room: Room, *, confirmed: bool) -> None:
    made = make(room)
    decide(room, made["id"], confirmed=confirmed)
    decide(room, made["id"], confirmed=confirmed)
    what = "claim-confirmed" if confirmed else "claim-rejected"
    with room.registry.sessions() as session:
        noted = session.execute(
            select(OperatorAct.who, OperatorAct.what, OperatorAct.subject, OperatorAct.why)
        ).all()
        acts = session.execute(select(Act.kind, Act.ref, Act.leaf).where(Act.ref == made["id"])).all()
    assert list(map(tuple, noted)) == [("operator", what, made["id"], "wrote from the account")]
    assert list(map(tuple, acts)) == [(what, made["id"], None)]


def test_a_rejected_claim_is_not_confirmed_afterwards(room: Room) -> None:
    made = make(room)
    decide(room, made["id"], confirmed=False)
    with pytest.raises(Conflict) as caught:
        decide(room, made["id"])
    assert caught.value.code == "claim-decided"


def test_one_identity_confirmed_for_two_people_is_a_conflict_that_the_operator_sees(room: Room) -> None:
    first, second, same = (
        make(room),
        make(room, email="max@example.org"),
        make(room, email="JANE@example.org"),
    )
    decide(room, first["id"])
    assert decide(room, same["id"])["conflicts_with"] == []
    assert sorted(decide(room, second["id"])["conflicts_with"]) == sorted([first["id"], same["id"]])
    with room.registry.sessions() as session:
        found = aliases.conflicts(session)
    assert [(one["kind"], one["identity"], set(one["claims"])) for one in found] == [
        ("identity-claimed-twice", f"flickr:{NSID}", {first["id"], second["id"], same["id"]})
    ]


@pytest.mark.parametrize(
    "email",
    [
        "jane",
        "jane@",
        "@example.org",
        "jane@localhost",
        "a b@example.org",
        "x" * 300 + "@example.org",
        "jane@example.org\r\nBcc: all@example.org",
    ],
)
def test_what_is_no_mail_address_is_refused(room: Room, email: str) -> None:
    with pytest.raises(Refused) as caught:
        make(room, email=email)
    assert caught.value.code == "bad-email"


def test_the_operator_sees_the_address_and_who_else_claims_the_same(room: Room) -> None:
    one, other = make(room), make(room, email="")
    with room.registry.sessions() as session:
        shown = claim.show_claim(session, claim_id=one["id"], seal=SEAL)
        listed = [(each["id"], each["has_email"]) for each in claim.list_claims(session, state="pending")]
    assert (shown["email"], shown["others"]) == (
        "jane@example.org",
        [{"id": other["id"], "state": "pending"}],
    )
    assert sorted(listed) == sorted([(one["id"], True), (other["id"], False)])


def test_no_personal_data_is_logged(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    made = make(room, "name:alpha/faces:Jane Doe")
    decide(room, made["id"])
    assert not any(word in caplog.text for word in ("jane@", "Jane", made["token"]))
