"""The record index is the same however many runs and stretches its rows were sorted in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.publishing import runs, sorting, tables
from registry.publishing.rows import UNSORTED
from registry.publishing.stretches import Stretch, stretches
from registry.publishing.task import INDEX
from registry.publishing.task import MAKERS as MAKERS_FILE
from registry.storage.record_index import LARGEST_GROUP, ROW_GROUP, row_group
from tests.registry.publishing.test_fence import task

MAKERS = st.none() | st.sampled_from(
    ["flickr:1@N00", "flickr:a", "flickr:\U0001f600", "id:x/\uffee", "name:é"]
)


def batches(makers: list[str | None], size: int) -> Iterator[pa.RecordBatch]:
    for at in range(0, len(makers), size):
        some = makers[at : at + size]
        columns: dict[str, Any] = {
            "contributor": some,
            "file": [0] * len(some),
            "row": list(range(at, at + len(some))),
            "photos": [
                ["flickr:1", "flickr:2"] if row % 7 == 0 else None for row in range(at, at + len(some))
            ],
            "item": [f"url|example.org/{row}" for row in range(at, at + len(some))],
        }
        arrays = [pa.array(columns.get(field.name, [None] * len(some)), field.type) for field in UNSORTED]
        yield pa.RecordBatch.from_arrays(arrays, schema=UNSORTED)


def index(makers: list[str | None], *, size: int) -> pa.Table:
    with TemporaryDirectory() as folder:
        asked = task(Path(folder), rows=len(makers))
        with tables.open_duckdb(asked) as connection:
            sorting.write_sorted(connection, asked, batches(makers, size))
        left = sorted(path.name for path in Path(folder).iterdir() if path.name != "spill")
        assert left == [INDEX]
        return pq.read_table(asked.path(INDEX))


@settings(max_examples=25, deadline=None)
@given(st.lists(MAKERS, max_size=160), st.integers(1, 40))
def test_runs_and_stretches_change_nothing(makers: list[str | None], size: int) -> None:
    whole = index(makers, size=200)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorting, "RUN_BYTES", 1_000)  # a batch, or a few of the smallest
        patch.setattr(sorting, "STRETCH_BYTES", 500)
        patch.setattr(runs, "PIECE_ROWS", 3)
        patch.setattr(runs, "_TOGETHER", 2)
        pieces = index(makers, size=size)
    assert pieces.schema.types == whole.schema.types
    assert pieces.to_pylist() == whole.to_pylist()
    found = zip(whole["contributor"].to_pylist(), whole["row"].to_pylist(), strict=True)
    assert list(found) == sorted(
        ((maker, row) for row, maker in enumerate(makers)),
        key=lambda one: (one[0] is None, (one[0] or "").encode(), one[1]),
    )


def test_rows_come_by_maker_then_file_and_row_and_those_of_nobody_last() -> None:
    found = index(["b", None, "a", "b", "a"], size=2)
    assert list(zip(found["contributor"].to_pylist(), found["row"].to_pylist(), strict=True)) == [
        ("a", 2),
        ("a", 4),
        ("b", 0),
        ("b", 3),
        (None, 1),
    ]


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 9), max_size=30), st.integers(1, 8))
def test_every_maker_stands_in_exactly_one_stretch(marks: dict[str, int], most: int) -> None:
    cut = list(stretches(Counter(marks), most=most))
    for maker in [*marks, "", "zzzz", "\U0010ffff"]:
        assert sum(holds(one, maker) for one in cut) == 1, maker
    for one in cut:
        assert sum(count for maker, count in marks.items() if holds(one, maker)) <= most or one.one
    assert cut[-1] == Stretch(None, above=False, high=None, one=True), "nobody comes last"


def holds(one: Stretch, maker: str) -> bool:
    if one.one:
        return maker == one.low
    return (one.low is None or maker > one.low or (maker == one.low and not one.above)) and (
        one.high is None or maker < one.high
    )


def test_the_footer_of_a_large_index_stays_short() -> None:
    assert row_group(1_000_000) == ROW_GROUP
    assert row_group(100_000_000) == 10_240 == 5 * 2048
    assert row_group(10**10) == LARGEST_GROUP


def test_makers_gathered_in_stretches_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    makers: list[str | None] = [None, *(f"flickr:{number % 7}@N00" for number in range(60)), "name:é"]
    whole = gathered(makers)
    monkeypatch.setattr(tables, "GATHERED", 5)
    assert gathered(makers) == whole
    assert [one["contributor"] for one in whole] == sorted({maker for maker in makers if maker})
    assert sum(one["entries"] for one in whole) == 61
    assert gathered([None, None]) == []


def gathered(makers: list[str | None]) -> list[dict[str, Any]]:
    with TemporaryDirectory() as folder:
        asked = task(Path(folder), rows=len(makers))
        with tables.open_duckdb(asked) as connection:
            tables.write_index(connection, asked, batches(makers, 9))
            count = tables.write_makers(connection, asked)
        found: list[dict[str, Any]] = pq.read_table(asked.path(MAKERS_FILE)).to_pylist()
        assert count == len(found)
        return found
