"""What is published over REST is found and opted out of over REST; the worker works for real."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from sqlalchemy import select

from byline.formats import note, receipt
from registry.contributors import claim as claims
from registry.database import transaction
from registry.models import Base
from tests.api.world import PHOTO, STATIC, World


def test_a_dataset_is_listed_with_what_its_publisher_discloses(world: World) -> None:
    (item,) = world.get("/v1/datasets")["items"]
    assert item["dataset"] == "ibm-research/faces"
    assert item["records"] == 3
    assert item["purposes"] == ["face-recognition"]
    assert item["published_at"].endswith("Z")


def test_a_dataset_is_shown_whole_with_its_head(world: World) -> None:
    found = world.get("/v1/datasets/ibm-research/faces")
    assert found["access"] == "research-only"
    assert found["annotations"] == [
        {"name": "craniofacial measures", "category": "biometric", "method": "machine"}
    ]
    assert [version["version"] for version in found["versions"]] == ["1.0.0"]
    assert found["head"] == found["digest"]
    assert found["unattributed"] == 1


def test_a_version_is_shown_by_its_name(world: World) -> None:
    found = world.get("/v1/datasets/ibm-research/faces/versions/1.0.0")
    assert found["files"][0]["records"] == 3


@pytest.mark.parametrize("at", ["", "/versions/1.0.0"])
def test_the_manifest_is_given_as_it_was_signed(world: World, at: str) -> None:
    answer = world.client.get(f"/v1/datasets/ibm-research/faces{at}/manifest")
    assert answer.data == world.manifest
    assert answer.mimetype == "application/vnd.dsse.envelope.v1+json"
    again = world.client.get(
        f"/v1/datasets/ibm-research/faces{at}/manifest", headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert again.status_code == 304


@pytest.mark.parametrize("at", ["", "/versions/1.0.0"])
def test_the_croissant_is_given_as_linked_data(world: World, at: str) -> None:
    answer = world.client.get(f"/v1/datasets/ibm-research/faces{at}/croissant")
    assert answer.mimetype == "application/ld+json"
    assert json.loads(answer.data)["name"] == "Faces"


@pytest.mark.parametrize(
    "address",
    ["ibm-research/nothing", "nobody/faces", "ibm-research/faces/versions/9",
     "ibm-research/faces/versions/9/manifest", "ibm-research/nothing/croissant",
     "ibm-research/nothing/notices"],
)  # fmt: skip
def test_what_is_not_registered_is_a_404(world: World, address: str) -> None:
    answer = world.client.get(f"/v1/datasets/{address}")
    assert answer.status_code == 404
    assert answer.get_json()["type"].startswith("urn:byline:error:no-such-")


def test_notices_are_counted_and_few_are_not_told_from_none(world: World) -> None:
    assert world.get("/v1/datasets/ibm-research/faces/notices") == {
        "dataset": "ibm-research/faces", "counts": {}, "total": "<10", "observed": "<10",
    }  # fmt: skip


def test_a_maker_is_found_by_name_without_its_accent(world: World) -> None:
    found = world.get("/v1/search?q=jane+doe")
    (item,) = found["items"]
    assert item["match"] in ("exact", "folded")
    assert item["records"] == 2
    assert item["contributor"]["platform_id"] == "12345678@N00"
    assert item["contributor"]["names"] == ["Jané Doe"]
    assert item["datasets"][0]["licenses"]["CC-BY-2.0"] == 1
    assert found["next"] is None
    assert found["as_of"]["log_size"] >= 1


def test_a_search_for_nothing_is_refused(world: World) -> None:
    assert world.client.get("/v1/search?q=").status_code == 422
    assert world.client.get("/v1/search?q=%20").status_code == 422


def test_a_name_is_suggested_from_its_beginning(world: World) -> None:
    (item,) = world.get("/v1/suggest?q=jan")["items"]
    assert item["text"] == "Jané Doe"
    assert item["contributor"] == world.get("/v1/search?q=jane")["items"][0]["contributor"]["id"]


def test_a_makers_page_and_records(world: World) -> None:
    ident = world.get("/v1/search?q=jane+doe")["items"][0]["contributor"]["id"]
    assert world.get(f"/v1/contributors/{ident}")["records"] == 2
    first = world.get(f"/v1/contributors/{ident}/records?dataset=ibm-research/faces&limit=1")
    rest = world.get(
        f"/v1/contributors/{ident}/records?dataset=ibm-research/faces&limit=1&cursor={first['next']}"
    )
    assert {item["title"] for item in (*first["items"], *rest["items"])} == {"Cat, 2009", "Dog"}
    assert rest["next"] is None


def test_an_unknown_maker_is_a_404(world: World) -> None:
    assert world.client.get(f"/v1/contributors/{'0' * 32}").get_json()["code"] == "no-such-contributor"


@pytest.mark.parametrize(
    "q", [PHOTO, STATIC, "flickr:12345678@N00", "https://www.flickr.com/people/12345678@N00/"]
)
def test_a_look_up_says_yes_and_shows_the_rows(world: World, q: str) -> None:
    found = world.client.get("/v1/lookup", query_string={"q": q}).get_json()
    assert found["answer"] == "yes"
    assert found["items"][0]["rows"][0]["row"] == 0


def test_a_look_up_that_cannot_tell_says_so(world: World) -> None:
    found = world.client.get("/v1/lookup", query_string={"q": "flickr:99999999@N00"}).get_json()
    assert found["answer"] == "cannot-tell"


@pytest.mark.parametrize(
    "path", ["/v1/datasets", "/v1/search?q=jane", "/v1/contributors/{id}/records?dataset=ibm-research/faces"]
)
@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "!!!",
        "MQ",
        "bnVsbA",
        "WyJcdWQ4MDAiLCJhIl0",
        "WyJcdTAwMDAiLCJhIl0",
        "eyJhIjoxLCJiIjoyfQ",
        "LTU",
        "W1tbW1tb",
        "é",
    ],
)
def test_a_cursor_of_nobodys_never_breaks_anything(world: World, path: str, cursor: str) -> None:
    ident = world.get("/v1/search?q=jane+doe")["items"][0]["contributor"]["id"]
    path = path.format(id=ident)
    answer = world.client.get(f"{path}{'&' if '?' in path else '?'}cursor={cursor}")
    assert answer.status_code in (200, 400), answer.text
    assert answer.status_code == 200 or answer.get_json()["code"] == "bad-cursor"


def claimed(world: World) -> dict[str, Any]:
    """A claim to the maker of the photos, confirmed by the operator."""
    answer = world.client.post(
        "/v1/claims", json={"identity": "flickr:12345678@N00", "email": "jane@example.org"}
    )
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.get_json()
    with transaction(world.runtime.sessions) as session:
        claims.confirm(session, claim_id=made["id"], who="operator", why="seen", now=world.runtime.clock())
    return made


def test_a_claim_gives_a_secret_once_and_a_public_line(world: World) -> None:
    answer = world.client.post("/v1/claims", json={"identity": PHOTO.rsplit("/", 2)[0] + "/"})
    made = answer.get_json()
    assert made["state"] == "pending"
    assert made["token"] not in made["proof"]
    shown = world.get(answer.headers["Location"], Authorization=f"Bearer {made['token']}")
    assert "token" not in shown
    assert shown["identity"] == "flickr:12345678@N00"


def test_a_claim_is_shown_to_its_token_alone(world: World) -> None:
    made = claimed(world)
    assert world.client.get(f"/v1/claims/{made['id']}").status_code == 401
    wrong = world.client.get(f"/v1/claims/{made['id']}", headers={"Authorization": "Bearer " + "x" * 43})
    assert wrong.status_code == 403
    malformed = world.client.get(f"/v1/claims/{made['id']}", headers={"Authorization": "Basic eDp5"})
    assert malformed.get_json()["code"] == "bad-header"


def opted_out(world: World, **more: Any) -> tuple[dict[str, Any], str]:
    """An opt-out by a confirmed claim, and the claim's token."""
    claim = claimed(world)
    answer = world.client.post(
        "/v1/opt-outs", json={"claims": [{"id": claim["id"], "token": claim["token"]}], **more}
    )
    assert answer.status_code == 201, answer.text
    world.settle()
    return answer.get_json(), claim["token"]


def test_one_opt_out_reaches_what_is_registered_and_the_feed(world: World) -> None:
    made, token = opted_out(world)
    assert made["state"] == "in-force"
    assert made["token"] is None
    shown = world.get(f"/v1/opt-outs/{made['id']}", Authorization=f"Bearer {token}")
    assert shown["assurance"] == "verified"
    assert shown["selectors"] == [{"kind": "maker", "value": "flickr:12345678@N00"}]
    assert [(one["dataset"], one["records"]) for one in shown["datasets"]] == [("ibm-research/faces", 2)]
    assert shown["feed_seq"] == world.get("/v1")["feed_seq"]


def test_the_head_in_the_feed_is_the_one_its_note_signs(world: World) -> None:
    opted_out(world)
    head, signed = (world.client.get(f"/feed/v1/{name}") for name in ("head.json", "head.note"))
    assert note.verify(signed.data, world.get("/v1")["vkey"])
    digest = head.get_etag()[0]
    assert world.client.get(f"/feed/v1/files/{digest}.json").data == head.data
    paths = re.findall(r'"path":"([^"]+)"', head.text)
    assert paths
    assert {world.client.get(f"/feed/v1/{path}").status_code for path in paths} == {200}


def test_without_the_token_nothing_is_said_of_what_was_asked(world: World) -> None:
    made, _ = opted_out(world)
    shown = world.get(f"/v1/opt-outs/{made['id']}")
    assert "selectors" not in shown
    assert "12345678" not in json.dumps(shown)


def test_neither_search_nor_lookup_tells_who_objected(world: World) -> None:
    paths = (
        "/v1/search?q=jane",
        "/v1/lookup?q=flickr:12345678@N00",
        "/v1/datasets/ibm-research/faces",
        "/v1/datasets/ibm-research/faces/notices",
        "/v1/publishers/ibm-research/record",
        "/v1/stats",
    )
    before = [world.get(path) for path in paths]
    opted_out(world)
    after = [world.get(path) for path in paths]
    for shown in (*before, *after):
        shown.pop("as_of", None)
    assert before == after


def test_who_opted_out_may_take_it_back(world: World) -> None:
    made, token = opted_out(world)
    where = f"/v1/opt-outs/{made['id']}"
    assert world.client.post(f"{where}/withdraw").status_code == 401
    answer = world.client.post(f"{where}/withdraw", headers={"Authorization": f"Bearer {token}"}, json={})
    said = answer.get_json()
    assert (said["id"], said["state"]) == (made["id"], "withdrawn")
    world.settle()
    proof = world.client.get(said["receipt"])
    assert (
        receipt.verify(receipt.read(proof.data), vkey=world.runtime.vkey).entry["kind"] == "opt-out-withdrawn"
    )
    first = world.client.get(said["receipt"].partition("?")[0])
    assert receipt.verify(receipt.read(first.data), vkey=world.runtime.vkey).entry["kind"] == "opt-out"


def test_an_opt_out_by_link_waits_for_the_mail(world: World) -> None:
    answer = world.client.post("/v1/opt-outs", json={"selectors": [PHOTO], "email": "jane@example.org"})
    made = answer.get_json()
    assert (answer.status_code, made["state"]) == (201, "awaiting-mail")
    world.settle()
    (mail,) = world.mails()
    token = re.search(r"/confirm/([A-Za-z0-9_-]+)", mail.replace("=\n", ""))
    assert token
    confirmed = world.client.post("/v1/opt-outs/confirm", json={"token": token[1]})
    assert confirmed.get_json() == {"id": made["id"], "state": "in-force"}
    world.settle()
    shown = world.get(f"/v1/opt-outs/{made['id']}", Authorization=f"Bearer {made['token']}")
    assert shown["assurance"] == "asserted"
    assert shown["selectors"] == [{"kind": "photo", "value": "flickr:3072908271"}]


def test_an_unknown_link_confirms_nothing(world: World) -> None:
    assert world.client.post("/v1/opt-outs/confirm", json={"token": "x" * 43}).status_code == 404


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"claims": [{"id": "x", "token": "y"}]}, "/claims/0/id"),
        ({"claims": [{"token": "y"}]}, "/claims/0/id"),
        ({"selectors": [5]}, "/selectors/0"),
        ({"selectors": ["a\nb"]}, "/selectors/0"),
        ({"relation": "owner"}, "/relation"),
        ({"remove_existing": "yes"}, "/remove_existing"),
        ({"remove_existing": 1}, "/remove_existing"),
        ({"datasets": ["not a dataset"]}, "/datasets/0"),
        ({"datasets": ["a/b\n"]}, "/datasets/0"),
        ({"colour": "red"}, "/colour"),
        ([], "/"),
        ("text", "/"),
    ],
)
def test_a_wrong_shape_is_told_by_its_place(world: World, body: Any, at: str) -> None:
    answer = world.client.post("/v1/opt-outs", json=body)
    assert answer.status_code == 422
    assert answer.get_json()["code"] == "wrong-shape"
    assert at.rstrip("/") in [
        error["at"].removesuffix("/_schema").rstrip("/") for error in answer.get_json()["errors"]
    ]


@pytest.mark.parametrize("body", [b"null", b"[]", b"5", b'"x"', b"[{}]"])
def test_a_body_that_is_no_object_is_refused(world: World, body: bytes) -> None:
    answer = world.client.post("/v1/claims", data=body, content_type="application/json")
    assert answer.status_code == 422
    assert answer.get_json()["code"] == "wrong-shape"


def test_a_claims_secret_is_sealed_in_the_kept_answer(world: World) -> None:
    answer = world.client.post(
        "/v1/claims", json={"identity": "flickr:12345678@N00"}, headers={"Idempotency-Key": "k"}
    )
    again = world.client.post(
        "/v1/claims", json={"identity": "flickr:12345678@N00"}, headers={"Idempotency-Key": "k"}
    )
    assert answer.get_json() == again.get_json()
    token = answer.get_json()["token"]
    with world.runtime.engine.connect() as connection:
        kept = [
            tuple(row) for table in Base.metadata.sorted_tables for row in connection.execute(select(table))
        ]
    assert "flickr:12345678@N00" in repr(kept)
    assert token not in repr(kept)


def test_a_retracted_version_leaves_search_and_look_up(world: World) -> None:
    digest = world.get("/v1/datasets/ibm-research/faces")["digest"]
    answer = world.signer.post("/v1/retractions", world.signer.retraction(digest, previous=digest))
    assert answer.status_code == 201, answer.text
    assert answer.get_json()["state"] == "retracted"
    world.settle()
    assert world.get("/v1/search?q=jane+doe")["items"] == []
    assert world.get("/v1/datasets")["items"] == []
