"""Other people's software reads the feed's files with one line each: docs/guides/downstream.md shows these lines."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from pyroaring import BitMap64

from byline.formats import keyfeed, rowfeed
from byline.formats.keyset import KeySet

K = [5, 1133838757090821576, (1 << 60) - 1]
C = [31, 8, 1]


@pytest.fixture(params=["base", "delta"])
def feed(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A file of the key feed."""
    k, c = np.array(K, dtype=np.int64), np.array(C, dtype=np.uint8)
    data = keyfeed.write(k, c) if request.param == "base" else keyfeed.write_delta(KeySet(k, c))
    (tmp_path / "feed.parquet").write_bytes(data)
    return str(tmp_path / "feed.parquet")


def test_duckdb_reads_the_key_feed(feed: str) -> None:
    assert duckdb.execute(f"SELECT k, c FROM '{feed}'").fetchall() == list(zip(K, C, strict=True))


def test_duckdb_finds_a_photo_by_sql_alone(feed: str) -> None:
    found = duckdb.execute(
        f"SELECT c FROM '{feed}' WHERE k = ('0x' || left(sha256('b1|fs|51234567890_abcdef0123'), 15))::BIGINT"
    )
    assert found.fetchall() == [(8,)]


def test_pyarrow_reads_the_key_feed(feed: str) -> None:
    assert pq.read_table(feed).to_pydict() == {"k": K, "c": C}


def test_polars_reads_the_key_feed(feed: str) -> None:
    polars = pytest.importorskip("polars")
    assert polars.read_parquet(feed).to_dict(as_series=False) == {"k": K, "c": C}


def test_pandas_reads_the_key_feed(feed: str) -> None:
    pandas = pytest.importorskip("pandas")
    assert pandas.read_parquet(feed).to_dict("list") == {"k": K, "c": C}


def test_pyiceberg_reads_a_row_feed() -> None:
    vectors = pytest.importorskip("pyiceberg.table.deletion_vector")
    puffin = pytest.importorskip("pyiceberg.table.puffin")
    rows = [3, 7, 1_000_000, 5_000_000_000]
    data = rowfeed.write(BitMap64(rows), file_sha256="ab" * 32)
    [found] = vectors.deletion_vectors_from_puffin_file(puffin.PuffinFile(data))
    assert (found.referenced_data_file, found.to_vector().to_pylist()) == (f"sha256:{'ab' * 32}", rows)
