from __future__ import annotations

import importlib.util
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import BinaryIO, cast

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from byline.formats import csv_reader
from byline.formats.records import Limits, ReadOptions, read_records


def _naive() -> ModuleType:
    path = Path(__file__).with_name("naive_csv.py")
    spec = importlib.util.spec_from_file_location("naive_csv", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["naive_csv"] = module
    spec.loader.exec_module(module)
    return module


naive = _naive()

_PIECES = [
    b"a", b"bc", b",", b",", b"\n", b"\n", b"\r\n", b'"', b'""', b'"x"', b'"x\ny"', b"\r", b"\0", b"\xff", "é".encode(),
    b"#", b"\\", b'\\"', b"1,2\n", b"3,4\n", b'"q,",w\n', b" ", b"\xef\xbb\xbf", b"\t",
]  # fmt: skip
_TEXTS = st.lists(st.sampled_from(_PIECES), max_size=40).map(b"".join)


class Dribble(io.RawIOBase):
    """Gives a few bytes at a time, as a network may."""

    def __init__(self, data: bytes, step: int) -> None:
        self._data, self._step = io.BytesIO(data), step

    def read(self, size: int = -1) -> bytes:
        return self._data.read(self._step if size < 0 else min(size, self._step))


def seen(
    data: bytes,
    *,
    width: int = 2,
    step: int = 1 << 20,
    options: ReadOptions | None = None,
    limits: Limits | None = None,
) -> list[list[str] | str]:
    """What our reader makes of it, in the naive reader's words."""
    names = tuple(f"c{at}" for at in range(width))
    options = options or ReadOptions("csv", {name: name for name in names}, header=names)
    found: dict[int, list[str] | str] = {}
    expected = 0
    for batch in read_records(cast("BinaryIO", Dribble(data, step)), options, limits=limits or Limits()):
        assert batch.first_row == expected
        expected = batch.next_row
        columns = [batch.rows.column(name).to_pylist() for name in options.columns]
        for row, *values in zip(batch.rows.column("row").to_pylist(), *columns, strict=True):
            found[row] = [value or "" for value in values]
        found |= {one.row: one.code for one in batch.bad}
    assert sorted(found) == list(range(expected))
    return [found[row] for row in sorted(found)]


def wanted(data: bytes, *, width: int = 2, **how: object) -> list[list[str] | str]:
    """What the naive reader makes of it, field counts included."""
    records = naive.read(data, **how)
    return [
        one
        if isinstance(one, str) or len(one) == width
        else ("short-row" if len(one) < width else "long-row")
        for one in records
    ]


@given(_TEXTS)
@example(b'"a\nb",c\n')
@example(b'a"b,c\n1,2')
@example(b'"a\n1,2\n3,4\n')
@example(b"1,2\r\n\r\n3,4\r\n")
@example(b'"",""\n')
def test_any_bytes_are_read_as_the_naive_reader_reads_them(data: bytes) -> None:
    assert seen(data) == wanted(data)


@given(_TEXTS, st.integers(1, 3))
def test_bytes_that_arrive_slowly_are_read_alike(data: bytes, step: int) -> None:
    assert seen(data, step=step) == wanted(data)


@given(st.lists(st.tuples(_TEXTS, st.integers(0, 40)), max_size=8))
def test_windows_that_shrink_around_bad_rows_change_nothing(parts: list[tuple[bytes, int]]) -> None:
    data = b"".join(text + b'good,"row"\n' * times for text, times in parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_reader, "BLOCK", 64)
        patch.setattr(csv_reader, "_SMALLEST", 8)
        assert seen(data, limits=Limits(row=20)) == wanted(data, longest=20)


@given(_TEXTS)
def test_without_quoting_a_quote_is_a_letter(data: bytes) -> None:
    options = ReadOptions("csv", {"c0": "c0", "c1": "c1"}, delimiter="\t", quoting=False, header=("c0", "c1"))
    assert seen(data, options=options) == wanted(data, delimiter="\t", quoting=False)


@given(
    st.lists(
        st.tuples(
            *[st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)] * 3
        ),
        max_size=20,
    ),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_is_written_by_the_rfc_comes_back(rows: list[tuple[str, str, str]], end: str) -> None:
    lines = [",".join('"' + field.replace('"', '""') + '"' for field in row) for row in rows]
    data = end.join(["a,b,c", *lines]).encode()
    options = ReadOptions("csv", {"a": "a", "b": "b", "c": "c"})
    assert seen(data, options=options) == [list(row) for row in rows]


def _raw_parts(data: bytes, options: ReadOptions) -> Iterator[bytes]:
    for batch in read_records(io.BytesIO(data), options):
        assert batch.raw is not None
        yield batch.raw.data


@given(_TEXTS)
def test_the_raw_bytes_of_all_batches_are_the_file(data: bytes) -> None:
    options = ReadOptions("csv", {"c0": "c0"}, header=("c0", "c1"))
    assert b"".join(_raw_parts(data, options)) == data


def test_pyarrow_is_not_asked_about_odd_bytes() -> None:
    batch = next(iter(read_records(io.BytesIO(b"a,b\n1,x\ry\n"), ReadOptions("csv", {"a": "a"}))))
    assert [one.code for one in batch.bad] == ["bare-carriage-return"]
    assert batch.rows.column("a") == pa.array([], pa.string())


VECTORS = sorted((Path(__file__).parents[1] / "vectors" / "csv").glob("*.json"))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda path: path.stem)
def test_an_odd_csv_has_the_rows_written_down_for_it(vector: Path) -> None:
    told = json.loads(vector.read_text())
    columns = {name: name for name in told["columns"]}
    options = ReadOptions("csv", columns, delimiter=told["delimiter"], quoting=told["quoting"])
    expected = [one["bad"] if "bad" in one else one["values"] for one in told["rows"]]
    assert seen(vector.with_suffix(".csv").read_bytes(), options=options) == expected


@pytest.mark.parametrize("vector", VECTORS, ids=lambda path: path.stem)
def test_the_naive_reader_agrees_about_an_odd_csv(vector: Path) -> None:
    told = json.loads(vector.read_text())
    how = {"delimiter": told["delimiter"], "quoting": told["quoting"]}
    expected = [one["bad"] if "bad" in one else one["values"] for one in told["rows"]]
    assert wanted(vector.with_suffix(".csv").read_bytes(), **how)[1:] == expected
