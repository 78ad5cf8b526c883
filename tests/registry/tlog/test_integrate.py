"""The integrator: what is published is whole and goes on from everything published before, whatever fails."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from byline.errors import BylineError, Conflict, NotFound, Unavailable, Untrusted
from byline.formats import receipt
from byline.formats.keys import PrivateKey
from byline.formats.merkle import EMPTY_ROOT, leaf_hash
from byline.formats.note import NoteKey
from byline.formats.tiles import Tile, read_bundle
from registry.database import transaction
from registry.models import Act, LogState, SignedCheckpoint
from registry.tlog import growing, sequence, shelf
from registry.tlog import integrate as integrating
from registry.tlog import recover as recovering
from registry.tlog.boot import check_log
from registry.tlog.receipts import receipt_for
from registry.tlog.recover import recover
from tests.registry.tlog.keeper import KEY, NOW, ORIGIN, Keeper


def test_an_empty_log_is_signed_too(keeper: Keeper) -> None:
    assert keeper.integrate() == 0
    assert (keeper.checkpoint().size, keeper.checkpoint().root) == (0, EMPTY_ROOT)


@pytest.mark.parametrize("sizes", [[1], [255, 1, 1], [256], [257], [3, 600, 2], [70, 70, 70, 70]])
def test_a_log_grows_in_any_steps(keeper: Keeper, sizes: list[int]) -> None:
    for size in sizes:
        keeper.add(size)
        assert keeper.integrate() == size
    assert keeper.checkpoint().size == sum(sizes)
    keeper.check()


def test_65_537_entries_have_a_third_level(small: Keeper) -> None:
    for size in (40_000, 25_537):
        small.add_many(size)
        small.settle()
    assert len(small.store.get(shelf.key_of(Tile(2, 0, 1)))) == 32
    assert small.checkpoint().size == 65_537
    small.check()


def test_nothing_new_writes_nothing(keeper: Keeper) -> None:
    keeper.add(3)
    keeper.integrate()
    writes = keeper.store.writes
    assert keeper.integrate() == 0
    assert keeper.store.writes == writes


@pytest.mark.parametrize("persist", [False, True])
def test_any_write_may_fail_or_only_seem_to(small: Keeper, *, persist: bool) -> None:
    small.add(250)
    small.settle()
    small.store.persist = persist
    failed = 0
    while True:
        small.add(7)
        small.store.fail_at = small.store.writes + failed
        try:
            small.integrate()
        except OSError:
            failed += 1
        else:
            break
        finally:
            small.store.fail_at = None
        small.add(2)
        small.settle()
        small.check()
    assert failed >= 3  # a bundle, a tile, the checkpoint; more where the step crosses 256
    assert small.checkpoint().size == small.made


@pytest.mark.parametrize("persist", [False, True])
def test_the_commit_may_fail_or_only_seem_to(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch, *, persist: bool
) -> None:
    keeper.add(300)
    keeper.settle()
    keeper.add(5)
    real = integrating.keep

    def lost(*args: Any, **kwargs: Any) -> bytes:
        if persist:
            real(*args, **kwargs)
        raise OSError("the database went away")

    with monkeypatch.context() as patch:
        patch.setattr(integrating, "keep", lost)
        with pytest.raises(OSError, match="database"):
            keeper.integrate()
    keeper.add(5)
    keeper.settle()
    assert keeper.checkpoint().size == 310
    keeper.check()


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(0, 12), st.booleans()), min_size=1, max_size=6))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_fails_whenever_the_log_goes_on(small: Keeper, steps: list[tuple[int, int, bool]]) -> None:
    for count, at, persist in steps:
        small.add(count)
        small.store.fail_at, small.store.persist = small.store.writes + at, persist
        try:
            small.settle()
        except OSError:
            pass
        finally:
            small.store.fail_at = None
    small.settle()
    assert small.checkpoint().size == small.made
    small.check()


def test_of_two_integrators_one_moves_the_tree_on(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper.add(3)
    keeper.settle()
    keeper.add(1)
    real = integrating.keep

    def overtaken(*args: Any, **kwargs: Any) -> bytes:
        with monkeypatch.context() as patch:
            patch.setattr(integrating, "keep", real)
            keeper.add(1)
            keeper.integrate()
        return real(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(integrating, "keep", overtaken)
        with pytest.raises(Conflict) as caught:
            keeper.integrate()
    assert caught.value.code == "log-moved-on"
    assert keeper.checkpoint().size == 5
    keeper.check()


def test_who_was_overtaken_past_a_full_bundle_writes_no_wrong_byte(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper.add(250)
    keeper.settle()
    keeper.add(1)
    real = growing.grow

    def overtaken(*args: Any, **kwargs: Any) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(integrating, "grow", real)
            keeper.add(20)
            keeper.settle()
        return real(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(integrating, "grow", overtaken)
        with pytest.raises(Conflict):
            keeper.integrate()
    late = Tile(None, 0, 251)
    assert len(read_bundle(keeper.store.get(shelf.key_of(late)), late)) == 251
    assert keeper.checkpoint().size == 271
    keeper.check()


def test_other_bytes_in_a_tile_stop_the_log(keeper: Keeper) -> None:
    keeper.add(3)
    keeper.settle()
    keeper.store.put(shelf.key_of(Tile(0, 0, 5)), b"x" * 160)
    keeper.add(2)
    with pytest.raises(Untrusted) as caught:
        keeper.integrate()
    assert caught.value.code == "log-forked"
    assert keeper.checkpoint().size == 3


def test_a_flipped_bit_of_the_right_edge_stops_the_log(keeper: Keeper) -> None:
    keeper.add(300)
    keeper.settle()
    key = shelf.key_of(Tile(0, 1, 44))
    data = bytearray(keeper.store.get(key))
    data[40] ^= 1
    keeper.store.put(key, bytes(data))
    keeper.add(1)
    with pytest.raises(Untrusted) as caught:
        keeper.integrate()
    assert caught.value.code == "log-damaged"


def test_an_entry_that_is_gone_from_the_database_stops_the_log(keeper: Keeper) -> None:
    keeper.add(3)
    with transaction(keeper.sessions) as session:
        session.execute(delete(Act).where(Act.log_index == 1))
    with pytest.raises(Untrusted) as caught:
        keeper.integrate()
    assert caught.value.code == "log-damaged"


def test_partial_tiles_go_once_the_full_one_is_published(keeper: Keeper) -> None:
    for count in (10, 20, 300):
        keeper.add(count)
        keeper.settle()
    assert sorted(keeper.store.list("log/tile/0/")) == ["log/tile/0/000", "log/tile/0/001.p/74"]
    assert sorted(keeper.store.list("log/tile/entries/")) == [
        "log/tile/entries/000",
        "log/tile/entries/001.p/74",
    ]
    keeper.check()


def test_a_receipt_is_there_once_a_checkpoint_covers_its_entry(keeper: Keeper) -> None:
    keeper.add(300)
    with keeper.sessions() as session:
        act = session.query(Act).filter_by(log_index=257).one()
        with pytest.raises(Unavailable) as caught:
            receipt_for(session, keeper.store, ref=act.ref)
        assert caught.value.code == "not-in-log-yet"
    keeper.settle()
    with keeper.sessions() as session:
        data = receipt_for(session, keeper.store, ref=act.ref)
        with pytest.raises(NotFound):
            receipt_for(session, keeper.store, ref="0" * 64)
    proved = receipt.verify(receipt.read(data), vkey=NoteKey(ORIGIN, KEY.public))
    assert (proved.index, proved.entry["digest"], proved.checkpoint.size) == (257, act.ref, 300)


def test_a_receipt_stands_on_a_checkpoint_that_everybody_can_see(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was signed and not published may never be: another integrator goes on from it."""
    keeper.add(3)
    keeper.settle()
    keeper.add(1)
    with monkeypatch.context() as patch:
        patch.setattr(integrating, "publish", lambda *_args, **_kwargs: None)
        keeper.integrate()
    with keeper.sessions() as session:
        refs = session.scalars(select(Act.ref).order_by(Act.log_index)).all()
        data = receipt_for(session, keeper.store, ref=refs[0])
        with pytest.raises(Unavailable):
            receipt_for(session, keeper.store, ref=refs[3])
    assert receipt.read(data).checkpoint in keeper.store.published
    keeper.settle()
    with keeper.sessions() as session:
        assert (
            receipt.read(receipt_for(session, keeper.store, ref=refs[3])).checkpoint in keeper.store.published
        )


def test_no_more_is_taken_while_thousands_wait(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequence, "MOST_BEHIND", 5)
    keeper.add(5)
    with pytest.raises(Unavailable) as caught:
        keeper.add(2)
    assert caught.value.code == "log-behind"
    keeper.made = 5
    keeper.settle()
    keeper.add(2)
    keeper.settle()
    assert keeper.checkpoint().size == 7


def boot(keeper: Keeper, key: PrivateKey = KEY, origin: str = ORIGIN) -> str:
    """What the self-check says."""
    with keeper.sessions() as session:
        try:
            check_log(session, store=keeper.store, log_key=key, origin=origin)
        except BylineError as error:
            return error.code
    return "well"


def test_a_log_that_was_begun_may_go_on(keeper: Keeper) -> None:
    assert boot(keeper) == "well"
    keeper.add(300)
    assert boot(keeper) == "well"
    keeper.settle()
    assert boot(keeper) == "well"


def test_another_key_or_origin_may_not(keeper: Keeper) -> None:
    keeper.add(3)
    keeper.settle()
    assert boot(keeper, PrivateKey.generate()) == "log-other-key"
    assert boot(keeper, origin="other.example.org") == "log-other-key"


def test_an_empty_store_may_not(keeper: Keeper) -> None:
    keeper.add(3)
    keeper.settle()
    keeper.store.delete(shelf.CHECKPOINT)
    assert boot(keeper) == "log-damaged"


def test_a_lost_tile_may_not(keeper: Keeper) -> None:
    keeper.add(3)
    keeper.settle()
    keeper.store.delete(shelf.key_of(Tile(0, 0, 3)))
    assert boot(keeper) == "log-damaged"


def test_another_root_for_a_size_may_not(keeper: Keeper) -> None:
    keeper.add(3)
    keeper.settle()
    with transaction(keeper.sessions) as session:
        session.execute(update(SignedCheckpoint).where(SignedCheckpoint.size == 3).values(root=b"x" * 32))
    assert boot(keeper) == "log-forked"


def restored(keeper: Keeper, size: int) -> None:
    """The database as it was when the log had `size` entries."""
    with transaction(keeper.sessions) as session:
        session.execute(delete(SignedCheckpoint).where(SignedCheckpoint.size > size))
        session.execute(delete(Act).where(Act.log_index >= size))
        state = session.get_one(LogState, 1)
        state.next_index = state.next_number = size
    keeper.made = size


def test_a_restored_database_signs_nothing_until_it_was_recovered(keeper: Keeper) -> None:
    keeper.add(100)
    keeper.settle()
    keeper.add(200)
    keeper.settle()
    restored(keeper, 100)
    assert boot(keeper) == "log-ahead-of-database"
    with pytest.raises(Untrusted) as caught:
        keeper.integrate()
    assert caught.value.code == "log-ahead-of-database"
    heard: list[tuple[int, int]] = []
    done = recover(
        keeper.sessions, store=keeper.store, log_key=KEY, origin=ORIGIN, now=NOW,
        heard=lambda index, entry: heard.append((index, entry["seq"])),
    )  # fmt: skip
    assert (done.entries, done.size, done.lost) == (200, 300, 200)
    assert heard == [(at, at) for at in range(100, 300)]
    assert boot(keeper) == "well"
    keeper.made = 300
    keeper.add(10)
    keeper.settle()
    assert keeper.checkpoint().size == 310
    keeper.check()


def test_what_a_restored_database_numbered_anew_lines_up_behind(keeper: Keeper) -> None:
    keeper.add(10)
    keeper.settle()
    keeper.add(5)
    keeper.settle()
    restored(keeper, 10)
    keeper.made = 15
    keeper.add(2)
    recover(keeper.sessions, store=keeper.store, log_key=KEY, origin=ORIGIN, now=NOW)
    keeper.number()
    keeper.settle()
    assert keeper.checkpoint().size == 17
    keeper.check()


def test_the_same_act_after_a_recovery_finds_its_entry(keeper: Keeper) -> None:
    keeper.add(5)
    keeper.settle()
    restored(keeper, 2)
    recover(keeper.sessions, store=keeper.store, log_key=KEY, origin=ORIGIN, now=NOW)
    keeper.add(3)
    assert keeper.integrate() == 0
    assert keeper.checkpoint().size == 5


def test_many_entries_come_back_in_stretches(small: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held at a time is a stretch, however long the log; half of it was known and not signed."""
    small.add(10)
    small.settle()
    small.add_many(3_000)
    small.settle()
    with transaction(small.sessions) as session:
        session.execute(delete(SignedCheckpoint).where(SignedCheckpoint.size > 10))
        session.execute(delete(Act).where(Act.log_index >= 1_500))
    most: list[int] = []
    real = recovering._bring_back

    def seen(session: Any, batch: Any, **said: Any) -> int:
        most.append(len(batch))
        return real(session, batch, **said)

    monkeypatch.setattr(recovering, "_bring_back", seen)
    done = recover(small.sessions, store=small.store, log_key=KEY, origin=ORIGIN, now=NOW)
    assert (done.entries, done.lost) == (3_000, 1_510)
    assert (max(most), sum(most)) == (recovering.BATCH, 3_000)
    assert boot(small) == "well"
    small.made = 3_010
    small.add(5)
    small.settle()
    small.check()


def test_entries_that_do_not_give_the_published_root_are_not_taken(keeper: Keeper) -> None:
    """A bundle and its tile, both changed alike: the tile above them knows."""
    keeper.add(700)
    keeper.settle()
    other = b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in [b"{}"] * 256)
    keeper.store.put(shelf.key_of(Tile(None, 0)), other)
    keeper.store.put(shelf.key_of(Tile(0, 0)), leaf_hash(b"{}") * 256)
    restored(keeper, 0)
    with pytest.raises(BylineError):
        recover(keeper.sessions, store=keeper.store, log_key=KEY, origin=ORIGIN, now=NOW)
    with keeper.sessions() as session:
        assert session.scalar(select(Act.id)) is None


def test_a_database_that_knows_its_log_has_nothing_to_recover(keeper: Keeper) -> None:
    keeper.add(3)
    keeper.settle()
    with pytest.raises(BylineError) as caught:
        recover(keeper.sessions, store=keeper.store, log_key=KEY, origin=ORIGIN, now=NOW)
    assert caught.value.code == "nothing-to-recover"
