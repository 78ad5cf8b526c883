"""A mirror, an audit and one victim's receipt against a real registry, honest and not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from sqlalchemy import delete, select, update

from byline.cli.app import byline as command
from byline.client.audit import audit
from byline.client.auditing.findings import CANNOT, FAILS, HOLDS, Report
from byline.client.evidence import parts_of
from byline.client.mirror import mirror
from byline.client.transport import Retry, Transport
from byline.errors import Untrusted
from byline.formats import checkpoint as checkpoints
from byline.formats import merkle, receipt
from byline.formats.checkpoint import Checkpoint
from byline.formats.entries import parse_entry
from byline.formats.receipt import Receipt
from byline.formats.tiles import Tile
from registry.contributors import claim as claims
from registry.database import transaction
from registry.models import Act, CoveredPhoto, Dataset, Match, Notice, NoticeEvent
from registry.publishing.retract import hide_dataset
from registry.publishing.submit import manifest_key
from registry.tlog import shelf
from tests.api.world import PHOTO, World
from tests.client.served import evidence


@pytest.fixture
def web(world: World) -> Iterator[Transport]:
    """The registry over HTTP."""
    world.settle()
    wsgi = httpx.WSGITransport(app=world.client.application)
    retry = Retry(attempts=1, sleep=lambda _: None)
    with Transport("http://registry.test", transport=wsgi, retry=retry) as transport:
        yield transport


@pytest.fixture
def victim(world: World, web: Transport) -> tuple[dict[str, Any], bytes]:
    """Somebody who opted out: the status they were shown, and the receipt they kept."""
    claim = world.client.post(
        "/v1/claims", json={"identity": "flickr:12345678@N00", "email": "jane@example.org"}
    ).get_json()
    with transaction(world.runtime.sessions) as session:
        claims.confirm(session, claim_id=claim["id"], who="me", why="seen", now=world.runtime.clock())
    body = {"claims": [{"id": claim["id"], "token": claim["token"]}]}
    made = world.client.post("/v1/opt-outs", json=body).get_json()
    world.settle()
    status = web.get(f"/v1/opt-outs/{made['id']}", token=claim["token"])
    return status, web.fetch(f"/v1/receipts/{status['receipt']['commitment']}", max_bytes=1 << 20)


def failed(report: Report) -> list[str]:
    """The checks that do not hold."""
    return [one.check for one in report.findings if one.result == FAILS]


def test_an_honest_registry_holds_for_anyone(web: Transport) -> None:
    report = audit(web)
    assert (failed(report), report.holds) == ([], True)
    results = {one.check: one.result for one in report.findings}
    assert results["every statement is signed by a key that stood, and follows the one before"] == HOLDS
    assert results["no fingerprint and no row left the feed without a removal entry"] == CANNOT


def test_an_honest_registry_holds_for_one_who_opted_out(
    web: Transport, victim: tuple[dict[str, Any], bytes]
) -> None:
    status, kept = victim
    report = audit(web, status=status, kept_receipt=kept)
    assert failed(report) == []
    looked_at = {one.check: one.looked_at for one in report.findings}
    assert looked_at["my rows are in the row feeds"] == 2
    assert looked_at["every dataset that shows me has my notice"] == 1


def test_a_mirror_is_what_is_served_and_goes_on(
    web: Transport, world: World, tmp_path: Path, victim: tuple[dict[str, Any], bytes]
) -> None:
    first = mirror(web, tmp_path / "mirror")
    assert (first.before, first.redacted) == (0, 0)
    again = mirror(web, tmp_path / "mirror")
    assert (again.before, again.size, again.statements) == (first.size, first.size, 0)
    world.signer.post("/v1/opt-outs", json.dumps({"selectors": [PHOTO], "email": "b@example.org"}).encode())
    status, kept = victim
    report = audit(web, mirror=tmp_path / "mirror", status=status, kept_receipt=kept)
    assert failed(report) == []


def test_a_mirror_that_was_stopped_goes_on(web: Transport, tmp_path: Path) -> None:
    whole = mirror(web, tmp_path / "a")
    mirror(web, tmp_path / "b")
    for path in (tmp_path / "b" / "log" / "checkpoint", *(tmp_path / "b" / "v1" / "statements").iterdir()):
        path.unlink()
    again = mirror(web, tmp_path / "b")
    assert (again.size, again.statements) == (whole.size, whole.statements)


def test_a_swapped_manifest_is_named(web: Transport, world: World, tmp_path: Path) -> None:
    digest = world.get("/v1/datasets/ibm-research/faces")["digest"].removeprefix("sha256:")
    data = json.loads(world.manifest)
    data["signatures"][0]["keyid"] = "0" * 64
    world.runtime.store.put(manifest_key(digest), json.dumps(data).encode())
    report = audit(web)
    assert failed(report) == ["every statement is signed by a key that stood, and follows the one before"]
    with pytest.raises(Untrusted) as caught:
        mirror(web, tmp_path / "mirror")
    assert caught.value.code == "wrong-statement"


def test_a_dataset_taken_from_view_is_told_from_a_broken_one(
    web: Transport, world: World, tmp_path: Path
) -> None:
    digest = world.get("/v1/datasets/ibm-research/faces")["digest"].removeprefix("sha256:")
    with transaction(world.runtime.sessions) as session:
        hide_dataset(session, dataset="ibm-research/faces", who="me", why="asked", now=world.runtime.clock())
    assert mirror(web, tmp_path / "mirror").redacted == 1
    for copy in (None, tmp_path / "mirror"):
        report = audit(web, mirror=copy)
        (legal,) = [one for one in report.findings if one.check.startswith("every statement")]
        assert (legal.result, len(legal.unknown)) == (HOLDS, 1)
    with transaction(world.runtime.sessions) as session:
        session.execute(update(Dataset).values(hidden=False))
    world.runtime.store.delete(manifest_key(digest))
    assert failed(audit(web)) == ["every statement is signed by a key that stood, and follows the one before"]
    with pytest.raises(Untrusted) as caught:
        mirror(web, tmp_path / "another")
    assert caught.value.code == "statement-missing"


def test_a_changed_entry_is_named(web: Transport, world: World) -> None:
    size = checkpoints.read(world.runtime.store.get(shelf.CHECKPOINT), _key(world)).size
    key = shelf.key_of(Tile(None, 0, size))
    world.runtime.store.put(key, world.runtime.store.get(key).replace(b'"kind":"feed"', b'"kind":"fees"'))
    assert "every entry is well formed and the one its hash is of" in failed(audit(web))


def test_an_opt_out_dropped_from_the_feed_is_named_by_its_victim(
    web: Transport, world: World, victim: tuple[dict[str, Any], bytes]
) -> None:
    with transaction(world.runtime.sessions) as session:
        session.execute(delete(CoveredPhoto))
        session.execute(delete(Match))
        session.add(
            Act(kind="approved", subject="publisher:ibm-research", ref="x", made_at=world.runtime.clock())
        )
    world.settle()
    status, kept = victim
    report = audit(web, status=status, kept_receipt=kept)
    assert failed(report) == ["my rows are in the row feeds"]


def test_a_notice_hidden_from_its_victim_is_named(
    web: Transport, world: World, victim: tuple[dict[str, Any], bytes]
) -> None:
    with transaction(world.runtime.sessions) as session:
        session.execute(delete(NoticeEvent))
        session.execute(delete(Notice))
    status, kept = victim
    report = audit(web, status={**status, "datasets": []}, kept_receipt=kept)
    assert failed(report) == ["every dataset that shows me has my notice"]


def test_a_fork_shown_to_one_person_is_named_by_their_receipt(
    web: Transport, world: World, victim: tuple[dict[str, Any], bytes]
) -> None:
    status, kept = victim
    entry = receipt.read(kept).entry
    forked = merkle.root([merkle.leaf_hash(b"another past"), merkle.leaf_hash(entry)])
    origin = world.runtime.settings.origin
    signed = checkpoints.write(Checkpoint(origin, 2, forked), world.runtime.log_key)
    shown = receipt.write(Receipt(entry, 1, (merkle.leaf_hash(b"another past"),), signed))
    report = audit(web, status=status, kept_receipt=shown)
    assert "the log goes on from the one my receipt is of, and holds its entry" in failed(report)


def test_a_log_that_was_begun_anew_is_named_by_a_mirror(web: Transport, world: World, tmp_path: Path) -> None:
    mirror(web, tmp_path / "mirror")
    store, key = world.runtime.store, world.runtime.log_key
    origin = world.runtime.settings.origin
    leaf = b'{"at":"2026-11-22T12:00:00Z","digest":"%s","kind":"feed","seq":1,"v":1}' % (b"0" * 64)
    root = merkle.leaf_hash(leaf)
    for size in (1, 2, 3):
        store.put(shelf.key_of(Tile(0, 0, size)), root * size)
    before = store.get(shelf.CHECKPOINT)
    store.put(shelf.CHECKPOINT, checkpoints.write(Checkpoint(origin, 1, root), key))
    report = audit(web, mirror=tmp_path / "mirror")
    assert failed(report) == ["the served log goes on from the mirror's"]
    document = evidence(tmp_path / "mirror", "log-went-back")
    assert parts_of(document, "believed")["/log/checkpoint"] == before
    with pytest.raises(Untrusted):
        mirror(web, tmp_path / "mirror")


def test_an_entry_of_the_wrong_key_is_named(web: Transport, world: World) -> None:
    with world.runtime.sessions() as session:
        leaf = session.scalars(select(Act.leaf).where(Act.kind == "manifest")).one()
    entry = parse_entry(leaf or b"")
    world.runtime.store.put(
        manifest_key(entry["digest"]), world.manifest.replace(b'"sig":"', b'"sig":"AAAA', 1)
    )
    assert failed(audit(web)) == ["every statement is signed by a key that stood, and follows the one before"]


def test_the_commands_say_it_on_one_screen(
    web: Transport, victim: tuple[dict[str, Any], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, kept = victim
    (tmp_path / "status.json").write_text(json.dumps(status))
    (tmp_path / "mine.tlog-proof").write_bytes(kept)
    monkeypatch.setattr("byline.cli.options.Asked.transport", lambda _: web)
    run = CliRunner()
    words = ["--mine", str(tmp_path / "mine.tlog-proof"), "--mine", str(tmp_path / "status.json")]
    said = run.invoke(command, ["audit", *words])
    assert (said.exit_code, said.stdout.splitlines()[-1]) == (0, "nothing was found wrong")


def test_a_receipt_is_verified_by_the_command(
    world: World, victim: tuple[dict[str, Any], bytes], tmp_path: Path
) -> None:
    status, kept = victim
    (tmp_path / "status.json").write_text(json.dumps(status))
    (tmp_path / "mine.tlog-proof").write_bytes(kept)
    words = [
        "receipt",
        "verify",
        str(tmp_path / "mine.tlog-proof"),
        "--key",
        world.runtime.vkey,
        "--statement",
    ]
    said = CliRunner().invoke(command, [*words, str(tmp_path / "status.json"), "--json"])
    assert (said.exit_code, json.loads(said.stdout)["entry"]["kind"]) == (0, "opt-out")
    (tmp_path / "manifest.json").write_bytes(world.manifest)
    other = CliRunner().invoke(command, [*words, str(tmp_path / "manifest.json"), "--json"])
    assert (other.exit_code, json.loads(other.stdout)["error"]["code"]) == (1, "other-statement")


def test_a_receipt_is_of_one_envelope_its_signature_included(
    web: Transport, world: World, tmp_path: Path
) -> None:
    digest = world.get("/v1/datasets/ibm-research/faces")["digest"].removeprefix("sha256:")
    (tmp_path / "kept.tlog-proof").write_bytes(web.fetch(f"/v1/receipts/{digest}", max_bytes=1 << 20))
    spoilt = json.loads(world.manifest)
    spoilt["signatures"][0]["sig"] = "A" * 86 + "=="
    for name, data in (("true", world.manifest), ("spoilt", json.dumps(spoilt).encode())):
        (tmp_path / name).write_bytes(data)
    words = [
        "receipt",
        "verify",
        str(tmp_path / "kept.tlog-proof"),
        "--key",
        world.runtime.vkey,
        "--statement",
    ]
    assert CliRunner().invoke(command, [*words, str(tmp_path / "true")]).exit_code == 0
    said = CliRunner().invoke(command, [*words, str(tmp_path / "spoilt"), "--json"])
    assert (said.exit_code, json.loads(said.stdout)["error"]["code"]) == (1, "other-envelope")


def _key(world: World) -> Any:
    from byline.formats.note import parse_vkey

    return parse_vkey(world.runtime.vkey)


def test_statements_are_given_as_they_were_logged(web: Transport, world: World) -> None:
    digest = world.get("/v1/datasets/ibm-research/faces")["digest"].removeprefix("sha256:")
    assert web.fetch(f"/v1/statements/{digest}", max_bytes=1 << 20) == world.manifest
    publisher = hashlib.sha256(b"nobody's").hexdigest()
    assert world.client.get(f"/v1/statements/{publisher}").get_json()["code"] == "no-such-statement"
