"""NDJSON, JSON documents, Parquet, compression: what the strict reader makes of them, and of bombs."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
from contextlib import suppress
from decimal import Decimal
from typing import Any, BinaryIO, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from byline.errors import Refused
from byline.formats.names import column_names
from byline.formats.records import DEFAULT, Limits, ReadOptions, read_records
from byline.formats.unpack import unpacked

Rows = list[dict[str, Any]]
_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)


class Dribble(io.BytesIO):
    """Gives a few bytes at a time."""

    def __init__(self, data: bytes, step: int) -> None:
        super().__init__(data)
        self.step = step

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self.step if size is None or size < 0 else min(size, self.step))


def read(
    data: bytes, options: ReadOptions, *, step: int = 1 << 20, limits: Limits = DEFAULT
) -> tuple[Rows, Any]:
    """Good rows and {row: code} of the bad ones."""
    rows: Rows = []
    bad: dict[int, str] = {}
    for batch in read_records(cast(BinaryIO, Dribble(data, step)), options, limits=limits):
        rows += batch.rows.to_pylist()
        bad |= {one.row: one.code for one in batch.bad}
    return rows, bad


def parquet(columns: Any, **how: Any) -> bytes:
    """A Parquet file."""
    out = io.BytesIO()
    pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), out, **how)
    return out.getvalue()


def code(data: bytes, options: ReadOptions, **how: Any) -> str:
    """What a file as a whole is refused for."""
    with pytest.raises(Refused) as caught:
        read(data, options, **how)
    return caught.value.code


def good(data: bytes, options: ReadOptions) -> Rows:
    """The rows of a file without bad ones."""
    rows, bad = read(data, options)
    assert not bad
    return rows


NDJSON = ReadOptions("ndjson", {"url": "url", "item_id": "id"})


def test_ndjson_numbers_its_objects_and_skips_blank_lines() -> None:
    rows, bad = read(b'\xef\xbb\xbf{"url":"a","id":1}\n\n \t\r\n{"url":"b"}\r\n{"id":2.5}', NDJSON)
    assert rows == [
        {"row": 0, "url": "a", "item_id": "1"},
        {"row": 1, "url": "b", "item_id": None},
        {"row": 2, "url": None, "item_id": "2.5"},
    ]
    assert not bad


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        (b'{"url":"a"', "not-json"), (b"[1]", "not-an-object"), (b'{"url":NaN}', "not-json"), (b"x", "not-json"),
        (b'{"url":"a","url":"b"}', "duplicate-key"), (b'{"url":true}', "wrong-type"), (b'{"url":["a"]}', "wrong-type"),
        (b'{"url":"\xff"}', "not-utf8"), (b'{"url":"\\ud800"}', "not-utf8"), (b'{"url":"\\u0000"}', "nul-character"),
        (b'{"url":"a\0"}', "nul-character"), (b'{"id":1e999}', "wrong-type"), (b'{"a":' + b"[" * 5000, "not-json"),
        (b'{"id":' + b"9" * 5000 + b"}", "not-json"), (b'{"x":"' + b"y" * 70_000 + b'"}', "row-too-long"),
        (b'{"url":"' + b"y" * 9_000 + b'"}', "url-too-long"), (b'{"url":"a"} {"url":"b"}', "not-json"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_read_is_a_bad_row_and_keeps_its_number(line: bytes, wrong: str) -> None:
    rows, bad = read(b'{"url":"a"}\n' + line + b'\n{"url":"b","id":3}\n', NDJSON)
    assert bad == {1: wrong}
    assert [row["row"] for row in rows] == [0, 2]


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["url", "id"]), st.one_of(_TEXT, st.none(), st.integers())),
        max_size=9,
    ),
    st.integers(1, 9),
)
def test_ndjson_reads_alike_however_it_arrives(records: list[dict[str, Any]], step: int) -> None:
    data = "\n".join(json.dumps(one) for one in [{"url": "x", "id": 0}, *records]).encode()
    wanted = [{"url": "x", "id": 0}, *records]
    rows, bad = read(data, NDJSON, step=step)
    assert not bad
    assert [(row["url"], row["item_id"]) for row in rows] == [
        tuple(None if one.get(name) in {None, ""} else str(one[name]) for name in ("url", "id"))
        for one in wanted
    ]


def test_a_line_without_an_end_is_one_bad_row_in_bounded_memory() -> None:
    data = b'{"url":"a"}\n{"url":"' + b"x" * 5_000_000 + b'"}\n{"url":"b","id":1}\n'
    rows, bad = read(data, NDJSON, step=100_000)
    assert bad == {1: "row-too-long"}
    assert [row["row"] for row in rows] == [0, 2]


def test_the_raw_bytes_of_ndjson_are_the_file() -> None:
    data = b'\n{"url":"a"}\n{"url":"' + b"x" * 300_000 + b'"}\nrubbish\n{"url":"b","id":1}'
    batches = list(read_records(cast(BinaryIO, Dribble(data, 1_000)), NDJSON))
    assert b"".join(batch.raw.data for batch in batches if batch.raw is not None) == data


def test_a_path_leads_into_nested_records_and_a_literal_name_goes_first() -> None:
    data = b'{"a":{"b":"deep"},"a.b":"flat"}\n{"a":{"b":"deep"}}\n{"a":"x"}\n'
    rows, _ = read(data, ReadOptions("ndjson", {"url": "a.b"}))
    assert [row["url"] for row in rows] == ["flat", "deep", None]


def test_a_path_no_record_has_is_a_wrong_mapping() -> None:
    assert code(b'{"a":1}\n', ReadOptions("ndjson", {"url": "nope"})) == "missing-column"


DOCUMENT = ReadOptions(
    "json", {"url": "coco_url", "license": "license->licenses.url", "item_id": "id"}, array="images"
)


def coco(step: int = 1 << 20, **more: Any) -> tuple[Rows, Any]:
    """A document like COCO's."""
    made = {
        "info": {"images": [1, {"x": '"]}'}]},
        "images": [{"id": 1, "coco_url": "é/1", "license": 4}, {"id": 2, "coco_url": "2", "license": 9}],
        "licenses": [{"id": 4, "url": "by"}],
        **more,
    }
    return read(json.dumps(made, ensure_ascii=False).encode(), DOCUMENT, step=step)


@pytest.mark.parametrize("step", [1, 3, 50, 1 << 20])
def test_a_document_is_read_as_it_streams_by(step: int) -> None:
    rows, bad = coco(step)
    assert rows == [
        {"row": 0, "url": "é/1", "license": "by", "item_id": "1"},
        {"row": 1, "url": "2", "license": None, "item_id": "2"},
    ]
    assert not bad


def test_an_object_of_records_gives_their_keys() -> None:
    data = b'{"7": {"metadata": {"photo_url": "u"}}, "8": {"metadata": {}}}'
    rows, _ = read(data, ReadOptions("json", {"landing_url": "metadata.photo_url", "item_id": "$key"}))
    assert [(row["landing_url"], row["item_id"]) for row in rows] == [("u", "7"), (None, "8")]


def test_elements_that_are_no_records_keep_their_numbers() -> None:
    images = [{"id": 1, "coco_url": "a", "license": 4}, 3, "x", None, [{}], {"id": "z" * 70_000}, {"id": 9}]
    rows, bad = coco(images=images)
    assert [row["item_id"] for row in rows] == ["1", "9"]
    assert bad == {
        1: "not-an-object",
        2: "not-an-object",
        3: "not-an-object",
        4: "not-an-object",
        5: "row-too-long",
    }


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        (b"", "not-json"), (b'{"images":[{"id":1}', "not-json"), (b'{"images":3}', "no-such-array"),
        (b'{"a":[]}', "no-such-array"), (b"[]", "no-such-array"), (b'{"images":[{"id":1} {"id":2}]}', "not-json"),
        (b"\xff\xfe", "not-utf8"), (b'{"x":' + b"[" * 100 + b"]" * 100 + b',"images":[]}', "too-deep"),
        (b'{"x":"' + b"y" * 400_000, "not-json"),
    ],
)  # fmt: skip
def test_a_document_that_is_none_is_refused(data: bytes, wrong: str) -> None:
    assert code(data, ReadOptions("json", {"item_id": "id"}, array="images")) == wrong


def test_numbers_become_plain_decimals() -> None:
    data = parquet({"i": [1, None], "f": [397133.0, float("nan")], "g": [1e22, 1e-7]})
    rows, _ = read(data, ReadOptions("parquet", {"item_id": "i", "creator_id": "f", "title": "g"}))
    assert [row["item_id"] for row in rows] == ["1", None]
    assert [row["creator_id"] for row in rows] == ["397133", None]
    assert [row["title"] for row in rows] == ["10000000000000000000000", "0.0000001"]


def test_every_way_arrow_keeps_text_is_text() -> None:
    texts = ["a", None, "é"]
    table = pa.table(
        {
            "s": texts,
            "l": pa.array(texts, pa.large_string()),
            "d": pa.array(texts).dictionary_encode(),
            "st": [{"x": {"y": text}} if text else None for text in texts],
        }
    )
    options = ReadOptions("parquet", {"url": "s", "title": "l", "license": "d", "item_id": "st.x.y"})
    rows, _ = read(parquet(table), options)
    assert [[row[name] for name in options.columns] for row in rows] == [[text] * 4 for text in texts]


@pytest.mark.parametrize("values", [[["a"]], [True], [{"a": "b"}], np.array(["2020-01-01"], "datetime64[s]")])
def test_a_column_of_another_type_is_refused(values: Any) -> None:
    assert code(parquet({"c": pa.array(values)}), ReadOptions("parquet", {"url": "c"})) == "wrong-column-type"


def test_a_missing_column_is_told_with_those_that_are_there() -> None:
    with pytest.raises(Refused, match="'one', 'two'"):
        read(parquet({"one": [1], "two": [2]}), ReadOptions("parquet", {"url": "three"}))


@pytest.mark.parametrize("dictionary", [True, False])
def test_values_that_cannot_be_taken_make_their_rows_bad(dictionary: bool) -> None:  # noqa: FBT001
    broken = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(np.array([0, 1, 2], np.int32)), pa.py_buffer(b"a\xff")]
    )
    column = pa.concat_arrays([broken, pa.array(["b\0", "x" * 9_000, "y" * 70_000, "ok"])])
    rows, bad = read(parquet({"c": column}, use_dictionary=dictionary), ReadOptions("parquet", {"url": "c"}))
    assert [row["row"] for row in rows] == [0, 5]
    assert bad == {1: "not-utf8", 2: "nul-character", 3: "url-too-long", 4: "url-too-long"}


@pytest.mark.parametrize(
    "data", [b"", b"PAR1", b"PAR1" + b"\0" * 100 + b"PAR1", b"PAR1\xff\xff\xff\x7fPAR1", b"x" * 99]
)
def test_what_is_no_parquet_is_refused(data: bytes) -> None:
    assert code(data, ReadOptions("parquet", {"url": "u"})) in {"not-parquet", "too-many-columns"}


@given(st.integers(0, 1000), st.integers(0, 255))
@example(93, 195)  # a column's name that is not UTF-8
@example(166, 37)  # a histogram of the wrong size, on which pyarrow's metadata ends the process
def test_parquet_with_a_changed_byte_is_read_or_refused(at: int, byte: int) -> None:
    data = bytearray(parquet({"u": ["a", "b", None]}))
    data[at % len(data)] = byte
    with suppress(Refused):  # anything else that is raised fails the test
        read(bytes(data), ReadOptions("parquet", {"url": "u"}))


def repeated(rows: int, length: int) -> bytes:
    """One long string, many times, in next to no bytes."""
    indices = pa.array(np.zeros(rows, np.int32))
    return parquet({"u": pa.DictionaryArray.from_arrays(indices, ["b" * length])}, compression="zstd")


def test_more_rows_than_bytes_can_hold_are_not_believed() -> None:
    assert code(repeated(2_000_000, 10), ReadOptions("parquet", {"title": "u"})) == "unfolds-too-far"


def test_kilobytes_that_unfold_to_gigabytes_are_not_unfolded() -> None:
    assert code(repeated(100_000, 60_000), ReadOptions("parquet", {"title": "u"})) == "unfolds-too-far"


def test_a_long_word_said_often_costs_nothing() -> None:
    rows, bad = read(repeated(3_000, 1_000_000), ReadOptions("parquet", {"title": "u"}))
    assert not rows
    assert set(bad.values()) == {"value-too-long"}


def test_more_columns_than_are_read_are_refused() -> None:
    data = parquet({f"c{at}": [1] for at in range(40)})
    assert code(data, ReadOptions("parquet", {"url": "c0"}), limits=Limits(columns=39)) == "too-many-columns"


@pytest.mark.parametrize(
    ("data", "options", "wrong"),
    [
        (b"a,b,c\n", ReadOptions("csv", {"url": "a"}), "too-many-columns"),
        (b"a,a\n", ReadOptions("csv", {"url": "a"}), "duplicate-column"),
        (b"a,b\n", ReadOptions("csv", {"url": "c"}), "missing-column"),
        (b"", ReadOptions("csv", {"url": "a"}), "no-header"),
        (b"\n\r\n", ReadOptions("csv", {"url": "a"}), "no-header"),
        (b'"a\n', ReadOptions("csv", {"url": "a"}), "bad-header"),
        ("id,url\n".encode("utf-16"), ReadOptions("csv", {"url": "url"}), "not-utf8"),
        (b"a\n", ReadOptions("csv", {"url": "a"}, delimiter="é"), "bad-delimiter"),
        (b"a\n", ReadOptions("tsv", {"url": "a"}), "unknown-format"),
    ],
)
def test_a_csv_that_cannot_be_begun_is_refused(data: bytes, options: ReadOptions, wrong: str) -> None:
    assert code(data, options, limits=Limits(columns=2)) == wrong


KINDS = ["gzip", "bzip2", "xz", "zstd"]


def packed(kind: str, data: bytes) -> bytes:
    """Compressed as `kind`."""
    if kind == "zstd":
        return bytes(pa.compress(data, "zstd", asbytes=True))
    if kind == "gzip":
        return gzip.compress(data)
    return bz2.compress(data) if kind == "bzip2" else lzma.compress(data)


@given(st.binary(max_size=5_000), st.sampled_from(KINDS), st.integers(1, 3))
def test_packed_bytes_come_back(data: bytes, kind: str, members: int) -> None:
    one = packed(kind, data)
    assert b"".join(unpacked(io.BytesIO(one * members), DEFAULT)) == data * members


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cut", [6, 20, -1])
def test_packed_bytes_that_are_cut_short_are_refused(kind: str, cut: int) -> None:
    data = os.urandom(5_000)
    assert code(packed(kind, data)[:cut], NDJSON) == "broken-compression"


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz"])
def test_damaged_packed_bytes_are_refused(kind: str) -> None:
    whole = bytearray(packed(kind, os.urandom(5_000)))
    whole[2_000] ^= 1
    assert code(bytes(whole), NDJSON) == "broken-compression"


@pytest.mark.parametrize("kind", KINDS)
def test_a_bomb_is_not_unfolded(kind: str) -> None:
    assert (
        code(packed(kind, bytes(20_000_000)), NDJSON, limits=Limits(free=1 << 20, ratio=10))
        == "unfolds-too-far"
    )


@pytest.mark.parametrize(
    "head", [b"PK\x03\x04", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"SQLite format 3\0"]
)
def test_an_archive_is_called_one(head: bytes) -> None:
    assert code(head + b"rest\n" * 20, NDJSON) == "is-an-archive"


def test_lists_are_gone_into_by_number() -> None:
    lists = pa.array([["a", "b"], [], None, ["c"]])
    nested = pa.array([[{"u": "x"}], [{"u": None}, {"u": "y"}], [], None])
    fixed = pa.array([["p", "q"]] * 4, pa.list_(pa.string(), 2))
    data = parquet({"l": lists, "n": nested, "f": fixed, "big": lists.cast(pa.large_list(pa.string()))})
    columns = {"url": "l.0", "title": "n.1.u", "license": "f.1", "creator_name": "big.1"}
    rows = good(data, ReadOptions("parquet", columns))
    assert [row["url"] for row in rows] == ["a", None, None, "c"]
    assert [row["title"] for row in rows] == [None, "y", None, None]
    assert [row["license"] for row in rows] == ["q"] * 4
    assert [row["creator_name"] for row in rows] == ["b", None, None, None]


def test_lists_of_json_are_gone_into_by_number() -> None:
    data = b'{"dcCreator":["a","b"],"i":[{"u":"x"}]}\n{"dcCreator":[],"i":[]}\n{"i":[{}]}\n'
    rows = good(data, ReadOptions("ndjson", {"creator_name": "dcCreator.1", "url": "i.0.u"}))
    assert [(row["creator_name"], row["url"]) for row in rows] == [("b", "x"), (None, None), (None, None)]


def test_a_list_that_was_named_whole_is_refused_with_how_to_go_in() -> None:
    with pytest.raises(Refused, match=r"urls\.0 is the first"):
        good(parquet({"urls": pa.array([["a"]])}), ReadOptions("parquet", {"url": "urls"}))
    with pytest.raises(Refused, match=r"in it are m\.u"):
        good(parquet({"m": pa.array([{"u": "a"}])}), ReadOptions("parquet", {"url": "m"}))


def test_bytes_are_text_where_they_are_utf8_and_a_bad_row_where_not() -> None:
    data = parquet({"u": pa.array([b"a", "é".encode(), b"\xff\xd8", None], pa.binary())})
    rows, bad = read(data, ReadOptions("parquet", {"url": "u"}))
    assert [row["url"] for row in rows] == ["a", "é", None]
    assert bad == {2: "not-utf8"}


def test_decimals_are_written_as_they_are() -> None:
    ids = pa.array([Decimal(12345678901234567890), None], pa.decimal128(38, 0))
    rows = good(parquet({"i": ids}), ReadOptions("parquet", {"item_id": "i"}))
    assert [row["item_id"] for row in rows] == ["12345678901234567890", None]


@pytest.mark.parametrize(
    ("path", "data", "said"),
    [
        ("url", b"url;name\n1;2\n", r"--delimiter ';'"),
        ("url", b"url\tname\n1\t2\n", r"--delimiter '\\t'"),
        ("url", b"URL,name\n1,2\n", r"Did you mean 'URL'\?"),
        ("image_url", b"imageurl,name\n1,2\n", r"Did you mean 'imageurl'\?"),
    ],
)
def test_a_missing_column_is_told_with_what_may_be_meant(path: str, data: bytes, said: str) -> None:
    with pytest.raises(Refused, match=said):
        good(data, ReadOptions("csv", {"url": path}))


def test_lines_of_json_are_not_taken_for_a_document() -> None:
    """The first line would have been the whole dataset."""
    line = b'{"a":{"url":"x"},"b":{"url":"y"}}\n'
    assert code(line * 2, ReadOptions("json", {"url": "url"})) == "several-documents"
    assert len(good(line + b" \n", ReadOptions("json", {"url": "url"}))) == 2


def test_a_document_whose_records_stand_in_a_member_says_which() -> None:
    data = b'{"info":{"url":"x"},"images":[{"url":"a"}]}'
    (batch,) = read_records(io.BytesIO(data), ReadOptions("json", {"url": "url"}))
    assert [(one.row, one.code) for one in batch.bad] == [(1, "not-an-object")]
    assert "--array images" in batch.bad[0].reason


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"PAR1\x15\x04", "is-parquet"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n", "is-a-pointer"),
    ],
)
@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_what_is_another_thing_than_its_name_says_is_called_so(head: bytes, found: str, form: str) -> None:
    assert code(head, ReadOptions(form, {"url": "url"})) == found


@pytest.mark.parametrize("encoding", ["utf-32-le", "utf-32-be"])
def test_utf32_is_not_taken_for_utf16(encoding: str) -> None:
    with pytest.raises(Refused, match="iconv -f UTF-32"):
        read("\ufeffurl\na\n".encode(encoding), ReadOptions("csv", {"url": "url"}))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_is_called_what_it_is(encoding: str) -> None:
    data = "\ufeffurl,name\r\na,b\r\n".encode(encoding)
    with pytest.raises(Refused, match="UTF-16"):
        read(data, ReadOptions("csv", {"url": "url"}))


def test_columns_are_named_before_anybody_says_what_they_mean() -> None:
    table = pa.table({"url": ["a"], "n": [1], "l": [[1]], "s": [{"t": "x", "b": b"y"}]})
    assert column_names(io.BytesIO(parquet(table)), ReadOptions("parquet", {})) == ["url", "n", "s.t"]
    assert column_names(io.BytesIO(b"url,id\n1,2\n"), ReadOptions("csv", {})) == ["url", "id"]
    assert column_names(
        io.BytesIO(b'{"url":"a","m":{"x":1,"l":[]}}\nrubbish\n'), ReadOptions("ndjson", {})
    ) == ["url", "m.x"]
