"""A dataset's own ids: what S is, what only its holder can test, and the two files of one content."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline.errors import Refused
from byline.formats import keyfeed
from byline.formats.itemfeed import ListDigest, check_of, item_keys, list_sha256, read_ndjson, write_ndjson
from byline.formats.keyset import KeySet

texts = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=12)


def plainly(ids: list[str]) -> str:
    """S with nothing but the standard library."""
    return hashlib.sha256("\n".join(sorted(set(ids), key=str.encode)).encode()).hexdigest()


def test_s_is_what_sort_and_sha256sum_say(tmp_path: Path) -> None:
    ids = ["397133", "37777", "é", "z", "397133", "A", "\U0001f600", "\uffee"]
    (tmp_path / "ids.txt").write_text("\n".join(ids) + "\n", encoding="utf-8")
    said = subprocess.run(
        ["bash", "-c", "LC_ALL=C sort -u ids.txt | head -c -1 | sha256sum"],
        cwd=tmp_path, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert list_sha256(pa.array(ids)) == said.split()[0]


def test_the_vectors_of_the_format() -> None:
    s = list_sha256(pa.array([397133, 37777, 252219]))
    assert s == "17fa642d7e741aeb2ebb886b08d1fdf26d10eb5df49672044c675e4c38de2eba"
    assert check_of("ab" * 32) == "bd7c4659b10b4cda"
    assert item_keys("ab" * 32, pa.array(["37777"])).tolist() == [219929562073955037]


@given(st.lists(texts, min_size=1, max_size=40))
def test_s_does_not_depend_on_order_or_repeats(ids: list[str]) -> None:
    assert list_sha256(pa.array(ids)) == list_sha256(pa.array([*reversed(ids), ids[0]])) == plainly(ids)


@given(st.lists(texts, min_size=1, max_size=60), st.integers(1, 7))
def test_a_stream_gives_the_same(ids: list[str], size: int) -> None:
    """Sorted ids in pieces, repeats across their edges included."""
    ascending = sorted([*ids, *ids[:3]], key=str.encode)
    digest = ListDigest()
    for at in range(0, len(ascending), size):
        digest.update(pa.array(ascending[at : at + size], pa.large_string()))
    assert digest.hexdigest() == plainly(ids)


def test_no_ids_have_no_list() -> None:
    assert list_sha256(pa.array([], pa.string())) is None
    assert list_sha256(pa.array([None], pa.string())) is None


def test_null_is_no_key() -> None:
    assert item_keys("ab" * 32, pa.array(["1", None])).tolist()[1] == -1


def test_both_files_say_the_same() -> None:
    keys = KeySet(np.array([1, 5, 2**60 - 1], np.int64), np.array([31, 1, 16], np.uint8))
    lines = write_ndjson(keys)
    assert lines.splitlines()[1] == b'{"k":5,"c":1}'
    for back in (read_ndjson(lines.splitlines()), keyfeed.read(keyfeed.write(*keys))):
        assert [one.tolist() for one in back] == [one.tolist() for one in keys]


@pytest.mark.parametrize(
    "line",
    [b"", b"[]", b"null", b'{"k":1}', b'{"k":1,"c":0}', b'{"k":-1,"c":1}', b'{"k":1,"c":999}', b'{"k":"x","c":1}',
     b'{"k":1e400,"c":1}', b"{" * 5_000],
)  # fmt: skip
def test_a_line_that_is_none_is_refused(line: bytes) -> None:
    with pytest.raises(Refused) as caught:
        read_ndjson([line])
    assert caught.value.code == "bad-key-feed"
