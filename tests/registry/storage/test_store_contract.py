"""One contract, three stores: a folder, a real S3 server, memory."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import os
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from byline.errors import NotFound, Refused
from registry.storage import ObjectStore, open_object
from registry.storage.memory import MemoryStore
from registry.storage.opening import open_store
from registry.storage.s3 import PART, S3Store


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.s3), "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    if request.param == "memory":
        yield MemoryStore()
    elif request.param == "folder":
        yield open_store(f"file://{tmp_path}/store")
    else:
        prefix = request.getfixturevalue("s3_prefix")
        client = request.getfixturevalue("s3_server").client()
        yield S3Store("byline", prefix=prefix, client=client)
        client.close()


def test_what_was_put_is_there(store: ObjectStore) -> None:
    assert store.put_new("a/b", b"one")
    assert store.get("a/b") == b"one"
    assert store.size("a/b") == 3


def test_a_second_creation_changes_nothing(store: ObjectStore) -> None:
    store.put_new("a", b"first")
    assert not store.put_new("a", b"second")
    assert store.get("a") == b"first"


def test_the_same_bytes_again_are_not_created_twice(store: ObjectStore) -> None:
    store.put_new("a", b"same")
    assert not store.put_new("a", b"same")


def test_a_file_is_put_whole_and_over_what_was_there(store: ObjectStore, tmp_path: Path) -> None:
    path = tmp_path / "made.parquet"
    for body in (b"one" * 1_000, b"another", b"another"):
        path.write_bytes(body)
        store.put_file("a/b", path)
        path.unlink()
        assert store.get("a/b") == body
    assert list(store.list("")) == ["a/b"]


def test_a_file_put_twice_stays_where_it_is(store: ObjectStore, tmp_path: Path) -> None:
    path = tmp_path / "made.parquet"
    path.write_bytes(b"one")
    store.put_file("a", path)
    store.put_file("a", path)
    assert path.read_bytes() == store.get("a") == b"one"
    assert store.sweep(before=dt.datetime.now(dt.UTC)) == 0


def test_of_sixteen_racing_creators_one_wins(store: ObjectStore) -> None:
    gate = threading.Barrier(16)

    def create(n: int) -> bool:
        gate.wait()
        return store.put_new("race", b"%d" % n)

    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(create, range(16)))
    assert won.count(True) == 1
    assert store.get("race") == b"%d" % won.index(True)


def test_of_sixteen_racing_replacers_one_wins(store: ObjectStore) -> None:
    store.put_new("race", b"old")
    gate = threading.Barrier(16)

    def replace(n: int) -> bool:
        gate.wait()
        return store.replace_if("race", b"%d" % n, expected=b"old")

    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(replace, range(16)))
    assert won.count(True) == 1
    assert store.get("race") == b"%d" % won.index(True)


def test_put_replaces(store: ObjectStore) -> None:
    store.put("a", b"old")
    store.put("a", b"new")
    assert store.get("a") == b"new"


@pytest.mark.parametrize(("expected", "done"), [(b"present", True), (b"other", False), (None, False)])
def test_replace_if_compares_with_what_is_there(
    store: ObjectStore, expected: bytes | None, done: object
) -> None:
    store.put("a", b"present")
    assert store.replace_if("a", b"next", expected=expected) is done
    assert store.get("a") == (b"next" if done else b"present")


def test_replace_if_of_what_is_not_there_needs_none(store: ObjectStore) -> None:
    assert not store.replace_if("a", b"x", expected=b"")
    assert store.replace_if("a", b"x", expected=None)
    assert store.get("a") == b"x"


@pytest.mark.parametrize(
    ("start", "length", "got"), [(0, 4, b"0123"), (8, 100, b"89"), (10, 1, b""), (99, 5, b""), (3, 0, b"")]
)
def test_a_range_is_cut_at_the_end(store: ObjectStore, start: int, length: int, got: bytes) -> None:
    store.put("a", b"0123456789")
    assert store.get_range("a", start, length) == got


def test_a_range_of_an_empty_object_is_empty(store: ObjectStore) -> None:
    store.put_new("empty", b"")
    assert store.get_range("empty", 0, 10) == b""
    assert store.size("empty") == 0


def test_what_is_missing_is_not_found(store: ObjectStore) -> None:
    asks: list[Callable[[], object]] = [
        lambda: store.get("no"), lambda: store.size("no"), lambda: store.get_range("no", 0, 1),
        lambda: store.get_range("no", 0, 0), lambda: open_object(store, "no"),
    ]  # fmt: skip
    for ask in asks:
        with pytest.raises(NotFound) as caught:
            ask()
        assert caught.value.code == "no-such-object"


def test_what_was_deleted_is_gone_and_may_come_again(store: ObjectStore) -> None:
    store.put_new("a", b"1")
    store.delete("a")
    store.delete("a")
    with pytest.raises(NotFound):
        store.get("a")
    assert store.put_new("a", b"2")


def test_list_gives_what_begins_with_a_prefix_in_byte_order(store: ObjectStore) -> None:
    keys = ["feed/a", "feed/a.b", "feed/a=b", "feed/aa/x", "feed/ab", "feeds/z", "other"]
    for key in random.Random(1).sample(keys, len(keys)):  # noqa: S311
        store.put_new(key, b"")
    assert list(store.list("feed/a")) == ["feed/a", "feed/a.b", "feed/a=b", "feed/aa/x", "feed/ab"]
    assert list(store.list("")) == keys
    assert list(store.list("nothing/here")) == []


@pytest.mark.s3
def test_list_goes_past_a_page_of_a_thousand(store: ObjectStore) -> None:
    keys = [f"many/{n:04}" for n in range(1_050)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: store.put_new(key, b""), keys))
    assert list(store.list("many/")) == keys


@pytest.mark.parametrize(
    "key",
    ["", "/a", "a/", "a//b", "a/../b", "..", ".", "a/./b", ".tmp/x",
     "a\\b", "a b", "a\0", "a\n", "é", "%2e%2e/x",
     "a" * 201, "/".join(["a" * 100] * 6), "~", "a/.hidden", "*"],
)  # fmt: skip
def test_a_key_that_could_escape_is_refused_everywhere(store: ObjectStore, key: str) -> None:
    asks: list[Callable[[], object]] = [
        lambda: store.put_new(key, b""), lambda: store.put(key, b""), lambda: store.get(key),
        lambda: store.size(key), lambda: store.get_range(key, 0, 1), lambda: store.delete(key),
        lambda: store.replace_if(key, b"", expected=b"x"),
    ]  # fmt: skip
    for ask in asks:
        with pytest.raises(Refused) as caught:
            ask()
        assert caught.value.code == "bad-object-key"


class Trickle(io.RawIOBase):
    """A stream of `size` random bytes, in pieces of odd sizes, that may break before its end."""

    def __init__(self, size: int, *, breaks_at: int | None = None) -> None:
        self.left, self.breaks_at, self.digest = size, breaks_at, hashlib.sha256()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        assert 0 < size <= PART, "the body was asked for whole"
        if self.breaks_at is not None and self.left <= self.breaks_at:
            raise OSError("the sender is gone")
        block = os.urandom(min(size, self.left, 777_777))
        self.left -= len(block)
        self.digest.update(block)
        return block


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, 2 * PART + 5])
def test_a_stream_is_stored_whole_without_being_read_whole(store: ObjectStore, size: int) -> None:
    body = Trickle(size)
    assert store.put_new("big", body)  # type: ignore[arg-type]
    assert store.size("big") == size
    assert hashlib.sha256(store.get("big")).digest() == body.digest.digest()


def test_a_long_stream_creates_only_where_nothing_is(store: ObjectStore) -> None:
    store.put_new("big", b"small")
    assert not store.put_new("big", Trickle(PART + 1))  # type: ignore[arg-type]
    assert store.get("big") == b"small"


def test_a_stream_that_breaks_leaves_nothing(store: ObjectStore) -> None:
    with pytest.raises(OSError, match="the sender is gone"):
        store.put_new("big", Trickle(PART + 9_000_000, breaks_at=1_000_000))  # type: ignore[arg-type]
    assert list(store.list("")) == []


def test_an_object_can_be_read_like_a_file(store: ObjectStore) -> None:
    data = random.Random(7).randbytes(1_000_003)  # noqa: S311
    store.put_new("a", data)
    with open_object(store, "a") as file:
        for _ in range(100):
            at, length = random.randrange(1_000_100), random.choice((1, 100, 300_000))  # noqa: S311
            file.seek(at)
            assert file.read(length) == data[at : at + length]
        file.seek(-3, io.SEEK_END)
        assert file.read() == data[-3:]
        assert file.tell() == len(data)


def test_pyarrow_reads_a_stored_parquet_in_ranges(store: ObjectStore) -> None:
    table = pa.table({"n": pa.array(range(200_000)), "s": pa.array([f"row {n}" for n in range(200_000)])})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, row_group_size=8_192)
    store.put_new("t.parquet", buffer.getvalue())
    with open_object(store, "t.parquet") as source, pq.ParquetFile(source, pre_buffer=True) as found:
        assert found.read_row_group(7, columns=["s"])["s"][0].as_py() == f"row {7 * 8_192}"
        assert found.read().equals(table)


def test_entries_have_sizes_and_a_tag_that_changes_with_the_bytes(store: ObjectStore) -> None:
    store.put("a/1", b"one")
    store.put("a/2", b"three")
    store.put("b", b"")
    before = list(store.entries("a/"))
    assert [(entry.key, entry.size) for entry in before] == [("a/1", 3), ("a/2", 5)]
    store.put("a/1", b"two")
    after = list(store.entries("a/"))
    assert before[0].tag != after[0].tag
    assert before[1:] == after[1:]


def test_a_sweep_takes_nothing_that_is_whole(store: ObjectStore) -> None:
    store.put("a", b"1")
    assert store.sweep(before=dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)) == 0
    assert store.get("a") == b"1"
