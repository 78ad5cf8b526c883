"""From one head's keys to the next: by what changed, by the base; nothing leaves unsaid, whatever lies in the state."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from byline.client.catching_up import open_set
from byline.client.feed import Feed
from byline.client.keysets import open_kept, write_set
from byline.client.state import State
from byline.errors import BylineError, Unavailable, Untrusted
from byline.formats.feedhead import Head, parse_head
from byline.formats.keyset import KeySet
from tests.client.served import NOW, Served, every, row_entry

FILE = "ab" * 32
SETS = st.lists(st.dictionaries(st.integers(0, 12), st.integers(1, 31), max_size=8), min_size=2, max_size=6)


def kept(folder: Path) -> dict[int, int]:
    """The keys of the head believed last."""
    state, head = State(folder), last(folder)
    found = open_set(state, head, state.recipe(head.seq))
    return {int(k): int(c) for k, c in zip(found.k, found.c, strict=True)}


def last(folder: Path) -> Head:
    found = State(folder).last()
    assert found is not None
    return parse_head(found.json)


def parquets(served: Served) -> list[str]:
    """Parquet files asked for since the last time."""
    found = [path for path in served.asked if path.endswith("parquet")]
    served.asked.clear()
    return found


def code(served: Served, folder: Path) -> str:
    """Of what sync raises; the head before is believed still."""
    before = last(folder)
    with pytest.raises(BylineError) as caught:
        served.sync(folder)
    assert last(folder) == before
    return caught.value.code


@settings(max_examples=40)
@given(SETS, st.data())
def test_whenever_a_client_syncs_it_has_the_whole_set(
    history: list[dict[int, int]], data: st.DataObject
) -> None:
    served = Served()
    with TemporaryDirectory() as folder:
        for seq, keys in enumerate(history, 1):
            served.publish(keys, seq=seq)
            if data.draw(st.booleans(), label=f"sync at {seq}"):
                served.sync(Path(folder))
                assert kept(Path(folder)) == keys
        served.sync(Path(folder))
        assert kept(Path(folder)) == history[-1]


def test_a_client_that_was_away_fetches_what_changed_and_no_base(tmp_path: Path) -> None:
    served = Served()
    served.publish(every([1, 2]))
    served.sync(tmp_path)
    for seq in range(2, 6):
        served.publish(every([1, 2, *range(10, 10 + seq)]), seq=seq)
    parquets(served)
    served.sync(tmp_path)
    deltas = [f"/feed/v1/{one.path}" for one in last(tmp_path).deltas]
    assert sorted(parquets(served)) == sorted(deltas)


def test_a_client_that_was_away_for_longer_than_deltas_reach_takes_the_base(tmp_path: Path) -> None:
    served = Served()
    served.publish(every([1, 2]))
    served.sync(tmp_path)
    for seq in range(2, 5):
        served.publish(every([1, 2, 10 + seq]), seq=seq)
    served.deltas = served.deltas[2:]
    served.publish(every([1, 2, 3, 14]), seq=5)
    parquets(served)
    served.sync(tmp_path)
    assert (kept(tmp_path), f"/feed/v1/{last(tmp_path).base[0].path}" in parquets(served)) == (
        every([1, 2, 3, 14]),
        True,
    )


@pytest.mark.parametrize("keys", [{1: 31}, {1: 31, 2: 30}], ids=["a key", "a bit of one"])
@pytest.mark.parametrize("deltas", [True, False], ids=["by deltas", "by the base"])
def test_what_leaves_unsaid_is_refused(tmp_path: Path, keys: dict[int, int], deltas: bool) -> None:  # noqa: FBT001
    served = Served()
    served.publish(every([1, 2]))
    served.sync(tmp_path)
    served.publish(keys, seq=2, silent=True)
    if not deltas:
        served.publish(keys, seq=3, silent=True)
        served.deltas = served.deltas[1:]
        served.publish(keys, seq=4, silent=True)
    assert code(served, tmp_path) == "removed-unsaid"


def test_a_removal_said_before_does_not_excuse_one_now(tmp_path: Path) -> None:
    served = Served()
    served.publish(every([1, 2]))
    served.publish(every([1]), seq=2)
    served.publish(every([1, 2]), seq=3)
    served.sync(tmp_path)
    served.publish(every([1]), seq=4, silent=True)
    assert code(served, tmp_path) == "removed-unsaid"


def test_a_delta_that_gives_another_set_is_refused(tmp_path: Path) -> None:
    served = Served()
    served.publish(every([1, 2]))
    served.sync(tmp_path)
    head = served.publish(every([1, 2, 3]), seq=2)
    served.deltas[-1] |= {"to": 3}
    wrong = head | {"seq": 3, "keys": head["keys"] | {"set_sha256": "0" * 64}}
    served.serve(wrong)
    assert code(served, tmp_path) == "wrong-key-set"


@pytest.mark.parametrize(
    ("rows", "said"),
    [([3], "removed-unsaid"), ([3, 7], ""), ([3, 7, 8], ""), ([], "removed-unsaid")],
)
def test_rows_that_leave_unsaid_are_refused(tmp_path: Path, rows: list[int], said: str) -> None:
    served = Served()
    served.publish(rows={FILE: [row_entry({"any": [3, 7]}, records=9)]})
    served.sync(tmp_path)
    served.publish(rows={FILE: [row_entry({"any": rows}, records=9)]}, seq=2)
    assert (code(served, tmp_path) if said else served.sync(tmp_path) and "") == said


def test_rows_whose_removal_is_said_may_leave(tmp_path: Path) -> None:
    served = Served()
    served.publish(rows={FILE: [row_entry({"any": [3, 7]}, records=9)]})
    served.sync(tmp_path)
    left = row_entry({"any": [3]}, records=9, removed={"withdrawn": [7]})
    served.publish(rows={FILE: [left]}, seq=2)
    assert served.sync(tmp_path).head.seq == 2


@pytest.mark.parametrize("silent", [True, False])
def test_a_file_leaves_the_index_only_with_a_word(tmp_path: Path, silent: bool) -> None:  # noqa: FBT001
    served = Served()
    served.publish(rows={FILE: [row_entry({"any": [3, 7]}, records=9)]})
    served.sync(tmp_path)
    served.publish(seq=2, silent=silent)
    if silent:
        assert code(served, tmp_path) == "removed-unsaid"
    else:
        assert served.sync(tmp_path).head.seq == 2


@pytest.mark.parametrize("harm", ["torn", "changed", "missing"])
def test_a_set_that_was_harmed_is_made_again(tmp_path: Path, harm: str) -> None:
    served = Served()
    served.publish(every([1, 2]))
    served.sync(tmp_path)
    served.publish(every([1, 2, 3]), seq=2)
    served.sync(tmp_path)
    [path] = (tmp_path / "sets").glob("*.k")
    data = path.read_bytes()
    path.write_bytes({"torn": data[:-5], "changed": data[:-1] + b"\x01", "missing": b""}[harm])
    assert kept(tmp_path) == every([1, 2, 3])


def test_what_cannot_be_made_again_is_not_believed(tmp_path: Path) -> None:
    served = Served()
    served.publish(every([1, 2]))
    served.sync(tmp_path)
    for path in (*(tmp_path / "sets").iterdir(), *(tmp_path / "files").glob("*.parquet")):
        path.unlink()
    with pytest.raises(Untrusted) as caught:
        Feed.open(tmp_path, now=NOW)
    assert caught.value.code == "state-damaged"


def test_earlier_heads_open_as_they_were(tmp_path: Path) -> None:
    served = Served()
    history = [every([1, 2]), every([2]), every([2, 5]), every([2, 5, 6])]
    for seq, keys in enumerate(history, 1):
        served.publish(keys, seq=seq)
        served.sync(tmp_path)
    assert [Feed.open(tmp_path, pin=seq).head.keys for seq in range(1, 5)] == [2, 1, 2, 3]


def test_a_long_chain_of_deltas_goes_on_from_a_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("byline.client.catching_up.MOST_DELTAS", 2)
    served = Served()
    for seq in range(1, 8):
        served.publish(every(range(seq)), seq=seq)
        served.sync(tmp_path)
    recipe = State(tmp_path).recipe(7)
    assert recipe is not None
    assert (len(recipe.deltas) <= 2, recipe.set_sha256 is not None) == (True, True)
    assert [Feed.open(tmp_path, pin=seq).head.keys for seq in (7, 6, 5, 3, 1)] == [7, 6, 5, 3, 1]


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    served = Served()
    served.publish(every([1]))
    served.sync(tmp_path)
    with State(tmp_path).alone(), pytest.raises(Unavailable) as caught, State(tmp_path).alone(patience=0.1):
        pass
    assert caught.value.code == "state-busy"


def test_a_reader_goes_on_with_its_feed_while_another_is_synced(tmp_path: Path) -> None:
    served = Served()
    served.publish(every([1, 2]))
    served.sync(tmp_path)
    feed = Feed.open(tmp_path, now=NOW)
    before = feed.mask(["https://example.org/free.jpg"])
    served.publish(every([7]), seq=2, time=NOW + dt.timedelta(hours=1))
    served.sync(tmp_path, now=NOW + dt.timedelta(hours=1))
    assert (feed.mask(["https://example.org/free.jpg"]) == before).all()


def test_a_mirror_that_serves_files_alone_will_do_for_who_has_the_key(tmp_path: Path) -> None:
    served = Served(is_mirror=True)
    served.publish(every([1]))
    assert served.sync(tmp_path, vkey=served.vkey).head.seq == 1


@given(st.sets(st.integers(0, 99), min_size=1), st.lists(st.integers(0, 99), max_size=20), st.integers(1, 40))
def test_a_set_is_asked_slice_by_slice_as_it_is_whole(keys: set[int], wanted: list[int], size: int) -> None:
    k = np.array(sorted(keys), dtype=np.int64)
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        patched.setattr("byline.client.keysets._SLICE", size)
        write_set(Path(folder) / "set", [KeySet(k, np.full(len(k), 7, np.uint8))])
        found = open_kept(Path(folder) / "set").bits_at(np.array(wanted, dtype=np.int64))
    assert found.tolist() == [7 if one in keys else 0 for one in wanted]
