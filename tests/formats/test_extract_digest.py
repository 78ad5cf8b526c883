from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline.errors import Refused
from byline.formats.extract import ColumnDigest, ExtractDigest, extract_schema, ordered
from byline.formats.manifest import FIELDS
from tests.vectors import make_csv, make_extract

VECTORS = json.loads((Path(make_extract.__file__).with_name("extract.json")).read_text())
_VALUES = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=6))


def batch(fields: list[str], rows: list[Any]) -> pa.RecordBatch:
    """Rows (file, row, values…) as a batch."""
    columns: list[Any] = list(zip(*rows, strict=True)) if rows else [[] for _ in range(len(fields) + 2)]
    return pa.RecordBatch.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, extract_schema(fields), strict=True)],
        schema=extract_schema(fields),
    )


@pytest.mark.parametrize("vector", VECTORS["extracts"])
def test_an_extracts_digest_is_the_one_written_down(vector: dict[str, Any]) -> None:
    digest = ExtractDigest(vector["fields"])
    digest.update(batch(vector["fields"], vector["rows"]))
    assert digest.hexdigest() == vector["sha256"]


@pytest.mark.parametrize("vector", VECTORS["columns"])
def test_a_columns_digest_is_the_one_written_down(vector: dict[str, Any]) -> None:
    digest = ColumnDigest()
    digest.update(
        pa.array([row for row, _ in vector["rows"]], pa.int64()),
        pa.array([value for _, value in vector["rows"]], pa.string()),
    )
    assert digest.hexdigest() == vector["sha256"]


@pytest.mark.parametrize("step", [1_000, 65_536, 65_537, 100_000])
def test_blocks_do_not_depend_on_how_rows_arrive(step: int) -> None:
    digest = ColumnDigest()
    for start in range(0, len(make_extract.MANY), step):
        part = make_extract.MANY[start : start + step]
        digest.update(pa.array([row for row, _ in part]), pa.array([value for _, value in part], pa.string()))
    assert digest.hexdigest() == VECTORS["more than a block"]["sha256"]


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2**40), _VALUES, _VALUES), max_size=20),
    st.integers(1, 7),
)
def test_any_records_have_the_digest_of_the_long_way_round(rows: list[Any], step: int) -> None:
    fields = ["url", "title"]
    digest = ExtractDigest(fields)
    whole = batch(fields, rows)
    for start in range(0, len(rows), step):
        digest.update(whole.slice(start, step))
    assert digest.hexdigest() == make_extract.extract_digest(fields, rows)


def test_what_stands_behind_a_null_is_not_in_the_digest() -> None:
    secret = pa.array(["secret", "b"]).buffers()
    hidden = pa.Array.from_buffers(pa.string(), 2, [pa.py_buffer(b"\x02"), *secret[1:]])
    digests = [ColumnDigest(), ColumnDigest()]
    for digest, values in zip(digests, (hidden, pa.array([None, "b"])), strict=True):
        digest.update(pa.array([0, 1]), values)
    assert digests[0].hexdigest() == digests[1].hexdigest()


def test_fields_stand_in_one_order_however_they_were_mapped() -> None:
    assert ordered(["title", "url"]) == ("url", "title")


def test_a_field_nobody_knows_is_refused() -> None:
    with pytest.raises(Refused, match="is not a field"):
        ExtractDigest(["url", "colour"])


def test_an_extract_has_file_and_row_before_its_fields() -> None:
    assert extract_schema(FIELDS).names == ["file", "row", *FIELDS]


def test_the_csv_vectors_are_what_their_script_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed = make_csv.HERE
    monkeypatch.setattr(make_csv, "HERE", tmp_path)
    make_csv.main()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        path.name: path.read_bytes() for path in committed.iterdir()
    }
