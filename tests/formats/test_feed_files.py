"""Row feeds and key feeds, to and from bytes."""

from __future__ import annotations

import hashlib
import io
import struct

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap64

from byline.errors import Refused
from byline.formats import keyfeed, rowfeed

ordinals = st.sets(st.integers(0, 2**40), max_size=200)
keys = st.dictionaries(st.integers(0, 2**60 - 1), st.integers(1, 31), max_size=200)


def arrays(pairs: dict[int, int]) -> tuple[keyfeed.Keys, keyfeed.Bits]:
    """Keys ascending with their bits."""
    ascending = sorted(pairs)
    return np.array(ascending, dtype=np.int64), np.array([pairs[k] for k in ascending], dtype=np.uint8)


def test_a_deletion_vector_is_the_published_vector() -> None:
    assert rowfeed.write_blob(BitMap64([3, 7, 1_000_000])).hex() == (
        "0000002ed1d339640100000000000000000000003a3000000200000000000100"
        "0f000000180000001c0000000300070040427a667903"
    )


@given(ordinals)
def test_a_row_feed_reads_back_what_was_written(rows: set[int]) -> None:
    assert set(rowfeed.read(rowfeed.write(BitMap64(rows)))) == rows


@given(ordinals)
def test_the_same_rows_give_the_same_bytes(rows: set[int]) -> None:
    assert rowfeed.write(BitMap64(sorted(rows))) == rowfeed.write(BitMap64(sorted(rows, reverse=True)))


def test_every_flipped_bit_of_a_row_feeds_blob_is_refused() -> None:
    blob = bytearray(rowfeed.write_blob(BitMap64([3, 7, 1_000_000])))
    for at in range(8 * len(blob)):
        blob[at // 8] ^= 1 << at % 8
        with pytest.raises(Refused):
            rowfeed.read_blob(bytes(blob))
        blob[at // 8] ^= 1 << at % 8


@given(st.binary(max_size=300))
def test_bytes_that_are_no_row_feed_are_refused(data: bytes) -> None:
    with pytest.raises(Refused, match="row feed"):
        rowfeed.read(data)


@given(st.integers(0, 400))
def test_a_cut_row_feed_is_refused(length: int) -> None:
    whole = rowfeed.write(BitMap64(range(50)))
    if length < len(whole):
        with pytest.raises(Refused):
            rowfeed.read(whole[:length])


@given(keys)
def test_a_key_feed_reads_back_what_was_written(pairs: dict[int, int]) -> None:
    k, c = arrays(pairs)
    back_k, back_c = keyfeed.read(keyfeed.write(k, c))
    assert (back_k.tolist(), back_c.tolist()) == (k.tolist(), c.tolist())


def test_a_key_feed_is_delta_packed_without_a_dictionary() -> None:
    k, c = arrays({n * 1_000_003: 31 for n in range(1000)})
    column = pq.ParquetFile(io.BytesIO(keyfeed.write(k, c))).metadata.row_group(0).column(0)
    assert "DELTA_BINARY_PACKED" in column.encodings
    assert not column.has_dictionary_page


@pytest.mark.parametrize(
    ("k", "c"),
    [([2, 1], [1, 1]), ([1, 1], [1, 1]), ([-1], [1]), ([2**60], [1]), ([1], [0]), ([1], [32]), ([1], [])],
)
def test_a_key_feed_that_breaks_its_rules_is_refused(k: list[int], c: list[int]) -> None:
    with pytest.raises(Refused, match="key feed"):
        keyfeed.write(np.array(k, dtype=np.int64), np.array(c, dtype=np.uint8))


def test_what_a_set_is_does_not_depend_on_its_file() -> None:
    k, c = arrays({1: 3, 2: 31})
    assert keyfeed.set_sha256(k, c) == hashlib.sha256(struct.pack(">QBQB", 1, 3, 2, 31)).hexdigest()
