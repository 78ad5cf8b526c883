"""Known layouts, on what their publishers really wrote where that lies beside the checkout."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from byline.errors import Refused
from byline.formats import presets
from byline.formats.manifest import FIELDS
from byline.formats.records import read_records


def rows_of(name: str, data: bytes, tmp_path: Path, *, as_name: str) -> list[dict[str, Any]]:
    """A file read by a preset that was fitted to it."""
    path = tmp_path / as_name
    path.write_bytes(data)
    with path.open("rb") as file:
        options = presets.fitted(name, file)
        file.seek(0)
        return [row for batch in read_records(file, options) for row in batch.rows.to_pylist()]


@pytest.mark.parametrize("name", presets.PRESETS)
def test_a_preset_maps_fields_that_exist(name: str) -> None:
    assert set(presets.preset(name).columns) <= set(FIELDS)


def test_an_unknown_preset_is_refused_with_those_known() -> None:
    with pytest.raises(Refused, match="yfcc100m"):
        presets.preset("laion")


def test_a_file_of_another_layout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="none of the columns of Open Images"):
        rows_of("open-images", b"a,b\n1,2\n", tmp_path, as_name="x.csv")


def test_yfcc_names_are_decoded_and_no_header_is_needed(tmp_path: Path) -> None:
    names = presets.PRESETS["yfcc100m"].reading.header or ()
    values = dict.fromkeys(names, "x") | {
        "ID": "123", "UserNSID": "1@N00", "UserNickname": "Chiara+Marra%21", "Title": '"quoted"+caf%C3%A9',
        "PageURL": "http://www.flickr.com/photos/1@N00/123/", "DownloadURL": "http://farm1.staticflickr.com/1/123_a.jpg",
    }  # fmt: skip
    line = "\t".join(values[name] for name in names)
    (row,) = rows_of("yfcc100m", f"{line}\n".encode(), tmp_path, as_name="yfcc100m_dataset.csv")
    assert (row["creator_name"], row["title"], row["creator_id"]) == (
        "Chiara Marra!",
        '"quoted" café',
        "1@N00",
    )


def test_the_first_edition_of_yfcc_has_two_columns_less(tmp_path: Path) -> None:
    """23 fields: no line number and no hash."""
    given = ["123", "1@N00", "Jane+Doe", *["x"] * 10, "http://www.flickr.com/photos/1@N00/123/", *["x"] * 9]
    (row,) = rows_of("yfcc100m", ("\t".join(given) + "\n").encode(), tmp_path, as_name="yfcc100m_dataset-0")
    assert (row["item_id"], row["creator_id"], row["creator_name"]) == ("123", "1@N00", "Jane Doe")
    assert row["landing_url"] == "http://www.flickr.com/photos/1@N00/123/"


def test_a_file_of_another_width_is_no_edition_of_yfcc(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="3 fields; yfcc100m_dataset has 25 or 23"):
        rows_of("yfcc100m", b"1\t2\t3\n", tmp_path, as_name="yfcc100m_dataset")


def test_another_file_of_the_same_dataset_is_not_taken_for_its_list(tmp_path: Path) -> None:
    """Unsplash's keywords.tsv has photo ids, and nothing else: published so, nobody could find themselves."""
    with pytest.raises(Refused, match="it has photo_id, keyword"):
        rows_of("unsplash", b"photo_id\tkeyword\na\tdog\n", tmp_path, as_name="keywords.tsv000")


def test_unsplash_names_are_joined_and_profiles_made(tmp_path: Path) -> None:
    head = "photo_id\tphoto_url\tphoto_image_url\tphotographer_username\tphotographer_first_name\tphotographer_last_name"
    data = f"{head}\nXM\thttps://unsplash.com/photos/XM\thttps://images.unsplash.com/p\tmw\tMax\t\n".encode()
    (row,) = rows_of("unsplash", data, tmp_path, as_name="photos.tsv000")
    assert (row["creator_name"], row["creator_url"]) == ("Max", "https://unsplash.com/@mw")


def test_img2dataset_may_come_without_captions(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.table({"url": ["u"], "key": ["000"], "sha256": ["ab"], "width": [1]}), out)
    (row,) = rows_of("img2dataset", out.getvalue(), tmp_path, as_name="00000.parquet")
    assert row == {"row": 0, "url": "u", "sha256": "ab", "item_id": "000"}


def test_laions_own_names_of_columns_are_known(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.table({"SAMPLE_ID": [2**40], "URL": ["u"], "TEXT": ["t"], "LICENSE": ["?"]}), out)
    (row,) = rows_of("img2dataset", out.getvalue(), tmp_path, as_name="part-0.parquet")
    assert row == {"row": 0, "url": "u", "title": "t", "item_id": str(2**40), "license": "?"}


def test_darwin_core_takes_the_columns_an_archive_has(tmp_path: Path) -> None:
    head = "gbifID\tdc:identifier\tdcterms:references\tdcterms:creator\tdcterms:license"
    data = f'{head}\n1\thttp://x/1.jpg\thttp://x/1\tA "B" C\tCC-BY\n'.encode()
    (row,) = rows_of("darwin-core", data, tmp_path, as_name="multimedia.txt")
    assert (row["url"], row["landing_url"], row["creator_name"]) == (
        "http://x/1.jpg",
        "http://x/1",
        'A "B" C',
    )


def test_native_column_names_are_the_presets(shared: Path) -> None:
    native = json.loads((shared / "manifests" / "native_formats" / "columns.json").read_text())
    by_preset = {
        "yfcc100m": "yfcc100m_dataset",
        "pass": "pass_metadata",
        "unsplash": "unsplash",
        "darwin-core": "gbif",
    }
    for name, start in by_preset.items():
        columns = next(columns for title, columns in native.items() if title.startswith(start))
        fitted = presets.PRESETS[name].fitted(columns)
        assert set(fitted.columns) == set(presets.PRESETS[name].fields), name
    yfcc = next(columns for title, columns in native.items() if title.startswith("yfcc"))
    assert list(presets.PRESETS["yfcc100m"].reading.header or ()) == yfcc


def test_open_images_is_read(shared: Path, tmp_path: Path) -> None:
    data = (shared / "manifests" / "native_formats" / "open_images_v6.csv").read_bytes()
    rows = rows_of("open-images", data, tmp_path, as_name="open.csv")
    assert [row["creator_name"] for row in rows] == ["Michael Beat", "Karen", "David"]


def test_coco_is_read_with_its_licences(shared: Path, tmp_path: Path) -> None:
    data = (shared / "coco_val2017" / "image_info_val2017.json.gz").read_bytes()
    rows = rows_of("coco", data, tmp_path, as_name="image_info.json.gz")
    with gzip.open(shared / "coco_val2017" / "normalized.csv.gz", "rt", newline="") as file:
        expected = [(one["item_url"], one["landing_url"], one["licence_raw"]) for one in csv.DictReader(file)]
    assert [(row["url"], row["landing_url"], row["license"]) for row in rows] == expected


def test_ffhq_is_read_by_its_numbers(shared: Path, tmp_path: Path) -> None:
    data = (shared / "manifests" / "native_formats" / "ffhq_v2_one_record.json").read_bytes()
    (row,) = rows_of("ffhq", data, tmp_path, as_name="ffhq.json")
    assert (row["item_id"], row["creator_name"]) == ("0", "Jeremy Frumkin")


def test_pass_is_read(shared: Path, tmp_path: Path) -> None:
    data = (
        shared / "manifests" / "croissant" / "1.0" / "pass-mini" / "data" / "pass_metadata.csv"
    ).read_bytes()
    rows = rows_of("pass", data, tmp_path, as_name="pass_metadata.csv")
    assert {"PaperBird Photography<3", "Chiara Marra"} <= {row["creator_name"] for row in rows}
