"""Registries that cheat: a mirror from before, an audit now, and one victim's receipt name each of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import delete

from byline.client.audit import audit
from byline.client.auditing.findings import CANNOT, FAILS
from byline.client.mirror import mirror
from byline.client.transport import Retry, Transport
from byline.errors import Untrusted
from byline.formats import checkpoint as checkpoints
from byline.formats import merkle, receipt
from byline.formats.checkpoint import Checkpoint
from byline.formats.receipt import Receipt
from registry.database import transaction
from registry.models import Act, CoveredPhoto, Match, Notice, NoticeEvent
from registry.publishing.submit import manifest_key
from tests.api.test_audit import failed, victim, web
from tests.api.world import World

__all__ = ["victim", "web"]

Shown = tuple[dict[str, Any], bytes]
Cheat = Callable[[World, Shown], Shown]


def drops_the_wish_from_the_feed(world: World, shown: Shown) -> Shown:
    with transaction(world.runtime.sessions) as session:
        session.execute(delete(CoveredPhoto))
        session.execute(delete(Match))
        session.add(
            Act(kind="approved", subject="publisher:ibm-research", ref="x", made_at=world.runtime.clock())
        )
    world.settle()
    return shown


def swaps_a_manifest(world: World, shown: Shown) -> Shown:
    digest = world.get("/v1/datasets/ibm-research/faces")["digest"].removeprefix("sha256:")
    data = json.loads(world.manifest)
    data["signatures"][0]["keyid"] = "0" * 64
    world.runtime.store.put(manifest_key(digest), json.dumps(data).encode())
    return shown


def shows_the_victim_a_log_of_their_own(world: World, shown: Shown) -> Shown:
    status, kept = shown
    entry, other = receipt.read(kept).entry, merkle.leaf_hash(b"another past")
    forked = Checkpoint(world.runtime.settings.origin, 2, merkle.root([other, merkle.leaf_hash(entry)]))
    signed = checkpoints.write(forked, world.runtime.log_key)
    return status, receipt.write(Receipt(entry, 1, (other,), signed))


def hides_a_notice(world: World, shown: Shown) -> Shown:
    with transaction(world.runtime.sessions) as session:
        session.execute(delete(NoticeEvent))
        session.execute(delete(Notice))
    return {**shown[0], "datasets": []}, shown[1]


RECEIPT = "the log goes on from the one my receipt is of, and holds its entry"
CHEATS: list[tuple[Cheat, list[str]]] = [
    (drops_the_wish_from_the_feed, ["my rows are in the row feeds"]),
    (swaps_a_manifest, ["every statement is signed by a key that stood, and follows the one before"]),
    (shows_the_victim_a_log_of_their_own, [RECEIPT, "my wish is in the log, as I made it"]),
    (hides_a_notice, ["every dataset that shows me has my notice"]),
]


@pytest.mark.parametrize(("cheat", "checks"), CHEATS, ids=[cheat.__name__ for cheat, _ in CHEATS])
def test_each_is_named(
    web: Transport, world: World, victim: Shown, tmp_path: Path, cheat: Cheat, checks: list[str]
) -> None:
    mirror(web, tmp_path / "mirror")
    assert failed(audit(web, mirror=tmp_path / "mirror", status=victim[0], kept_receipt=victim[1])) == []
    status, kept = cheat(world, victim)
    assert failed(audit(web, status=status, kept_receipt=kept)) == checks
    if cheat is swaps_a_manifest:  # a mirror from before still has the true one, and no new one is made
        assert failed(audit(web, mirror=tmp_path / "mirror", status=status, kept_receipt=kept)) == []
        with pytest.raises(Untrusted) as caught:
            mirror(web, tmp_path / "new")
        assert caught.value.code == "wrong-statement"
        return
    mirror(web, tmp_path / "mirror")
    assert failed(audit(web, mirror=tmp_path / "mirror", status=status, kept_receipt=kept)) == checks


def test_with_the_registry_gone_a_mirror_and_a_receipt_still_say_what_they_can(
    web: Transport, victim: Shown, tmp_path: Path
) -> None:
    mirror(web, tmp_path / "before")

    def gone(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody there")

    retry = Retry(attempts=1, sleep=lambda _: None)
    with Transport("http://registry.test", transport=httpx.MockTransport(gone), retry=retry) as nobody:
        report = audit(nobody, mirror=tmp_path / "before", status=victim[0], kept_receipt=victim[1])
    results = {one.check: one.result for one in report.findings}
    assert FAILS not in results.values()
    assert results["the served log goes on from the mirror's"] == CANNOT
    assert results["what I pointed at can be looked up"] == CANNOT
    assert failed(report) == []
