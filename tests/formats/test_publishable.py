from __future__ import annotations

import hashlib
import random
import string
import uuid

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline.errors import Refused
from byline.formats.platforms import shown
from byline.formats.publishable import (
    batch_probes,
    host_chain,
    host_covers,
    is_unguessable,
    require_host,
    row_fingerprints,
)
from byline.formats.selectors import fingerprint
from byline.formats.urls import canonical_url, host_of
from tests.formats.messy_urls import MESSY_URLS

STATIC = "https://live.staticflickr.com/65535/51234567890_abcdef0123_b.jpg"
DIGEST = hashlib.sha256(b"a picture").hexdigest()
GUESSABLE = [
    "images.cocodataset.org/val2017/000000578922.jpg",
    "example.com/2019/01/29/dawn-over-the-harbour-at-noon.jpg",
    "example.com/IMG_20190129_123456789.jpg",
    "example.com/photos/51234567890123456789012345.jpg",
    "example.com/wp-content/uploads/2019/01/DSC00012-1024x768.jpg",
    "example.com/6ba7b810-9dad-11d1-80b4-00c04fd430c8.jpg",
    "example.com/6ba7b8109dad11d180b400c04fd430c8.jpg",
    "example.com/018f4e2c-7b1a-7cc3-98c4-dc0c0c07398f.jpg",
    "example.com/00000000-0000-4000-8000-000000000001",
    "example.com/507f1f77bcf86cd799439011.jpg",
    "example.com/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.jpg",
    "example.com/0123456789012345678901234567890123456789",
    "example.com/thequickbrownfoxjumpsoverthelazydog2019.jpg",
    "example.com/TheQuickBrownFoxJumpsOverTheLazyDog2019.jpg",
    "example.com/a/56d9a917398804.5603c35889b19.jpg",
    "example.com/abcdef0123.jpg",
    "images.unsplash.com/photo-1541961017774-22349e4a1262",
    "www.flickr.com/photos/12345678@N00/51234567890/",
    "unsplash.com/photos/yC-Yzbqy7PY",
    "example.com/?utm_source=newsletter&utm_campaign=2019_winter_sale_of_pictures",
]
DRAWN = random.Random(7)  # noqa: S311 - tokens for tests


def token(alphabet: str, length: int) -> str:
    return "".join(DRAWN.choice(alphabet) for _ in range(length))


@pytest.mark.parametrize("url", GUESSABLE)
def test_what_can_be_counted_up_or_thought_of_is_not_published(url: str) -> None:
    assert not is_unguessable(url)


@pytest.mark.parametrize(
    ("alphabet", "length"),
    [(string.hexdigits[:16], 32), (string.hexdigits[:16], 40), (string.digits + string.ascii_letters, 32)],
)
def test_most_drawn_tokens_are_told(alphabet: str, length: int) -> None:
    told = sum(is_unguessable(f"example.com/a/{token(alphabet, length)}.jpg") for _ in range(400))
    assert told > 300


def test_a_random_uuid_is_told() -> None:
    assert is_unguessable("example.com/a/3e32bad9-c7f1-43ea-9200-064bd9a547cd.jpg")
    assert not is_unguessable(f"example.com/{uuid.UUID(int=5)}")


@given(st.integers(0, 10**30), st.sampled_from(["{:d}", "{:012d}", "img{:d}", "{:x}", "p-{:d}-x", "{:08x}"]))
def test_no_small_number_is_ever_published(number: int, form: str) -> None:
    small = number % 2**64
    assert not is_unguessable(f"example.com/{form.format(small)}.jpg")


def test_a_flickr_file_is_published_by_its_id_and_secret() -> None:
    assert row_fingerprints(STATIC, None, None) == (("fs", 1133838757090821576),)


def test_a_row_is_published_by_its_landing_file_and_its_digest_too() -> None:
    found = row_fingerprints("http://images.cocodataset.org/val2017/000000578922.jpg", STATIC, DIGEST)
    assert found == (("fs", 1133838757090821576), ("sha256", fingerprint("sha256", DIGEST)))


def test_a_url_with_a_token_is_published_whole() -> None:
    url = "https://example.com/a/3e32bad9-c7f1-43ea-9200-064bd9a547cd.jpg"
    assert row_fingerprints(url, url, None) == (("u", fingerprint("u", url.removeprefix("https://"))),)


def test_pages_and_photo_ids_are_never_published() -> None:
    assert (
        row_fingerprints("https://www.flickr.com/photos/jane/51234567890/", "https://flic.kr/p/2m4pF6N", None)
        == ()
    )


@pytest.mark.parametrize(
    ("host", "chain"),
    [
        ("example.com", ("example.com",)),
        ("a.b.example.co.uk", ("a.b.example.co.uk", "b.example.co.uk", "example.co.uk")),
        ("x.jane.github.io", ("x.jane.github.io", "jane.github.io")),
        ("github.io", ()),
        ("co.uk", ()),
        ("127.0.0.1", ("127.0.0.1",)),
        ("[::1]", ("[::1]",)),
    ],
)
def test_a_host_is_covered_down_to_its_owners_ground(host: str, chain: tuple[str, ...]) -> None:
    assert host_chain(host) == chain


def test_a_very_deep_host_is_asked_for_by_its_nearest_eight() -> None:
    assert host_chain("a." * 50 + "example.com")[0] == "a." * 7 + "example.com"


def test_a_host_covers_what_is_under_it_and_not_its_neighbours() -> None:
    assert host_covers("example.com", "cdn.example.com")
    assert not host_covers("example.com", "notexample.com")
    assert not host_covers("cdn.example.com", "example.com")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("github.io", "public-suffix"),
        ("co.uk", "public-suffix"),
        ("a b", "not-a-host"),
        ("1.2.3.4", "not-a-host"),
        ("live.staticflickr.com", "shared-host"),
        ("flickr.com", "shared-host"),
        ("wikimedia.org", "shared-host"),
        ("media.tumblr.com", "shared-host"),
    ],
)
def test_a_host_of_many_owners_cannot_be_named(text: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        require_host(text)
    assert caught.value.code == code


def test_a_site_of_ones_own_on_a_platform_can_be_named() -> None:
    assert require_host("jane.smugmug.com") == "jane.smugmug.com"


def one_probe(text: str | None) -> int:
    canonical = canonical_url(text)
    if canonical is None:
        return -1
    page = shown(canonical)
    return fingerprint("fs", page.static) if page and page.static else fingerprint("u", canonical)


@given(st.lists(st.one_of(st.none(), MESSY_URLS), max_size=30), st.booleans())
def test_probes_of_a_column_are_each_urls(texts: list[str | None], hosts: bool) -> None:  # noqa: FBT001
    found = batch_probes(pa.array(texts, pa.string()), hosts=hosts)
    assert found.k.tolist() == [one_probe(text) for text in texts]
    assert found.readable.tolist() == [canonical_url(text) is not None for text in texts]


@given(st.lists(st.one_of(st.none(), MESSY_URLS), max_size=30))
def test_each_url_is_asked_for_by_its_host_and_parents(texts: list[str | None]) -> None:
    found = batch_probes(pa.array(texts, pa.string()), hosts=True)
    assert found.host_index is not None
    assert found.host_ks is not None
    for text, at in zip(texts, found.host_index.tolist(), strict=True):
        canonical = canonical_url(text)
        expected = (
            ()
            if canonical is None
            else tuple(fingerprint("h", one) for one in host_chain(host_of(canonical)))
        )
        assert (found.host_ks[at] if at >= 0 else ()) == expected


def test_a_published_row_is_found_by_the_probe_of_its_url() -> None:
    texts = [STATIC, "http://c1.staticflickr.com/1/2/51234567890_abcdef0123_z.jpg", "https://example.com/x"]
    found = batch_probes(pa.chunked_array([texts[:1], texts[1:]]))
    assert np.flatnonzero(found.k == 1133838757090821576).tolist() == [0, 1]
    assert found.fs.tolist() == [True, True, False]
