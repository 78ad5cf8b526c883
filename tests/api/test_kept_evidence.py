"""A registry that lies to a mirror or to an audit: each lie is kept in the mirror, as it was served."""

from __future__ import annotations

from pathlib import Path

import pytest

from byline.client.audit import audit
from byline.client.evidence import TO_DO, parts_of
from byline.client.mirror import mirror
from byline.client.transport import Transport
from byline.errors import Untrusted
from byline.formats import checkpoint as checkpoints
from byline.formats import note
from byline.formats.checkpoint import Checkpoint
from byline.formats.keys import PrivateKey
from byline.formats.tiles import Tile
from registry.feed import head as heads
from registry.tlog import shelf
from tests.api.test_audit import failed, victim, web
from tests.api.test_malicious import RECEIPT, Shown, shows_the_victim_a_log_of_their_own
from tests.api.world import World
from tests.client.served import evidence

__all__ = ["victim", "web"]

FEED = "the served feed goes on from the mirror's"


def refused(web: Transport, folder: Path, code: str) -> dict[str, bytes]:
    """What a mirror was shown when it refused; the error names the file."""
    with pytest.raises(Untrusted) as caught:
        mirror(web, folder)
    (kept,) = (folder / "evidence").glob("*.json")
    assert (caught.value.code, TO_DO[code] in caught.value.message) == (code, True)
    assert str(kept) in caught.value.message
    return parts_of(evidence(folder, code), "shown")


def size_of(world: World) -> int:
    key = note.parse_vkey(note.vkey(world.runtime.settings.origin, world.runtime.log_key.public))
    return checkpoints.read(world.runtime.store.get(shelf.CHECKPOINT), key).size


def test_a_tile_cut_short_on_the_first_run(web: Transport, world: World, tmp_path: Path) -> None:
    store, tile = world.runtime.store, Tile(0, 0, size_of(world))
    store.put(shelf.key_of(tile), store.get(shelf.key_of(tile))[:-1])
    shown = refused(web, tmp_path / "mirror", "log-truncated")
    assert shown[f"/log/tile/{tile.path}"] == store.get(shelf.key_of(tile))
    assert shown["/log/checkpoint"] == store.get(shelf.CHECKPOINT)
    assert not (tmp_path / "mirror" / "log" / "checkpoint").exists()


def test_entries_cut_short_on_the_first_run(web: Transport, world: World, tmp_path: Path) -> None:
    store, bundle = world.runtime.store, Tile(None, 0, size_of(world))
    store.put(shelf.key_of(bundle), store.get(shelf.key_of(bundle))[:-1])
    shown = refused(web, tmp_path / "mirror", "log-truncated")
    assert shown[f"/log/tile/{bundle.path}"] == store.get(shelf.key_of(bundle))


def test_another_key(web: Transport, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror(web, tmp_path / "mirror")
    pinned = (tmp_path / "mirror" / "log" / "vkey").read_text()
    other = note.vkey(world.runtime.settings.origin, PrivateKey.generate().public)
    real = web.fetch

    def fetch(path: str, *, max_bytes: int) -> bytes:
        return other.encode() if path == "/log/vkey" else real(path, max_bytes=max_bytes)

    monkeypatch.setattr(web, "fetch", fetch)
    assert refused(web, tmp_path / "mirror", "key-changed")["/log/vkey"].decode() == other
    assert parts_of(evidence(tmp_path / "mirror", "key-changed"), "believed")["/log/vkey"].decode() == pinned
    assert (tmp_path / "mirror" / "log" / "vkey").read_text() == pinned


def test_a_signature_of_another_key(web: Transport, world: World, tmp_path: Path) -> None:
    forged = checkpoints.write(Checkpoint(world.runtime.settings.origin, 1, bytes(32)), PrivateKey.generate())
    world.runtime.store.put(shelf.CHECKPOINT, forged)
    assert refused(web, tmp_path / "mirror", "bad-signature")["/log/checkpoint"] == forged


def test_a_feed_that_went_back(
    web: Transport, world: World, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    store = world.runtime.store
    before = {key: store.get(key) for key in (f"{heads.ROOT}/head.json", f"{heads.ROOT}/head.note")}
    request.getfixturevalue("victim")  # somebody opts out: another head
    mirror(web, tmp_path / "mirror")
    newest = (tmp_path / "mirror" / "feed" / "v1" / "head.note").read_bytes()
    for key, data in before.items():
        store.put(key, data)
    assert failed(audit(web, mirror=tmp_path / "mirror")) == [FEED]
    (kept,) = (tmp_path / "mirror" / "evidence").iterdir()
    shown = refused(web, tmp_path / "mirror", "feed-went-back")
    assert shown["/feed/v1/head.note"] == before[f"{heads.ROOT}/head.note"]
    document = evidence(tmp_path / "mirror", "feed-went-back")
    assert parts_of(document, "believed")["/feed/v1/head.note"] == newest
    assert list((tmp_path / "mirror" / "evidence").iterdir()) == [kept]
    assert (tmp_path / "mirror" / "feed" / "v1" / "head.note").read_bytes() == newest


def test_a_log_shown_to_one_person_is_kept_where_there_is_a_mirror(
    web: Transport, world: World, victim: Shown, tmp_path: Path
) -> None:
    mirror(web, tmp_path / "mirror")
    status, kept = shows_the_victim_a_log_of_their_own(world, victim)
    report = audit(web, mirror=tmp_path / "mirror", status=status, kept_receipt=kept)
    assert RECEIPT in failed(report)
    document = evidence(tmp_path / "mirror", "log-forked")
    assert parts_of(document, "shown")["my receipt"] == kept
    assert parts_of(document, "believed")["/log/checkpoint"] == world.runtime.store.get(shelf.CHECKPOINT)
    (said,) = [one.wrong for one in report.findings if one.check == RECEIPT]
    assert str(tmp_path / "mirror" / "evidence" / "log-forked-") in said[0]
