"""Sync believes a signed head that follows the last one and files that have their digests, or changes nothing."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from byline.client.evidence import parts_of
from byline.client.feed import Feed, use_of
from byline.client.state import Believed, Recipe, State
from byline.errors import BylineError, NotFound, Refused, Unavailable, Untrusted
from byline.formats.feedhead import parse_head
from byline.formats.keys import PrivateKey
from tests.client.served import COVERAGE, NOW, ORIGIN, Served, every, evidence, one_head, row_entry

FILE = hashlib.sha256(b"a data file").hexdigest()
NOTE = "/feed/v1/head.note"


@pytest.fixture
def served() -> Served:
    """A registry with one head."""
    return one_head(FILE)


def refused(served: Served, folder: Path, **how: Any) -> str:
    """The code of what sync raises; the state must be as it was."""
    before = State(folder).last() if (folder / "state.sqlite").exists() else None
    with pytest.raises(BylineError) as caught:
        served.sync(folder, **how)
    assert (State(folder).last() if (folder / "state.sqlite").exists() else None) == before
    return caught.value.code


def test_a_first_sync_pins_the_key_the_registry_shows(served: Served, tmp_path: Path) -> None:
    made = served.sync(tmp_path)
    assert (made.head.seq, made.vkey) == (1, served.vkey)
    assert State(tmp_path).vkey() == served.vkey


def test_a_synced_feed_is_opened_with_all_it_says(served: Served, tmp_path: Path) -> None:
    served.sync(tmp_path)
    feed = Feed.open(tmp_path, now=NOW)
    assert (feed.head.origin, feed.head.keys, dict(feed.head.coverage)) == (ORIGIN, 3, COVERAGE)


def test_the_same_head_again_fetches_no_file(served: Served, tmp_path: Path) -> None:
    served.sync(tmp_path)
    again = served.sync(tmp_path)
    assert (again.fetched_files, again.changed) == (0, False)


def test_a_newer_head_fetches_only_what_is_new(served: Served, tmp_path: Path) -> None:
    served.sync(tmp_path)
    rows = {FILE: [row_entry({"any": [3, 7], "train-other": [3]}, records=9)]}
    served.publish(every([1, 6]), seq=2, rows=rows)
    made = served.sync(tmp_path)
    assert (made.head.seq, made.fetched_files, made.changed) == (2, 2, True)  # what changed, what was removed


def test_another_key_than_the_pinned_one_is_refused(served: Served, tmp_path: Path) -> None:
    served.sync(tmp_path)
    served.key = PrivateKey.generate()
    served.publish(every([1]), seq=2)
    assert refused(served, tmp_path) == "key-changed"


def test_a_key_that_was_told_otherwise_goes_before_the_one_shown(served: Served, tmp_path: Path) -> None:
    other = Served(key=PrivateKey.generate())
    assert refused(served, tmp_path, vkey=other.vkey) == "key-changed"


def test_a_note_that_the_pinned_key_did_not_sign_is_refused(served: Served, tmp_path: Path) -> None:
    other = Served(key=PrivateKey.generate())
    other.publish(every([1]), seq=2)
    served.sync(tmp_path)
    served.files |= {"head.json": other.files["head.json"], "head.note": other.files["head.note"]}
    assert refused(served, tmp_path) == "bad-signature"


def test_a_number_that_goes_back_is_refused(served: Served, tmp_path: Path) -> None:
    served.publish(every([1]), seq=5)
    served.sync(tmp_path)
    served.publish(every([1]), seq=4)
    assert refused(served, tmp_path) == "feed-went-back"


def test_two_heads_of_one_number_are_a_fork(served: Served, tmp_path: Path) -> None:
    served.sync(tmp_path)
    signed = served.files["head.note"]
    served.publish(every([2]), seq=1)
    assert refused(served, tmp_path) == "feed-forked"
    document = evidence(tmp_path, "feed-forked")
    assert parts_of(document, "believed")[NOTE] == signed
    assert parts_of(document, "shown")[NOTE] == served.files["head.note"]


def test_an_expired_head_is_refused(served: Served, tmp_path: Path) -> None:
    assert refused(served, tmp_path, now=NOW + dt.timedelta(days=7)) == "feed-expired"


def test_a_head_older_than_max_age_is_refused(served: Served, tmp_path: Path) -> None:
    late = NOW + dt.timedelta(hours=2)
    assert refused(served, tmp_path, now=late, max_age=dt.timedelta(hours=1)) == "feed-stale"


def test_a_head_that_is_not_the_noted_one_is_fetched_by_its_digest(served: Served, tmp_path: Path) -> None:
    served.files["head.json"] = b"{}"  # a build in between: the note commits
    assert served.sync(tmp_path).head.seq == 1


def test_a_changed_head_is_refused(served: Served, tmp_path: Path) -> None:
    for name in [name for name in served.files if name.endswith(".json")]:
        served.files[name] = served.files[name].replace(b'"log_size":9', b'"log_size":8')
    assert refused(served, tmp_path) == "head-mismatch"


@pytest.mark.parametrize("ending", ["parquet", "puffin"])
def test_a_file_with_another_digest_is_refused(served: Served, tmp_path: Path, ending: str) -> None:
    for name in [name for name in served.files if name.endswith(ending)]:
        served.files[name] = served.files[name][:-1] + b"x"
    assert refused(served, tmp_path) == "wrong-file"


def test_a_file_that_is_missing_is_refused(served: Served, tmp_path: Path) -> None:
    del served.files[next(name for name in served.files if name.endswith("puffin"))]
    assert refused(served, tmp_path) == "no-such-file"


def test_keys_that_are_not_the_set_the_head_names_are_refused(tmp_path: Path) -> None:
    served = Served()
    head = served.publish(every([1, 2, 3]))
    head["keys"]["set_sha256"] = "0" * 64
    served.serve(head)
    assert refused(served, tmp_path) == "wrong-key-set"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"v": 2}, "feed-too-new"), ({"canon": "b2"}, "feed-too-new"), ({"origin": "other.example"}, "wrong-origin"),
        ({"rows": {"parts": 4096, "index": {}}}, "feed-too-new"), ({"coverage": {}}, "missing-member"),
        ({"rows": {"parts": 256, "index": {"00": {"path": "../../x", "sha256": "0" * 64}}}}, "bad-member"),
        ({"rows": {"parts": 256, "index": {"00": {"path": f"files/{'1' * 64}.json", "sha256": "0" * 64}}}}, "bad-member"),
    ],
)  # fmt: skip
def test_a_signed_head_of_another_shape_is_refused(more: dict[str, Any], code: str, tmp_path: Path) -> None:
    served = Served()
    served.serve(served.publish(every([1])) | more)
    assert refused(served, tmp_path) == code


def test_before_the_first_feed_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        Served().sync(tmp_path)
    assert caught.value.code == "no-feed-yet"


def test_a_registry_that_tells_of_a_head_it_does_not_serve_is_behind(served: Served, tmp_path: Path) -> None:
    served.told_seq = 2
    with pytest.raises(Unavailable) as caught:
        served.sync(tmp_path)
    assert caught.value.code == "feed-behind"


def test_a_state_nobody_synced_holds_no_feed(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        Feed.open(tmp_path)
    assert caught.value.code == "no-state"


def test_an_expired_feed_does_not_open(served: Served, tmp_path: Path) -> None:
    served.sync(tmp_path)
    with pytest.raises(Untrusted) as caught:
        Feed.open(tmp_path, now=NOW + dt.timedelta(days=8))
    assert caught.value.code == "feed-expired"


def test_a_pinned_head_opens_even_when_it_expired(served: Served, tmp_path: Path) -> None:
    served.sync(tmp_path)
    served.publish(every([9]), seq=2)
    served.sync(tmp_path)
    assert Feed.open(tmp_path, pin=1, now=NOW + dt.timedelta(days=99)).head.keys == 3


def test_a_head_that_is_not_kept_cannot_be_pinned(served: Served, tmp_path: Path) -> None:
    served.sync(tmp_path)
    with pytest.raises(NotFound) as caught:
        Feed.open(tmp_path, pin=7)
    assert caught.value.code == "no-such-seq"


def test_files_no_kept_head_needs_are_swept(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("byline.client.state.KEPT_HEADS", 2)
    for seq in range(2, 6):
        served.publish(every([seq]), seq=seq)
        served.sync(tmp_path)
    assert [one.seq for one in State(tmp_path).heads()] == [4, 5]
    recipe, believed = State(tmp_path).recipe(5), State(tmp_path).last()
    assert recipe is not None
    assert believed is not None
    index = {one.path for one in parse_head(believed.json).index.values()}
    kept = {f"files/{path.name}" for path in (tmp_path / "files").iterdir()}
    assert kept == {*recipe.base, *recipe.deltas, *index}
    assert {path.suffix for path in (tmp_path / "sets").iterdir()} == {".k", ".c"}
    assert len(list((tmp_path / "sets").iterdir())) == 2


def rows_of_the_file(state: Path) -> None:
    """Ask the state for everything that a filter asks of it."""
    feed = Feed.open(state, now=NOW)
    (entry,) = feed.entries(FILE)
    feed.rows(entry, use=use_of(None))


@pytest.mark.parametrize("ending", ["json", "puffin"])
def test_a_state_that_was_changed_is_not_believed(served: Served, tmp_path: Path, ending: str) -> None:
    served.sync(tmp_path)
    for path in (tmp_path / "files").glob(f"*.{ending}"):
        path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(Untrusted) as caught:
        rows_of_the_file(tmp_path)
    assert caught.value.code == "state-damaged"


def test_a_head_that_was_put_into_the_state_by_hand_is_not_believed(served: Served, tmp_path: Path) -> None:
    served.sync(tmp_path)
    state = State(tmp_path)
    last = state.last()
    assert last is not None
    state.believe(Believed(9, last.json.replace(b'"seq":1', b'"seq":9'), last.note), Recipe(), checkpoint=b"")
    with pytest.raises((Untrusted, Refused)):
        Feed.open(tmp_path, now=NOW)


def test_a_head_the_log_does_not_hold_is_refused(served: Served, tmp_path: Path) -> None:
    served.leaves.pop()
    assert refused(served, tmp_path) == "head-not-logged"


def test_a_shorter_log_is_refused_and_kept_as_evidence(served: Served, tmp_path: Path) -> None:
    served.leaves[1:1] = [b"more", b"and more"]
    served.sync(tmp_path)
    believed = State(tmp_path).checkpoint()
    del served.leaves[1:3]
    assert refused(served, tmp_path) == "log-went-back"
    document = evidence(tmp_path, "log-went-back")
    assert parts_of(document, "believed")["/log/checkpoint"] == believed
    (told,) = [data for path, data in parts_of(document, "shown").items() if path.startswith("/v1/receipts/")]
    assert served.checkpoint in told


def test_a_log_that_does_not_go_on_from_the_one_before_is_refused(served: Served, tmp_path: Path) -> None:
    served.sync(tmp_path)
    served.leaves[0] = b"another past"
    assert refused(served, tmp_path) == "log-forked"
    served.leaves.append(b"and on")
    assert refused(served, tmp_path) == "log-forked"
    assert len(list((tmp_path / "evidence").iterdir())) == 2


def test_a_log_that_only_grew_is_believed(served: Served, tmp_path: Path) -> None:
    served.sync(tmp_path)
    served.leaves += [b"%d" % at for at in range(100)]
    served.sync(tmp_path)
    assert State(tmp_path).checkpoint() == served.checkpoint


def test_tiles_that_are_cut_off_are_refused(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.sync(tmp_path)
    served.leaves.append(b"more")
    real = served.logged
    monkeypatch.setattr(
        served, "logged", lambda path: (real(path) or b"")[: 64 if "tile" in path else None] or None
    )
    assert refused(served, tmp_path) == "log-truncated"


def test_a_receipt_of_another_entry_is_refused(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = hashlib.sha256(served.files["head.json"]).hexdigest()
    served.publish(every([1]), seq=2)
    real = served.receipt
    monkeypatch.setattr(served, "receipt", lambda _: real(first))
    assert refused(served, tmp_path) == "head-not-logged"


_KILLED = """
import os, signal, sys
from pathlib import Path
from byline.client import state
from tests.client.served import every, one_head
served = one_head(sys.argv[3])
served.publish(every([4, 5, 6]), seq=2)
left = int(sys.argv[2])
def dying(what):
    def step(*args, **kwargs):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return what(*args, **kwargs)
    return step
os.fsync = dying(os.fsync)
os.open = dying(os.open)
state.State.believe = dying(state.State.believe)
state.State.sweep = dying(state.State.sweep)
Path.replace = dying(Path.replace)
served.sync(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("step", range(1, 12))
def test_a_sync_that_is_killed_leaves_the_feed_before_whole(
    served: Served, tmp_path: Path, step: int, root: Path
) -> None:
    served.sync(tmp_path)
    command = [sys.executable, "-c", _KILLED, str(tmp_path), str(step), FILE]
    done = subprocess.run(command, check=False, cwd=root, env={**os.environ, "PYTHONPATH": str(root)})
    assert done.returncode in {0, -signal.SIGKILL}
    feed = Feed.open(tmp_path, now=NOW)
    assert feed.head.keys == 3
    served.publish(every([4, 5, 6]), seq=2)
    assert served.sync(tmp_path).head.seq == 2
