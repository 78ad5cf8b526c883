"""All that an opt-out can show, in one zip: whole, checkable without us, bounded, and for nobody but its maker."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import threading
import zipfile
from pathlib import Path
from typing import cast

import pytest
from click.testing import CliRunner
from sqlalchemy import update
from werkzeug.serving import make_server

from api.app import create_app
from byline.cli.app import byline
from byline.client.outcome import outcome_statement
from byline.formats import envelope
from byline.formats.outcomes import Said
from registry.database import transaction
from registry.models import Dataset, OptOut, Publisher
from registry.optouts import dossier
from tests.api.test_notices import Desk
from tests.api.world import World
from tests.registry.egress.hostile import Listener
from tests.web.looking import parse

Wish = tuple[str, dict[str, str]]


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world, cast("Listener", None))


@pytest.fixture
def wish(desk: Desk) -> Wish:
    """Asked, fetched by the publisher, and answered."""
    made = desk.opt_out()
    [item] = desk.inbox()["items"]
    desk.inbox(item["seq"])
    signer = desk.world.signer
    said = (Said("exempt", (item["notice"]["id"],), "<b>press</b> & more"),)
    answer = outcome_statement(
        said, signer.key, publisher="ibm-research", origin=signer.origin, previous=None, stamp=signer.stamp()
    )
    assert signer.post("/v1/outcomes", answer).status_code in {200, 201}
    desk.settle()
    return made


def fetch(desk: Desk, wish: Wish) -> bytes:
    answer = desk.world.client.get(f"/v1/opt-outs/{wish[0]}/evidence", headers=wish[1])
    assert (answer.status_code, answer.content_type) == (200, "application/zip"), answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="opt-out-{wish[0][:8]}.zip"'
    return bytes(answer.data)


def opened(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_it_holds_the_wish_the_manifest_the_notice_its_delivery_and_the_answer(
    desk: Desk, wish: Wish
) -> None:
    files = opened(fetch(desk, wish))
    statement = next(name for name in files if name.startswith("answers/") and name.endswith(".dsse.json"))
    manifest = "manifests/ibm-research/faces/1.0.0"
    assert set(files) == {
        "SHA256SUMS", "index.html", "log-key.txt", "notices.json", "opt-out.json",
        statement, statement.replace("dsse.json", "tlog-proof"), f"{manifest}.dsse.json", f"{manifest}.tlog-proof",
        "wish/receipt.tlog-proof", "wish/request.json", "wish/salt.hex",
    }  # fmt: skip
    assert files[f"{manifest}.dsse.json"] == desk.world.manifest
    [told] = json.loads(files["notices.json"])
    assert (told["dataset"], told["state"], told["records"]) == ("ibm-research/faces", "exempt", 2)
    assert [one["channel"] for one in told["deliveries"]] == ["poll"]
    assert [(one["by"], one["outcome"]) for one in told["answers"]] == [("publisher", "exempt")]
    signed = envelope.open_envelope(files[statement])
    assert hashlib.sha256(signed.payload).hexdigest() == told["answers"][0]["statement"]


def test_every_receipt_in_it_is_checked_offline_with_the_key_beside_it(
    desk: Desk, wish: Wish, tmp_path: Path
) -> None:
    files = opened(fetch(desk, wish))
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    receipts = [name for name in files if name.endswith(".tlog-proof")]
    assert len(receipts) == 3
    for name in receipts:
        beside = "opt-out.json" if name.startswith("wish") else name.replace("tlog-proof", "dsse.json")
        arguments = ["receipt", "verify", str(tmp_path / name), "--statement", str(tmp_path / beside)]
        done = CliRunner().invoke(byline, [*arguments, "--key", files["log-key.txt"].decode().strip()])
        assert done.exit_code == 0, done.output
    for line in files["SHA256SUMS"].decode().splitlines():
        digest, _, name = line.partition("  ")
        assert hashlib.sha256(files[name]).hexdigest() == digest


def test_the_same_state_gives_the_same_bytes(desk: Desk, wish: Wish) -> None:
    before = fetch(desk, wish)
    desk.world.runtime.clock.now += dt.timedelta(hours=5)  # type: ignore[attr-defined]
    assert fetch(desk, wish) == before


def test_the_cover_sheet_says_it_in_words_and_runs_nothing(desk: Desk, wish: Wish) -> None:
    page = opened(fetch(desk, wish))["index.html"].decode()
    said = " ".join(parse(page).body.text(separator=" ").split())  # type: ignore[union-attr]
    assert "says that it need not take them out. Reason given: “<b>press</b> & more”" in said
    assert "it fetched the request with its own key" in said
    assert "Whom to complain to" in said
    contact = desk.world.get("/v1/datasets/ibm-research/faces")["contact"] or "no contact is stated"
    assert f"in writing: ibm-research/faces {contact}" in said
    tree = parse(page)
    assert tree.css("script, img, link, iframe, b") == []
    assert [a.attributes["href"][:8] for a in tree.css("a")] == ["https://"] * 4  # type: ignore[index]


def test_nobody_else_gets_it(desk: Desk, wish: Wish) -> None:
    where = f"/v1/opt-outs/{wish[0]}/evidence"
    other = desk.opt_out("flickr:99999999@N00")
    assert desk.world.client.get(where).get_json()["code"] == "token-needed"
    assert desk.world.client.get(where, headers=other[1]).get_json()["code"] == "wrong-token"
    unknown = desk.world.client.get(f"/v1/opt-outs/{'0' * 32}/evidence", headers=wish[1])
    assert unknown.get_json()["code"] == "no-such-opt-out"


def test_it_speaks_of_no_other_persons_notice(desk: Desk, wish: Wish) -> None:
    """But the publisher's own signed statements, which may answer many and stand in the public log."""
    desk.opt_out("flickr:12345678@N00")
    files = opened(fetch(desk, wish))
    told = json.loads(files["notices.json"])
    assert len(told) == 1


def test_what_finds_no_room_is_named(desk: Desk, wish: Wish, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dossier, "MOST_STATEMENTS", 1)
    files = opened(fetch(desk, wish))
    assert [name for name in files if name.endswith(".dsse.json")][1:] == []
    assert b"manifests/ibm-research/faces/1.0.0.dsse.json" in files["index.html"]
    monkeypatch.setattr(dossier, "LARGEST", 100)
    assert len(opened(fetch(desk, wish))) <= 5


def test_a_dataset_taken_from_view_leaves_its_digest_and_receipt(desk: Desk, wish: Wish) -> None:
    with transaction(desk.world.runtime.sessions) as session:
        session.execute(update(Dataset).values(hidden=True))
    files = opened(fetch(desk, wish))
    assert "manifests/ibm-research/faces/1.0.0.tlog-proof" in files
    assert "manifests/ibm-research/faces/1.0.0.dsse.json" not in files


def test_an_opt_out_nobody_matched_or_nobody_approved_has_its_wish(desk: Desk) -> None:
    with transaction(desk.world.runtime.sessions) as session:
        session.execute(update(Publisher).values(approved=False))
    made = desk.opt_out()
    files = opened(fetch(desk, made))
    assert json.loads(files["notices.json"]) == []
    assert b"not asked: the publisher is not approved" in files["index.html"].lower()
    with desk.world.runtime.sessions() as session:
        kept = session.get_one(OptOut, made[0]).request
    assert files["wish/request.json"] == kept


def test_the_command_keeps_it_in_a_file(desk: Desk, wish: Wish, tmp_path: Path) -> None:
    server = make_server("127.0.0.1", 0, create_app(desk.world.runtime))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    out = tmp_path / "evidence.zip"
    where = ["--registry", f"http://127.0.0.1:{server.port}", "-o", str(out)]
    try:
        token = wish[1]["Authorization"].removeprefix("Bearer ")
        done = CliRunner().invoke(
            byline, ["opt-out", "evidence", wish[0], "--token", token, *where, "--json"]
        )
        refused = CliRunner().invoke(byline, ["opt-out", "evidence", wish[0], "--token", "x" * 43, *where])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert (done.exit_code, refused.exit_code) == (0, 1), done.output
    assert json.loads(done.stdout)["bytes"] == out.stat().st_size
    assert out.read_bytes() == fetch(desk, wish)
