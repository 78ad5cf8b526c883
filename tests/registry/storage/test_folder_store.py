"""What only a folder can get wrong: crashes, leftovers, names that are folders."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from byline.errors import NotFound, Refused, Unavailable
from registry.storage.filesystem import FolderStore

WRITER = """
import sys, itertools
from pathlib import Path
from registry.storage.filesystem import FolderStore
store = FolderStore(Path(sys.argv[1]))
for n in itertools.count():
    store.put_new(f"new/{n}", bytes([n % 256]) * 300_000)
    store.put("same", bytes([n % 256]) * 300_000)
    print(n, flush=True)
"""


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


@pytest.mark.parametrize("delay", [0.0, 0.013, 0.05])
def test_kill_9_leaves_whole_objects_and_no_leftovers(tmp_path: Path, root: Path, delay: float) -> None:
    folder = tmp_path / "store"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, cwd=root
    ) as writer:
        assert writer.stdout is not None
        reported = [int(writer.stdout.readline()) for _ in range(10)][-1]
        time.sleep(delay)
        writer.send_signal(signal.SIGKILL)
    store = FolderStore(folder)
    keys = list(store.list(""))
    assert {f"new/{n}" for n in range(reported + 1)} <= set(keys), "what was reported as done is there"
    assert {len(store.get(key)) for key in keys} == {300_000}
    assert {len(set(store.get(key))) for key in keys} == {1}, "never a mixture of two bodies"
    assert list((folder / ".tmp").iterdir()) == []


def test_a_start_sweeps_leftovers_but_not_what_a_living_writer_writes(store: FolderStore) -> None:
    (store.root / ".tmp" / "leftover").write_bytes(b"half")
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as body:
        thread = threading.Thread(target=lambda: store.put_new("slow", body))
        thread.start()
        os.write(writer, b"first ")
        while len(list((store.root / ".tmp").iterdir())) < 2:
            time.sleep(0.01)
        FolderStore(store.root)
        assert not (store.root / ".tmp" / "leftover").exists()
        os.write(writer, b"second")
        os.close(writer)
        thread.join()
    assert store.get("slow") == b"first second"


def test_body_and_name_are_on_disk_before_the_call_returns(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    fsync, link = os.fsync, os.link

    def synced(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        seen.append("body" if path.parent.name == ".tmp" else path.name)
        fsync(handle)

    def linked(a: Path, b: Path) -> None:
        seen.append("link")
        link(a, b)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "link", linked)
    store.put_new("a/b/c", b"x")
    assert seen == ["body", "store", "a", "link", "b"]


def test_an_object_cannot_be_the_folder_of_others(store: FolderStore) -> None:
    store.put_new("a/b", b"")
    for ask in (
        lambda: store.put_new("a", b""),
        lambda: store.put("a", b""),
        lambda: store.put_new("a/b/c", b""),
    ):
        with pytest.raises(Refused, match="folder of others"):
            ask()
    with pytest.raises(NotFound):
        store.get("a")


def test_a_full_disk_is_unavailable_and_leaves_nothing(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int, _block: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(Unavailable) as caught:
        store.put_new("a", b"x")
    monkeypatch.undo()
    assert caught.value.code == "disk-full"
    assert list(store.list("")) == []
    assert list((store.root / ".tmp").iterdir()) == []


def test_two_processes_worth_of_stores_on_one_folder_swap_once(store: FolderStore) -> None:
    other = FolderStore(store.root)
    store.put_new("head", b"0")
    swapped = [one.replace_if("head", b"1", expected=b"0") for one in (store, other)]
    assert swapped == [True, False]


def test_objects_may_lie_where_the_url_has_a_space(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "with space")
    assert store.put_new("a", b"1")
    assert FolderStore(tmp_path / "with space").get("a") == b"1"


def test_a_file_on_the_same_disk_becomes_the_object_itself(store: FolderStore, tmp_path: Path) -> None:
    path = tmp_path / "made"
    path.write_bytes(b"rows")
    store.put_file("a/b", path)
    assert (store.root / "a" / "b").samefile(path)
    assert (store.root / "a" / "b").stat().st_mode & 0o077 == 0
    assert list((store.root / ".tmp").iterdir()) == []


@pytest.mark.parametrize("why", [errno.EXDEV, errno.EPERM, errno.EMLINK])
def test_a_file_on_another_disk_is_copied(
    store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: int
) -> None:
    path = tmp_path / "made"
    path.write_bytes(b"rows")

    def refused(_a: Path, _b: Path) -> None:
        raise OSError(why, os.strerror(why))

    monkeypatch.setattr(os, "link", refused)
    store.put_file("a", path)
    assert store.get("a") == b"rows"
    assert not (store.root / "a").samefile(path)


def test_a_file_whose_bytes_find_no_room_is_no_object(
    store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "made"
    path.write_bytes(b"rows")

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable) as caught:
        store.put_file("a", path)
    monkeypatch.undo()
    assert caught.value.code == "disk-full"
    assert list(store.list("")) == []
    assert list((store.root / ".tmp").iterdir()) == []
