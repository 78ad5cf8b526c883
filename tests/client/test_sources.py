"""Files where they lie: which they are, and what they are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from byline.client.sources import expand, format_of, has_tabs


@pytest.mark.parametrize(
    ("name", "format_", "tabs"),
    [
        ("photos.tsv000", "csv", True),
        ("photos.csv001.gz", "csv", False),
        ("wit.tsv.gz", "csv", True),
        ("yfcc100m_dataset.csv.bz2", "csv", False),
        ("a.ndjson.xz", "ndjson", False),
        ("part-000", None, False),
        ("1000.mp4", None, False),
    ],
)
def test_a_name_tells_format_and_tabs(name: str, format_: str | None, tabs: bool) -> None:  # noqa: FBT001 - a case
    assert (format_of(name), has_tabs(name)) == (format_, tabs)


def test_files_of_one_name_in_several_folders_keep_their_folders_name(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "part 0.csv").write_text("url\n")
    names = [source.name for source in expand([str(tmp_path / "*" / "*.csv")])]
    assert names == ["a/part 0.csv", "b/part 0.csv"]
    assert [source.name for source in expand([str(tmp_path / "a" / "*.csv")])] == ["part 0.csv"]


def test_a_glob_without_a_folder_names_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.csv").write_text("url\n")
    assert [source.name for source in expand(["*.csv"])] == ["x.csv"]
