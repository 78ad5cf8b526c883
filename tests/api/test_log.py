"""The log as strangers read it: by paths alone, checked with nothing but the key."""

from __future__ import annotations

import base64
import json
import re

import pytest

from byline.formats import checkpoint as checkpoints
from byline.formats import merkle, receipt
from byline.formats.checkpoint import Checkpoint
from byline.formats.entries import parse_entry
from byline.formats.envelope import open_envelope
from byline.formats.note import parse_vkey
from byline.formats.tiles import Tile, new_bundles, node_reader, read_bundle
from tests.api.world import World


def tile(world: World, one: Tile) -> bytes:
    """A tile's bytes."""
    answer = world.client.get(f"/log/tile/{one.path}")
    assert (answer.status_code, answer.mimetype) == (200, "application/octet-stream")
    assert "immutable" in answer.headers["Cache-Control"]
    return bytes(answer.data)


def signed(world: World) -> Checkpoint:
    """The published checkpoint, verified with the published key."""
    world.settle()
    key = parse_vkey(world.client.get("/log/vkey").text)
    return checkpoints.read(world.client.get("/log/checkpoint").data, key)


def test_the_entries_give_the_signed_root(world: World) -> None:
    head = signed(world)
    leaves = [leaf for one in new_bundles(0, head.size) for leaf in read_bundle(tile(world, one), one)]
    assert merkle.root([merkle.leaf_hash(leaf) for leaf in leaves]) == head.root
    read = node_reader(head.size, lambda wanted: [tile(world, one) for one in wanted])
    assert merkle.root_of(head.size, read) == head.root
    assert {"publisher", "manifest", "feed"} == {parse_entry(leaf)["kind"] for leaf in leaves}


def test_a_manifests_receipt_is_checked_offline(world: World) -> None:
    head = signed(world)
    digest = world.get("/v1/datasets/ibm-research/faces")["digest"].removeprefix("sha256:")
    answer = world.client.get(f"/v1/receipts/{digest}")
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    proved = receipt.verify(receipt.read(answer.data), vkey=world.client.get("/log/vkey").text)
    receipt.verify_statement(proved, open_envelope(world.manifest).payload)
    assert proved.checkpoint == head


def test_a_submission_leads_to_its_receipt(world: World) -> None:
    signed(world)
    kept = json.loads((world.runtime.settings.data_dir / "test.json").read_text())
    view = world.get(kept["submission"])
    assert world.client.get(view["receipt"]).status_code == 200


def test_an_opt_out_leads_to_a_receipt_only_its_owner_can_open(world: World) -> None:
    asked = {"selectors": ["https://example.org/pictures/000001.jpg"], "email": "jane@example.org"}
    made = world.client.post("/v1/opt-outs", json=asked).get_json()
    world.settle()
    token = re.search(r"/confirm/([A-Za-z0-9_-]+)", world.mails()[-1].replace("=\n", ""))
    assert token
    assert world.client.post("/v1/opt-outs/confirm", json={"token": token[1]}).status_code == 200
    world.settle()
    status = world.get(f"/v1/opt-outs/{made['id']}", Authorization=f"Bearer {made['token']}")
    opening = status["receipt"]
    answer = world.client.get(f"/v1/receipts/{opening['commitment']}")
    proved = receipt.verify(receipt.read(answer.data), vkey=world.client.get("/log/vkey").text)
    receipt.verify_commitment(
        proved, salt=bytes.fromhex(opening["salt"]), request=base64.b64decode(opening["request"])
    )
    assert b"000001" not in answer.data


@pytest.mark.parametrize(
    "path",
    [
        "0/000",
        "0/001",
        "entries/000",
        "0/000.p/0",
        "0/000.p/256",
        "0/x000/000",
        "9/000",
        "../checkpoint",
        "0/000%0a",
        "x/000",
    ],
)
def test_a_tile_that_is_not_there_is_not_found(world: World, path: str) -> None:
    signed(world)
    answer = world.client.get(f"/log/tile/{path}")
    assert answer.status_code == 404


def test_a_digest_that_nothing_has_has_no_receipt(world: World) -> None:
    answer = world.client.get(f"/v1/receipts/{'0' * 64}")
    assert (answer.status_code, answer.get_json()["code"]) == (404, "no-such-entry")
