"""Real files of a publisher: described, signed, and made an extract of again."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from byline.cli.app import byline
from byline.client import describe, measure
from byline.client.describe import Said, Stamp, Standing
from byline.client.measure import Reading
from byline.errors import BylineError, NotFound, Refused
from byline.formats import presets
from byline.formats.manifest import ManifestPredicate
from byline.formats.records import ReadOptions
from tests.vectors import make_core

ROWS = [
    {"link": "https://flic.kr/p/abc", "who": 'Zoë, "Z" Ångström', "lic": "CC BY 2.0"},
    {"link": "https://example.org/2.jpg", "who": "東京\nTower", "lic": ""},
    {"link": "https://example.org/3.jpg", "who": "", "lic": "MIT"},
]
COLUMNS = {"url": "link", "creator_name": "who", "license": "lic"}


def quiet(_: str) -> None:
    """Nobody reads progress here."""


def write_csv(path: Path, rows: list[dict[str, str]] = ROWS) -> Path:
    """A CSV, packed where its name says so."""
    with (
        gzip.open(path, "wt", newline="", encoding="utf-8")
        if path.suffix == ".gz"
        else path.open("w", newline="", encoding="utf-8") as out
    ):
        writer = csv.DictWriter(out, list(rows[0]), delimiter="\t" if ".tsv" in path.name else ",")
        writer.writeheader()
        writer.writerows(rows)
    return path


def reading(words: list[str], *, on_bad_rows: str = "reject") -> Reading:
    """As the files' names say, with the columns mapped."""
    base = measure.laid_out(words, None)
    return Reading(ReadOptions(base.format, COLUMNS, delimiter=base.delimiter), on_bad_rows)


def described(words: list[str], **more: Any) -> ManifestPredicate:
    """Measured, drafted, signed and read back."""
    found = measure.measure(words, reading(words, **more), whole_files=True, say=quiet)
    draft = describe.draft(Said("a/b", "1"), found)
    sealed = describe.sign_draft(
        draft,
        make_core.KEY,
        registry_says=Standing("o", None, None, None),
        stamp=Stamp(make_core.NOW, bytes(16)),
    )
    return measure.signed_manifest(sealed)


def test_the_extract_is_the_one_the_manifest_names(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "a.csv")
    (part,) = measure.extract_for(described([str(file)]), [str(file)], tmp_path, say=quiet)
    table = pq.read_table(part)
    assert table.column_names == ["file", "row", "url", "creator_name", "license"]
    assert table["creator_name"].to_pylist() == [ROWS[0]["who"], ROWS[1]["who"], None]


@pytest.mark.parametrize("name", ["a.tsv", "a.csv.gz", "a.ndjson", "a.jsonl", "a.parquet"])
def test_the_same_records_in_any_file_give_the_same_extract(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    elif "json" in name:
        path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    else:
        write_csv(path)
    other = write_csv(tmp_path / "other.csv")
    assert described([str(path)]).records.extract_sha256 == described([str(other)]).records.extract_sha256


def test_a_folder_holds_the_files_by_name_in_any_company(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    files = [write_csv(folder / "b.csv"), write_csv(folder / "a.csv", ROWS[:1])]
    signed = described([str(file) for file in files])
    write_csv(folder / "c.csv", ROWS[1:])
    assert measure.extract_for(signed, [str(folder)], tmp_path, say=quiet)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    files = [str(write_csv(tmp_path / "b.csv")), str(write_csv(tmp_path / "a.csv", ROWS[:1]))]
    signed = described(files)
    with pytest.raises(NotFound, match=r"a\.csv"):
        measure.extract_for(signed, files[:1], tmp_path, say=quiet)


def test_a_changed_file_is_not_sent(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "a.csv")
    signed = described([str(file)])
    write_csv(file, ROWS[:2])
    with pytest.raises(Refused) as caught:
        measure.extract_for(signed, [str(file)], tmp_path, say=quiet)
    assert caught.value.code == "file-changed"


def test_an_observer_without_the_files_names_the_extract(tmp_path: Path) -> None:
    file = str(write_csv(tmp_path / "noted.csv"))
    found = measure.measure([file], reading([file]), whole_files=False, say=quiet)
    assert [(one.name, one.sha256, one.records) for one in found.files] == [
        ("extract", found.extract_sha256, 3)
    ]
    draft = describe.draft(Said("a/b", "1", role="observer"), found)
    elsewhere = write_csv(tmp_path / "copied elsewhere.csv")
    assert measure.extract_for(describe.rehearse(draft), [str(elsewhere)], tmp_path, say=quiet)


def test_bad_rows_are_refused_with_their_places_or_counted(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"link,who,lic\nhttps://a.example/1,x,y\nshort\nhttps://a.example/2,\xff,y\n")
    with pytest.raises(Refused) as caught:
        described([str(file)])
    assert caught.value.code == "bad-rows"
    assert isinstance(caught.value.details, list)
    assert [(one["file"], one["row"]) for one in caught.value.details] == [("a.csv", 1), ("a.csv", 2)]
    records = described([str(file)], on_bad_rows="skip").records
    assert (records.count, records.bad_rows, records.extract_rows) == (3, 2, 1)


@pytest.mark.parametrize(("names", "format_"), [(["a.csv", "b.parquet"], None), (["a.dat"], None)])
def test_names_that_tell_no_format_ask_for_one(names: list[str], format_: str | None, tmp_path: Path) -> None:
    words = [str(write_csv(tmp_path / name)) for name in names]
    with pytest.raises(Refused) as caught:
        measure.laid_out(words, format_)
    assert caught.value.code == "unknown-format"


def test_two_files_of_one_name_need_the_folder_above(tmp_path: Path) -> None:
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
    words = [str(write_csv(tmp_path / "x/a.csv")), str(write_csv(tmp_path / "y/a.csv"))]
    with pytest.raises(Refused) as caught:
        described(words)
    assert caught.value.code == "same-name-twice"
    assert [one.name for one in described([str(tmp_path)]).records.files] == ["x/a.csv", "y/a.csv"]


@pytest.mark.parametrize("columns", [{}, {"colour": "who"}, {"url": "no such column"}])
def test_a_mapping_of_nothing_or_of_something_unknown_is_refused(
    columns: dict[str, str], tmp_path: Path
) -> None:
    file = str(write_csv(tmp_path / "a.csv"))
    with pytest.raises(BylineError):
        measure.measure([file], Reading(ReadOptions("csv", columns)), whole_files=True, say=quiet)


def test_a_known_layout_needs_no_mapping(tmp_path: Path) -> None:
    image = {
        "id": 7,
        "license": 4,
        "file_name": "7.jpg",
        "coco_url": "http://images.example/7.jpg",
        "flickr_url": "http://farm7.staticflickr.com/1/51234567890_abcdef0123_z.jpg",
    }
    licence = {"id": 4, "url": "http://creativecommons.org/licenses/by/2.0/"}
    file = tmp_path / "image_info.json"
    file.write_text(json.dumps({"licenses": [licence], "images": [image]}))
    options = measure.by_preset([str(file)], "coco")
    found = measure.measure([str(file)], Reading(options), whole_files=True, say=quiet)
    signed = describe.rehearse(describe.draft(Said("a/b", "1"), found))
    (part,) = measure.extract_for(signed, [str(file)], tmp_path, say=quiet)
    row = pq.read_table(part).to_pylist()[0]
    assert (row["url"], row["license"], row["item_id"]) == (image["coco_url"], licence["url"], "7")


def test_a_file_of_another_layout_is_refused(tmp_path: Path) -> None:
    file = str(write_csv(tmp_path / "a.csv"))
    with pytest.raises(Refused) as caught:
        measure.by_preset([file], "open-images")
    assert caught.value.code == "wrong-preset"


def test_the_help_names_every_preset() -> None:
    shown = " ".join(CliRunner().invoke(byline, ["manifest", "init", "--help"]).stdout.split())
    assert ", ".join(presets.PRESETS) in shown


def test_bad_rows_are_told_by_kind_with_what_usually_helps(tmp_path: Path) -> None:
    """A caption list without quoting: its first hundred bad rows would all say the same."""
    path = tmp_path / "captions.tsv"
    path.write_text("url\ttext\n" + 'https://a.example/1.jpg\ta "good" one\n' * 150 + "short\n")
    read = Reading(ReadOptions("csv", {"url": "url"}, delimiter="\t"))
    with pytest.raises(
        Refused, match=r"151 rows cannot be read \(150 stray-quote, 1 short-row\).*--no-quoting"
    ):
        measure.measure([str(path)], read, whole_files=True, say=quiet)
