"""S of a dataset's ids out of its record index, a stretch at a time: the same as of all of them at once."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest

from byline.formats.itemfeed import list_sha256
from registry.publishing import item_list
from registry.publishing.item_list import items_sha256


def opened(ids: list[str | None]) -> duckdb.DuckDBPyConnection:
    """A record index of these ids, as the fenced process has it open."""
    connection = duckdb.connect()
    table = pa.table({"item_id": pa.array(ids, pa.string()), "position": range(len(ids))})
    connection.register("entries", table)
    return connection


@pytest.mark.parametrize("stretch", [1, 3, 1_000_000])
def test_however_it_is_cut_it_is_the_same(stretch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [None if at % 11 == 0 else f"é{at * 7919 % 503}" for at in range(3_000)]
    monkeypatch.setattr(item_list, "MARK", 1)
    monkeypatch.setattr(item_list, "_MARKS", item_list._MARKS.replace("4096", "100"))
    assert items_sha256(opened(ids), stretch=stretch) == list_sha256(pa.array(ids))


def test_one_id_that_is_everywhere_is_one_id() -> None:
    assert items_sha256(opened(["same"] * 5_000), stretch=1) == list_sha256(pa.array(["same"]))


def test_no_ids_are_no_list() -> None:
    assert items_sha256(opened([None, None])) is None
