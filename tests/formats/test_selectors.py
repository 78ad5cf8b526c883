from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline.errors import Refused
from byline.formats.selectors import (
    KINDS,
    Selector,
    candidates,
    contributor_kind,
    fingerprint,
    fingerprints,
    parse_selector,
    public_id,
)

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "selectors.json").read_text())
TYPED = {
    "flickr:12345678@N00": ("maker", "flickr:12345678@N00"),
    "Flickr:12345678%40n00": ("maker", "flickr:12345678@N00"),
    "flickr:Some-Body": ("maker", "flickr:some-body"),
    "unsplash:@Jane": ("maker", "unsplash:@jane"),
    "unsplash:jane": ("maker", "unsplash:@jane"),
    "commons:jane_Doe": ("maker", "commons:Jane Doe"),
    "geograph:3101": ("maker", "geograph:3101"),
    "web:www.example.com/Jane": ("maker", "web:www.example.com/Jane"),
    "web:https://www.flickr.com/photos/jane/": ("maker", "flickr:jane"),
    "photo:flickr:3072908271": ("photo", "flickr:3072908271"),
    "photo:commons:dawn_(x).jpg": ("photo", "commons:Dawn (x).jpg"),
    "host:Example.ORG.": ("host", "example.org"),
    "host:münchen.de": ("host", "xn--mnchen-3ya.de"),
    "name:lab/faces:  Jane \t Doe ": ("name", "lab/faces:Jane Doe"),
    "name:lab/faces:Jane: the one": ("name", "lab/faces:Jane: the one"),
    "id:tate/works:38": ("id", "tate/works:38"),
    "url:HTTP://example.com/%7Ea": ("url", "example.com/~a"),
    "sha256:" + "AB" * 32: ("sha256", "ab" * 32),
    "https://www.flickr.com/photos/jane/3072908271/": ("photo", "flickr:3072908271"),
    "www.flickr.com/photos/jane": ("maker", "flickr:jane"),
    "https://example.com/a.jpg": ("url", "example.com/a.jpg"),
    "example.com:8080/a.jpg": ("url", "example.com:8080/a.jpg"),
}
UNKNOWN = [
    "",
    " ",
    "jane",
    "flickr:",
    "flickr:tags",
    "flickr:a b",
    "nowhere:jane",
    "host:localhost",
    "host:a/b",
    "host:1.2.3.4",
]
UNKNOWN += [
    "name:faces:Jane",
    "name:lab/faces:",
    "name:lab/faces: \x00 ",
    "sha256:abc",
    "photo:flickr:12a",
    "id:lab/faces:",
]
UNKNOWN += ["mailto:jane@example.org", "web:", "photo:3072908271", "https://" + "x" * 9000]
UNKNOWN += ["name:lab/faces:\ud800", "commons:\ud800", "host:" + "a" * 300 + ".com"]


@pytest.mark.parametrize(("text", "expected"), TYPED.items())
def test_a_typed_selector_is_read(text: str, expected: tuple[str, str]) -> None:
    assert parse_selector(text) == Selector(*expected)


@pytest.mark.parametrize("text", UNKNOWN)
def test_what_is_no_selector_is_refused_with_what_would_be_accepted(text: str) -> None:
    with pytest.raises(Refused, match="accepted: a URL") as caught:
        parse_selector(text)
    assert caught.value.code == "unknown-selector"


@given(st.text(max_size=60))
def test_whatever_is_typed_is_a_selector_or_refused(text: str) -> None:
    try:
        found = parse_selector(text)
    except Refused:
        return
    assert found.kind in KINDS
    assert found.value


@pytest.mark.parametrize("case", VECTORS["fingerprints"], ids=lambda case: case["kind"])
def test_each_vector_of_a_fingerprint_holds(case: dict[str, Any]) -> None:
    assert fingerprint(case["kind"], case["value"]) == case["k"]


def test_the_designs_own_vector_holds() -> None:
    assert fingerprint("fs", "51234567890_abcdef0123") == 1133838757090821576


@given(st.lists(st.one_of(st.none(), st.text(max_size=20)), max_size=10))
def test_many_fingerprints_are_each_ones(values: list[str | None]) -> None:
    found = fingerprints("u", pa.array(values, pa.string()))
    assert found.dtype == np.int64
    assert found.tolist() == [-1 if value is None else fingerprint("u", value) for value in values]


def test_fingerprints_of_chunks_are_in_order() -> None:
    column = pa.chunked_array([["a", None], ["b"]])
    assert fingerprints("u", column).tolist() == [fingerprint("u", "a"), -1, fingerprint("u", "b")]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("flickr:12345678@N00", ("number", "flickr")),
        ("flickr:jane", ("alias", "flickr")),
        ("unsplash:@jane", ("alias", "unsplash")),
        ("commons:Jane Doe", ("alias", "commons")),
        ("geograph:3101", ("number", "geograph")),
        ("inaturalist:345", ("number", "inaturalist")),
        ("web:example.com/jane", ("web", None)),
        ("id:tate/works:38", ("id", None)),
        ("name:lab/faces:Jane", ("name", None)),
    ],
)
def test_a_contributor_key_tells_its_kind(key: str, expected: tuple[str, str | None]) -> None:
    assert contributor_kind(key) == expected


@pytest.mark.parametrize("key", ["nowhere:jane", "flickr:", "jane"])
def test_what_is_no_contributor_key_is_refused(key: str) -> None:
    with pytest.raises(Refused):
        contributor_kind(key)


def test_a_public_id_is_half_a_digest_of_the_key() -> None:
    assert public_id("flickr:jane") == sha256(b"b1|contributor|flickr:jane").hexdigest()[:32]


PASTED = {
    "<https://www.flickr.com/photos/jane/123?a=1&amp;b=2>,": ["photo flickr:123", "maker flickr:jane"],
    "  “https://flic.kr/p/2m4pF6N”. ": ["photo flickr:51234396500"],
    "it is here: http://live.staticflickr.com/1/123_abcdef0123_b.jpg, I think": ["photo flickr:123"],
    "(see www.flickr.com/photos/jane/123)": ["photo flickr:123"],
    "https://commons.wikimedia.org/wiki/File:Dawn_(x).jpg": ["photo commons:Dawn (x).jpg"],
    "https://example.org/Dawn_(x)": ["url example.org/Dawn_(x)"],
    "www.flickr.com/photos/jane/123).": ["photo flickr:123"],
    "jane": ["maker flickr:jane", "maker unsplash:@jane", "maker commons:Jane"],
    "@jane": ["maker unsplash:@jane", "maker instagram:@jane", "maker flickr:jane"],
    "File:Foo bar (3).jpg": ["photo commons:Foo bar (3).jpg"],
    "Datei:Dawn.jpg": ["photo commons:Dawn.jpg"],
    "User:Jane D": ["maker commons:Jane D"],
    "u/jane_d": ["maker reddit:@jane_d"],
    "12345678@N00": ["maker flickr:12345678@N00"],
    "flickr:3072908271": ["photo flickr:3072908271"],
    "3072908271": ["photo flickr:3072908271"],
    "File:Dawn_(x).jpg": ["photo commons:Dawn (x).jpg"],
    "example.org": ["host example.org", "maker web:example.org/", "maker web:www.example.org/"],
    "https://jane.example/about": ["url jane.example/about", "maker web:jane.example/about/"],
    "https://de.wikipedia.org/wiki/Hafen#/media/Datei:Dawn.jpg": ["photo commons:Dawn.jpg"],
    "AB" * 32: ["sha256 " + "ab" * 32],
    "name:lab/faces:Jane Doe": ["name lab/faces:Jane Doe"],
}


@pytest.mark.parametrize(("text", "expected"), PASTED.items())
def test_a_pasted_text_means_at_least_this(text: str, expected: list[str]) -> None:
    found = [f"{one.kind} {one.value}" for one in candidates(text)]
    assert set(expected) <= set(found)


@given(st.text(max_size=80))
def test_whatever_is_pasted_gives_distinct_selectors_of_known_kinds(text: str) -> None:
    found = candidates(text)
    assert len(set(found)) == len(found)
    assert {one.kind for one in found} <= set(KINDS)


def test_half_a_character_means_nothing() -> None:
    assert candidates("jane\ud800") == ()


def test_a_page_of_a_photo_comes_before_its_maker_and_its_url() -> None:
    found = candidates("https://www.flickr.com/photos/jane/123/")
    assert [one.kind for one in found[:3]] == ["photo", "maker", "url"]
