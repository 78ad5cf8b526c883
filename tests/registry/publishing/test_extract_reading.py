"""An extract read as if an enemy had written it: what is refused before it is decoded, and what row by row."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from byline.errors import Refused
from registry.publishing import reading
from registry.publishing.reading import read_extract
from registry.publishing.task import Task

LONG = "https://example.org/" + "a" * 6000


def task(folder: Path, data: bytes, *, rows: int, **said: Any) -> Task:
    """A task over one part with a `url` column."""
    (folder / "part").write_bytes(data)
    told: dict[str, Any] = {"columns": {"url": "URL"}, "files": (rows,), "rows": rows, **said}
    return Task(
        folder=str(folder), parts=("part",), dataset="lumen-labs/x", sha256="0" * 64, max_row=65_536, max_url=8192,
        memory=1 << 28, seconds=60, threads=1, **told,
    )  # fmt: skip


def parquet(rows: int, urls: pa.Array, **options: Any) -> bytes:
    columns = {"file": pa.array(np.zeros(rows, np.int32)), "row": pa.array(np.arange(rows)), "url": urls}
    return written(pa.table(columns), **options)


def written(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **{"compression": "zstd", "use_dictionary": False, **options})
    return sink.getvalue()


def code_of(made: Task) -> str:
    with pytest.raises(Refused) as error:
        list(read_extract(made))
    return error.value.code


def first_row_code(made: Task) -> tuple[str, Any]:
    with pytest.raises(Refused) as error:
        list(read_extract(made))
    assert error.value.code == "bad-rows"
    assert isinstance(error.value.details, list)
    return error.value.details[0]["code"], error.value.details[0].get("row")


def test_six_kilobytes_that_stand_for_gigabytes_are_not_unfolded(tmp_path: Path) -> None:
    rows = 400_000
    one = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([LONG]))
    data = parquet(
        rows,
        one,
        use_dictionary=["url"],
        store_schema=False,
        column_encoding={"row": "DELTA_BINARY_PACKED", "file": "DELTA_BINARY_PACKED"},
    )
    assert len(data) < 12_000
    assert code_of(task(tmp_path, data, rows=rows)) == "extract-unfolds-too-far"


def test_a_string_compressed_a_thousandfold_is_not_believed(tmp_path: Path) -> None:
    data = parquet(60_000, pa.array([LONG] * 60_000))
    assert code_of(task(tmp_path, data, rows=60_000)) == "extract-unfolds-too-far"


def test_a_billion_rows_in_a_few_bytes_are_not_believed(tmp_path: Path) -> None:
    rows = 3_000_000
    data = parquet(
        rows,
        pa.nulls(rows, pa.string()),
        column_encoding={"row": "DELTA_BINARY_PACKED", "file": "DELTA_BINARY_PACKED"},
    )
    assert code_of(task(tmp_path, data, rows=rows)) == "extract-unfolds-too-far"


def test_shared_prefixes_are_not_unfolded(tmp_path: Path) -> None:
    data = parquet(1000, pa.array([LONG] * 1000), column_encoding={"url": "DELTA_BYTE_ARRAY"})
    assert code_of(task(tmp_path, data, rows=1000)) == "unread-encoding"


def test_thousands_of_columns_are_refused_by_the_schema(tmp_path: Path) -> None:
    data = written(pa.table({f"c{number}": pa.array([1]) for number in range(3000)}))
    assert code_of(task(tmp_path, data, rows=1)) == "too-many-columns"


def test_a_huge_footer_is_not_even_parsed(tmp_path: Path) -> None:
    data = b"PAR1" + b"\0" * 64 + (1 << 30).to_bytes(4, "little") + b"PAR1"
    assert code_of(task(tmp_path, data, rows=1)) == "too-many-columns"


@pytest.mark.parametrize(
    "data", [b"", b"PAR1", b"PAR1\0\0\0\0PAR1", b"file,row,url\n0,0,x\n", os.urandom(500)]
)
def test_what_is_no_parquet_is_refused(tmp_path: Path, data: bytes) -> None:
    assert code_of(task(tmp_path, data, rows=1)) == "not-parquet"


def test_a_parquet_cut_short_is_refused(tmp_path: Path) -> None:
    data = parquet(1000, pa.array([f"https://example.org/{n}" for n in range(1000)]))
    assert code_of(task(tmp_path, data[: len(data) // 2], rows=1000)) == "not-parquet"


def test_a_page_that_is_not_what_it_says_is_refused(tmp_path: Path) -> None:
    data = bytearray(parquet(1000, pa.array([f"https://example.org/{n}" for n in range(1000)])))
    data[len(data) // 3 : len(data) // 3 + 200] = os.urandom(200)
    assert code_of(task(tmp_path, bytes(data), rows=1000)) in ("not-parquet", "bad-rows", "wrong-row-count")


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"file": "i4", "row": "i8", "link": "s"}, "wrong-columns"),
        ({"row": "i8", "file": "i4", "url": "s"}, "wrong-columns"),
        ({"file": "i4", "row": "i8"}, "wrong-columns"),
        ({"file": "i8", "row": "i8", "url": "s"}, "wrong-column-type"),
        ({"file": "i4", "row": "i4", "url": "s"}, "wrong-column-type"),
        ({"file": "i4", "row": "i8", "url": "i8"}, "wrong-column-type"),
        ({"file": "i4", "row": "i8", "url": "s", "title": "s"}, "too-many-columns"),
    ],
)
def test_columns_are_the_mapped_ones_by_name_order_and_type(
    tmp_path: Path, columns: dict[str, str], code: str
) -> None:
    kinds = {"i4": pa.array([0], pa.int32()), "i8": pa.array([0], pa.int64()), "s": pa.array(["x"])}
    data = written(pa.table({name: kinds[kind] for name, kind in columns.items()}))
    assert code_of(task(tmp_path, data, rows=1)) == code


def test_another_number_of_rows_is_refused(tmp_path: Path) -> None:
    assert code_of(task(tmp_path, parquet(2, pa.array(["a", "b"])), rows=3, files=(3,))) == "wrong-row-count"


def numbered(file: list[int | None], row: list[int | None]) -> bytes:
    return written(
        pa.table(
            {
                "file": pa.array(file, pa.int32()),
                "row": pa.array(row, pa.int64()),
                "url": pa.array(["x"] * len(row)),
            }
        )
    )


@pytest.mark.parametrize(
    ("file", "row", "code"),
    [
        ([0, 0], [0, None], "null-row-number"),
        ([0, 2], [0, 0], "no-such-file"),
        ([0, -1], [0, 0], "no-such-file"),
        ([0, 1], [0, 5], "row-out-of-range"),
        ([0, 1], [-1, 0], "row-out-of-range"),
        ([0, 0], [1, 1], "rows-out-of-order"),
        ([0, 0], [1, 0], "rows-out-of-order"),
        ([1, 0], [0, 0], "rows-out-of-order"),
    ],
)
def test_rows_ascend_and_lie_within_their_files(
    tmp_path: Path, file: list[int | None], row: list[int | None], code: str
) -> None:
    assert first_row_code(task(tmp_path, numbered(file, row), rows=2, files=(2, 5)))[0] == code


def test_order_holds_over_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BATCH", 2)
    data = numbered([0] * 6, [0, 1, 2, 3, 3, 4])
    assert first_row_code(task(tmp_path, data, rows=6, files=(9,)))[0] == "rows-out-of-order"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (b"https://example.org/" + b"a" * 8192, "value-too-long"),
        (b"a\0b", "nul-character"),
        (b"\xff\xfe", "not-utf8"),
        (b"\xed\xa0\x80", "not-utf8"),
    ],
)
def test_a_bad_value_is_named_by_its_row(tmp_path: Path, value: bytes, code: str) -> None:
    urls = pa.StringArray.from_buffers(
        3, pa.array([b"fine", value, b"fine"]).buffers()[1], pa.array([b"fine", value, b"fine"]).buffers()[2]
    )
    assert first_row_code(task(tmp_path, parquet(3, urls), rows=3)) == (code, 1)


def test_a_row_may_be_too_long_though_no_value_is(tmp_path: Path) -> None:
    long = pa.array(["t" * 40_000])
    table = pa.table(
        {
            "file": pa.array([0], pa.int32()),
            "row": pa.array([0], pa.int64()),
            "creator_name": long,
            "title": long,
        }
    )
    made = task(tmp_path, written(table), rows=1, columns={"creator_name": "a", "title": "b"})
    assert first_row_code(made)[0] == "row-too-long"


def test_at_most_a_hundred_bad_rows_are_named(tmp_path: Path) -> None:
    with pytest.raises(Refused) as error:
        list(read_extract(task(tmp_path, parquet(500, pa.array(["a\0"] * 500)), rows=500)))
    assert isinstance(error.value.details, list)
    assert len(error.value.details) == 100


def test_dictionaries_come_out_as_plain_strings(tmp_path: Path) -> None:
    urls = pa.array(["a", "b", None, "a"])
    [batch] = read_extract(task(tmp_path, parquet(4, urls, use_dictionary=["url"]), rows=4))
    assert batch["url"].to_pylist() == ["a", "b", None, "a"]
    assert batch["url"].type == pa.string()


def test_wide_rows_come_in_smaller_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_BATCH_BYTES", 10_000)
    urls = pa.array([f"{n:03d}" + "a" * 997 for n in range(100)])
    batches = list(read_extract(task(tmp_path, parquet(100, urls), rows=100)))
    assert max(batch.num_rows for batch in batches) <= 10
    assert sum(batch.num_rows for batch in batches) == 100
