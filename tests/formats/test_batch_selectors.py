from __future__ import annotations

import csv
import gzip
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline.formats.credit_lines import plain_name
from byline.formats.selectors import RecordSelectors, batch_selectors, record_selectors
from byline.formats.urls import canonical_url
from tests.formats.messy_urls import MESSY_URLS

FIELDS = (
    "url",
    "landing_url",
    "creator_name",
    "creator_url",
    "creator_id",
    "license",
    "title",
    "sha256",
    "item_id",
)
SCHEMA = pa.schema([(field, pa.string()) for field in FIELDS])
NORMALISED = {
    "item_url": "url",
    "landing_url": "landing_url",
    "contributor_name": "creator_name",
    "contributor_url": "creator_url",
    "contributor_handle": "creator_id",
    "hash": "sha256",
}
Record = Mapping[str, "str | None"]

NAMES = st.one_of(
    st.sampled_from(
        [
            '<a href="//commons.wikimedia.org/wiki/User:Jane">Jane</a>',
            "<i>unknown</i>",
            "N/A",
            "Jane Doe",
            " Jane\t\tDoe ",
            "Jose\u0301",
            "José",
            "",
            "\x00",
            "http://janedoe.example/",
            "Unknown",
        ]
    ),
    st.text(max_size=12),
    MESSY_URLS,
)
IDS = st.sampled_from(["38", "12345678@N00", "12345678%40n00", " 12345678@N00 ", "", "jane", "x" * 1200])
DIGESTS = st.sampled_from(["ab" * 32, "AB" * 32, " sha256:" + "ab" * 32, "ab" * 31, "", "zz" * 32])
RECORDS = st.fixed_dictionaries(
    {
        "url": st.one_of(st.none(), MESSY_URLS),
        "landing_url": st.one_of(st.none(), MESSY_URLS),
        "creator_name": st.one_of(st.none(), NAMES),
        "creator_url": st.one_of(st.none(), MESSY_URLS),
        "creator_id": st.one_of(st.none(), IDS),
        "sha256": st.one_of(st.none(), DIGESTS),
    }
)


def one_by_one(record: Record) -> dict[str, object]:
    found = record_selectors(record, dataset="lab/faces")
    return {
        "makers": list(found.makers),
        "photos": list(found.photos),
        "url": canonical_url(record.get("url")),
        "landing": canonical_url(record.get("landing_url")),
        "sha256": found.sha256,
    }


def read(record: Record) -> RecordSelectors:
    return record_selectors(record, dataset="lab/faces")


@given(st.lists(RECORDS, max_size=20))
def test_a_batch_is_read_as_its_records_are_one_by_one(records: list[Record]) -> None:
    found = batch_selectors(pa.Table.from_pylist(records, schema=SCHEMA), dataset="lab/faces")
    assert found.to_pylist() == [one_by_one(record) for record in records]


@given(st.lists(RECORDS, min_size=1, max_size=8), st.sets(st.sampled_from(FIELDS)))
def test_columns_that_are_not_there_are_as_empty(records: list[Record], missing: set[str]) -> None:
    kept = [field for field in FIELDS if field not in missing]
    table = pa.Table.from_pylist(records, schema=SCHEMA).select(kept)
    blank = [{field: value for field, value in record.items() if field in kept} for record in records]
    assert batch_selectors(table, dataset="lab/faces").to_pylist() == [one_by_one(record) for record in blank]


def test_a_record_batch_of_no_rows_gives_the_columns() -> None:
    found = batch_selectors(pa.RecordBatch.from_pylist([], schema=SCHEMA), dataset="lab/faces")
    assert found.column_names == ["makers", "photos", "url", "landing", "sha256"]
    assert found.num_rows == 0


def test_blocks_are_put_together_in_order() -> None:
    urls = [f"https://live.staticflickr.com/1/{number}_abcdef0123_b.jpg" for number in range(1, 70_001)]
    found = batch_selectors(pa.table({"url": urls}), dataset="lab/faces")
    assert found["photos"].to_pylist() == [[f"flickr:{number}"] for number in range(1, 70_001)]


@pytest.mark.parametrize(
    "name",
    [
        "coco_val2017",
        "openverse_behance_1000",
        "openverse_met_1000",
        "openverse_multiprovider_1899",
        "picsum_unsplash",
        "tf_flowers",
    ],
)
def test_every_real_record_is_read_alike_both_ways(shared: Path, name: str) -> None:
    with gzip.open(shared / name / "normalized.csv.gz", "rt", encoding="utf-8", newline="") as file:
        records = [
            {NORMALISED[k]: v or None for k, v in row.items() if k in NORMALISED}
            for row in csv.DictReader(file)
        ]
    found = batch_selectors(pa.Table.from_pylist(records, schema=SCHEMA), dataset="lab/faces").to_pylist()
    assert found == [one_by_one(record) for record in records]


NSID_PAGE = "https://www.flickr.com/photos/12345678@N00/51234567890/"
STATIC = "https://live.staticflickr.com/65535/51234567890_abcdef0123_b.jpg"


def test_a_page_and_a_file_of_one_photo_are_one_photo() -> None:
    assert read({"url": STATIC, "landing_url": NSID_PAGE}).photos == ("flickr:51234567890",)


def test_two_photos_in_a_record_are_both_shown() -> None:
    other = NSID_PAGE.replace("51234567890", "1")
    assert read({"url": STATIC, "landing_url": other}).photos == ("flickr:51234567890", "flickr:1")


def test_an_alias_and_a_number_in_a_record_are_two_keys() -> None:
    record = {"landing_url": NSID_PAGE, "creator_url": "https://www.flickr.com/people/Jane/"}
    assert read(record).makers == ("flickr:12345678@N00", "flickr:jane")


def test_an_nsid_in_creator_id_is_the_maker() -> None:
    assert read({"url": STATIC, "creator_id": "12345678@N00", "creator_name": "Jane"}).makers == (
        "flickr:12345678@N00",
    )


def test_a_name_that_is_a_url_is_read_as_the_profile_it_is() -> None:
    swapped = {"creator_name": "https://www.flickr.com/photos/jane/", "creator_url": "Jane  Doe"}
    assert read(swapped).makers == ("flickr:jane",)


@pytest.mark.parametrize(
    ("record", "maker"),
    [
        (
            {"creator_url": "http://jane.example/me", "creator_id": "38", "creator_name": "Jane"},
            "web:jane.example/me",
        ),
        ({"creator_id": " 38 ", "creator_name": "Jane"}, "id:lab/faces:38"),
        ({"creator_name": " Jane \n Doe"}, "name:lab/faces:Jane Doe"),
        ({"creator_name": "Jose\u0301"}, "name:lab/faces:José"),
        ({"creator_url": "https://www.flickr.com/", "creator_name": "Jane"}, "name:lab/faces:Jane"),
        ({"creator_url": "jane@example.org", "creator_name": "Jane"}, "name:lab/faces:Jane"),
    ],
)
def test_without_a_platform_the_nearest_thing_stands_in(record: Record, maker: str) -> None:
    assert read(record).makers == (maker,)


COMMONS = '<a href="//commons.wikimedia.org/wiki/User:Jane_D" title="User:Jane D">Jane&nbsp;D</a>'


@pytest.mark.parametrize(
    ("name", "makers"),
    [
        (COMMONS, ("commons:Jane D",)),
        (
            f"<bdi>{COMMONS}</bdi> at <a href='https://en.wikipedia.org/wiki/'>Wikipedia</a>",
            ("commons:Jane D",),
        ),
        (
            '<a href="https://www.wikidata.org/wiki/Q1" class="extiw">Foo &amp; Bar</a>',
            ("name:a/b:Foo & Bar",),
        ),
        ("<span lang='en'>Own <b>work</b></span>", ("name:a/b:Own work",)),
        ("<3 cats", ("name:a/b:<3 cats",)),
        ("<bob>", ("name:a/b:<bob>",)),
    ],
)
def test_markup_around_a_name_is_put_aside_and_its_first_link_read(
    name: str, makers: tuple[str, ...]
) -> None:
    assert record_selectors({"creator_name": name}, dataset="a/b").makers == makers


@pytest.mark.parametrize(
    "name",
    ["null", "None", "NaN", "N/A", "\\N", "Unknown", "unknown author", "ANONYMOUS", "-", "???", "[deleted]", "佚名",
     "[Unknown artist]", "(unidentified)",
     '<span class="fn">Unknown author</span>'],
)  # fmt: skip
def test_who_shares_a_word_for_nobody_is_not_one_person(name: str) -> None:
    assert record_selectors({"creator_id": plain_name(name)}, dataset="a/b").makers == ()
    record = {"creator_name": name}
    assert record_selectors(record, dataset="a/b").makers == ()


@pytest.mark.parametrize("name", ["Null", "Na", "Nan", "Anon Y. Mous", "X", "📷", "-jane-", "none of them"])
def test_a_name_that_looks_like_nobody_is_still_somebody(name: str) -> None:
    assert record_selectors({"creator_name": name}, dataset="a/b").makers == (f"name:a/b:{name}",)


def test_a_platform_tells_who_it_is_also_where_the_name_says_nobody() -> None:
    record = {"creator_name": "unknown", "creator_id": "12345678@N00"}
    assert record_selectors(record, dataset="a/b").makers == ("flickr:12345678@N00",)


def test_a_name_too_long_to_be_a_key_is_no_key() -> None:
    assert read({"creator_name": "x" * 1001}).makers == ()


def test_a_file_name_stands_for_the_photo_only_where_no_id_does() -> None:
    file = "https://images.unsplash.com/photo-1541961017774-22349e4a1262"
    assert read({"url": file}).photos == ("unsplash:photo-1541961017774-22349e4a1262",)
    assert read({"url": file, "landing_url": "https://unsplash.com/photos/yC-Yzbqy7PY"}).photos == (
        "unsplash:yC-Yzbqy7PY",
    )


def test_the_host_is_of_the_first_url_that_can_be_read() -> None:
    assert read({"url": "00012.jpg", "landing_url": "http://Example.com:8080/x"}).host == "example.com"


def test_coco_rows_show_the_photo_of_their_flickr_url(shared: Path) -> None:
    with gzip.open(shared / "coco_val2017" / "normalized.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = [read({"url": row["item_url"], "landing_url": row["landing_url"]}) for row in rows]
    assert all(len(one.photos) == 1 and not one.makers for one in found)


def test_every_flower_has_a_flickr_maker_the_swapped_rows_too(shared: Path) -> None:
    with gzip.open(shared / "tf_flowers" / "normalized.csv.gz", "rt", encoding="utf-8") as file:
        rows = [
            {NORMALISED[k]: v or None for k, v in row.items() if k in NORMALISED}
            for row in csv.DictReader(file)
        ]
    assert all(read({**row, "creator_id": None}).makers[0].startswith("flickr:") for row in rows)
