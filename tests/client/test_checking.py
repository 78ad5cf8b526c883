from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from byline.client import check, describe, measure, wording
from byline.client.describe import Said
from byline.client.measure import Reading
from byline.formats.records import ReadOptions

COLUMNS = {"url": "link", "landing_url": "page", "creator_name": "who", "license": "lic"}
ROWS = [
    (
        "https://live.staticflickr.com/65535/51234567890_abcdef0123_b.jpg",
        "https://www.flickr.com/photos/12345@N00/51234567890/",
        "Zoë",
        "CC BY 2.0",
    ),
    ("https://live.staticflickr.com/65535/51234567891_abcdef0124_b.jpg", "", "", "by 2"),
    ("https://example.org/x.jpg", "", "Zoë", ""),
    ("", "", "Zoë", "?"),
    ("", "", "", ""),
    ("https://www.flickr.com/photos/a/111/", "https://www.flickr.com/photos/a/222/", "", ""),
]


class Takes:
    """A feed that takes what holds a word."""

    def __init__(self, word: str) -> None:
        self.word = word

    def mask(self, urls: Any, *, on_unreadable: str) -> npt.NDArray[np.bool_]:
        assert on_unreadable == "keep"
        return np.array([self.word not in (url or "") for url in urls.to_pylist()])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    with path.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([("link", "page", "who", "lic"), *ROWS])
    return path


def checked(file: Path, feed: check.Masks | None = None) -> dict[str, Any]:
    """The document for a draft of this file."""
    words = [str(file)]
    found = measure.measure(words, Reading(ReadOptions("csv", COLUMNS)), whole_files=True, say=lambda _: None)
    said = Said("a/b", "1", title="Faces", purposes=["face-recognition"], access="research-only")
    return check.check(describe.draft(said, found), words, feed=feed, say=lambda _: None)


def test_what_is_no_link_where_one_should_be_is_shown(tmp_path: Path) -> None:
    """A crawl's relative permalinks, and MD5 digests mapped as SHA-256."""
    path = tmp_path / "a.csv"
    path.write_text(
        "link,page,md5,by\nhttps://a.example/1.jpg,/r/x/1,0cc175b9c0f1b6a831c399e269772661,Jo\n"
        "https://a.example/2.jpg,/r/x/2,,https://a.example/jo\nhttps://a.example/3.jpg,,,\n"
    )
    columns = {"url": "link", "landing_url": "page", "sha256": "md5", "creator_url": "by"}
    words = [str(path)]
    read = Reading(ReadOptions("csv", columns))
    found = measure.measure(words, read, whole_files=True, say=lambda _: None)
    document = check.check(describe.draft(Said("a/b", "1"), found), words, feed=None, say=lambda _: None)
    assert document["resolves"]["unread"] == {
        "landing_url": {"rows": 2, "examples": ["/r/x/1", "/r/x/2"]},
        "sha256": {"rows": 1, "examples": ["0cc175b9c0f1b6a831c399e269772661"]},
        "creator_url": {"rows": 1, "examples": ["Jo"]},
    }
    assert "landing_url: 2 rows hold something that is no link ('/r/x/1')" in wording.as_text(document)


def test_every_row_is_told_what_it_resolves_to(file: Path) -> None:
    found = checked(file)["resolves"]
    assert (found["rows"], found["nothing"], found["nothing_examples"]) == (6, 1, [{"file": 0, "row": 4}])
    assert (found["one_photo"], found["several_photos"], found["without_maker"]) == (2, 1, 2)
    assert sum(found["makers"].values()) >= 4
    assert {"number", "name"} <= set(found["makers"])


def test_what_becomes_public_is_said(file: Path) -> None:
    found = checked(file)
    public = found["public"]
    assert public["per_row"] == ["url", "landing_url", "creator_name", "license"]
    assert public["licenses"] == {"none given": 3, "CC-BY-2.0": 2, "not known": 1}
    assert public["disclosure"]["purposes"] == ["face-recognition"]
    assert found["not_stated"] == [
        "contact",
        "annotations",
        "notified",
        "consented",
        "revocable",
        "personal_data",
    ]


def test_a_row_that_goes_by_two_addresses_counts_once(file: Path) -> None:
    assert checked(file, Takes("51234567890"))["opt_outs"] == {"rows": 1}
    assert checked(file, Takes("flickr"))["opt_outs"] == {"rows": 3}


def test_without_a_feed_nothing_is_said_of_opt_outs(file: Path) -> None:
    found = checked(file)
    assert found["opt_outs"] is None
    assert "not counted" in wording.as_text(found)


def test_people_read_the_same_figures(file: Path) -> None:
    text = wording.as_text(checked(file, Takes("flickr")))
    for words in (
        "6 records",
        "1 rows resolve to nothing",
        "3 rows would go",
        "research-only",
        "CC-BY-2.0 2",
    ):
        assert words in text
