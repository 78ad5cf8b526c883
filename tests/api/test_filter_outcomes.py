"""What a holder's filter took out is told to those who asked, over HTTP, with the feed the registry built."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner
from werkzeug.serving import make_server

from byline.cli.app import byline
from byline.client.api import Registry
from byline.client.feed import Feed
from byline.client.outcome import By
from byline.client.reporting import report_suppressed
from byline.client.state import State
from byline.client.sync import sync
from byline.client.transport import Transport
from byline.errors import BylineError
from tests.api.test_notices import Desk
from tests.api.world import World
from tests.registry.egress.hostile import Listener


def now() -> dt.datetime:
    """Commands sign by the machine's clock."""
    return dt.datetime.now(dt.UTC)


@pytest.fixture
def desk(world: World) -> Desk:
    world.runtime.clock.now = now()  # type: ignore[attr-defined]
    return Desk(world, cast("Listener", None))


@pytest.fixture
def registry(desk: Desk) -> Iterator[Registry]:
    """The registry behind a real server."""
    server = make_server("127.0.0.1", 0, desk.world.client.application, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with Transport(f"http://127.0.0.1:{server.server_port}") as transport:
        yield Registry(transport)
    server.shutdown()
    server.server_close()


def report_of(notice: dict[str, Any]) -> dict[str, Any]:
    """The part of a filter's report that outcomes are made of: the file the notice names went by its rows."""
    [part] = notice["rows"]
    file = {"tier": "row", "sha256": part["sha256"], "datasets": [f"{notice['dataset']}@{part['version']}"]}
    return {"for": {"read_as": "any"}, "files": [file]}


def synced(desk: Desk, registry: Registry, folder: Path) -> Feed:
    """The feed as it is served now."""
    desk.settle()
    sync(registry.transport, State(folder, make=True), now=now)
    return Feed.open(folder)


def answer(desk: Desk, registry: Registry, feed: Feed, report: dict[str, Any]) -> int:
    """Tell the registry what this filter took out."""
    signer = desk.world.signer
    by = By("ibm-research", signer.key)
    return report_suppressed(registry, feed, report, by=by, stamps=iter(signer.stamp, None))


def test_who_objected_hears_that_the_holder_filtered(desk: Desk, registry: Registry, tmp_path: Path) -> None:
    desk.world.signer.now = now()
    wish = desk.opt_out()
    feed = synced(desk, registry, tmp_path)
    report = report_of(desk.inbox()["items"][0]["notice"])
    assert answer(desk, registry, feed, report) == 1
    assert desk.status(wish)["state"] == "suppressed"
    assert answer(desk, registry, feed, report) == 0


def test_who_objects_after_the_feed_was_synced_hears_nothing(
    desk: Desk, registry: Registry, tmp_path: Path
) -> None:
    desk.world.signer.now = now()
    feed = synced(desk, registry, tmp_path)
    wish = desk.opt_out()
    report = report_of(desk.inbox()["items"][0]["notice"])
    assert answer(desk, registry, feed, report) == 0
    assert desk.status(wish)["state"] in {"pending", "sent"}


def test_a_feed_of_another_registry_answers_nothing(desk: Desk, registry: Registry, tmp_path: Path) -> None:
    desk.opt_out()
    feed = synced(desk, registry, tmp_path)
    feed.head = dataclasses.replace(feed.head, origin="https://other.example")
    with pytest.raises(BylineError) as refused:
        answer(desk, registry, feed, report_of(desk.inbox()["items"][0]["notice"]))
    assert refused.value.code == "other-registry"


def filter_as_holder(desk: Desk, folder: Path, *, registry: str) -> Any:
    """`byline filter --key --publisher` of a file that goes by fingerprints."""
    key, path = folder / "lab.pem", folder / "set.csv"
    key.write_bytes(desk.world.signer.key.to_pem())
    key.chmod(0o600)
    path.write_text("id,url\n1,https://cdn.example.net/1.jpg\n")
    who = ["--key", str(key), "--publisher", "ibm-research", "--registry", registry]
    where = ["-o", str(folder / "out.csv"), "--report", str(folder / "report.json")]
    return CliRunner().invoke(byline, ["filter", str(path), "--state", str(folder), *where, *who, "--json"])


def test_the_command_answers_nothing_by_fingerprints_alone(
    desk: Desk, registry: Registry, tmp_path: Path
) -> None:
    wish = desk.opt_out()
    synced(desk, registry, tmp_path)
    done = filter_as_holder(desk, tmp_path, registry=registry.transport.url)
    assert done.exit_code == 0, done.output
    assert "0 notices answered" in done.stderr
    assert json.loads(done.stdout)["files"][0]["tier"] == "key"
    assert desk.status(wish)["state"] in {"pending", "sent"}


def test_a_registry_that_does_not_answer_leaves_what_was_filtered(
    desk: Desk, registry: Registry, tmp_path: Path
) -> None:
    synced(desk, registry, tmp_path)
    done = filter_as_holder(desk, tmp_path, registry="http://127.0.0.1:9")
    assert done.exit_code == 3
    assert {"out.csv", "report.json", "report.json.dsse.json"} <= {one.name for one in tmp_path.iterdir()}


def test_a_stranger_checks_the_report_against_the_registrys_log(
    desk: Desk, registry: Registry, tmp_path: Path
) -> None:
    feed, url = synced(desk, registry, tmp_path), registry.transport.url
    assert filter_as_holder(desk, tmp_path, registry=url).exit_code == 0
    given = [str(tmp_path / "report.json"), "--key", str(tmp_path / "lab.pem"), "--registry", url]
    done = CliRunner().invoke(
        byline, ["report", "verify", *given, "--vkey", str(registry.about()["vkey"]), "--json"]
    )
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["feed"]["sha256"] == feed.head.sha256
    assert found["logged"]["index"] < found["logged"]["log_size"]
