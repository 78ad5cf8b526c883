"""`Feed.open(state).mask(urls)`: what the key feed says, whatever holds the URLs."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import byline
from byline.client.feed import Feed, KeyIndex, use_of
from byline.client.keysets import write_set
from byline.errors import Refused
from byline.formats.categories import REMOVE_EXISTING, TRAIN_GENERATIVE, TRAIN_OTHER
from byline.formats.keyset import KeySet
from byline.formats.selectors import fingerprint
from tests.client.served import NOW, Served, every

STATIC = "https://live.staticflickr.com/65535/51234567890_abcdef0123_b.jpg"
FREE = "https://example.org/free.jpg"
URL = "https://cdn.example.net/x/9f8e7d6c5b4a39281706.jpg"
HOST_URL = "https://img.jane.example.com/a.jpg"


def opened(folder: Path, keys: dict[int, int], *, hosts: int = 0) -> Feed:
    """A feed with these keys."""
    served = Served()
    served.publish(keys, hosts=hosts)
    served.sync(folder)
    return Feed.open(folder, now=NOW)


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    """One Flickr file, one other URL, both opted out of everything."""
    u = fingerprint("u", URL.removeprefix("https://"))
    return opened(tmp_path, every([fingerprint("fs", "51234567890_abcdef0123"), u]))


@pytest.mark.parametrize(
    "holder",
    [
        list, tuple, np.array, lambda urls: np.array(urls, dtype=object), pa.array,
        lambda urls: pa.array(urls, pa.large_string()), lambda urls: pa.array(urls).dictionary_encode(),
        lambda urls: pa.chunked_array([urls[:1], urls[1:]]), lambda urls: pa.table({"u": urls})["u"],
        lambda urls: pa.array([None, *urls])[1:], iter,
    ],
)  # fmt: skip
def test_urls_may_come_in_anything(feed: Feed, holder: Any) -> None:
    assert feed.mask(holder([STATIC, FREE, URL])).tolist() == [False, True, False]


@pytest.mark.parametrize(
    "spelling",
    [
        "HTTP://LIVE.staticflickr.com:80/65535/51234567890_abcdef0123_b.jpg#x",
        "farm66.staticflickr.com/65535/51234567890_abcdef0123.jpg",
        "//live.staticflickr.com/65535/51234567890_abcdef0123_z_d.jpg?zz=1",
        "http://CDN.example.net./x/9f8e7d6c5b4a3928170%36.jpg",
    ],
)
def test_other_spellings_are_found_too(feed: Feed, spelling: str) -> None:
    assert feed.mask([spelling]).tolist() == [False]


def test_what_cannot_be_read_is_dropped_unless_asked_otherwise(feed: Feed) -> None:
    odd = [None, "", "not a url", "mailto:a@b.c", "http://[", "x" * 9_000]
    assert not feed.mask(odd).any()
    assert feed.mask(odd, on_unreadable="keep").all()


@pytest.mark.parametrize("urls", ["https://example.org/", b"x", 3, [1, 2], ["\ud800"]])
def test_what_holds_no_urls_is_refused(feed: Feed, urls: Any) -> None:
    with pytest.raises(Refused) as caught:
        feed.mask(urls)
    assert caught.value.code == "not-urls"


def test_no_urls_give_an_empty_mask(feed: Feed) -> None:
    assert feed.mask([]).tolist() == []


@pytest.mark.parametrize(
    ("use", "kept"),
    [
        ("any", [False, False, False]), ("train-generative", [False, True, True]), ("train-other", [True, False, True]),
        ("remove-existing", [True, False, False]), ("data-mining", [True, True, True]),
        ("a use nobody knows", [False, False, False]),
    ],
)  # fmt: skip
def test_a_use_takes_what_objects_to_it(tmp_path: Path, use: str, kept: list[bool]) -> None:
    bits = [TRAIN_GENERATIVE, TRAIN_OTHER | REMOVE_EXISTING, REMOVE_EXISTING]
    urls = [f"https://cdn.example.net/{at}.jpg" for at in range(3)]
    feed = opened(tmp_path, {fingerprint("u", url[8:]): bit for url, bit in zip(urls, bits, strict=True)})
    assert feed.mask(urls, for_=use).tolist() == kept


def test_a_listed_host_takes_its_subdomains(tmp_path: Path) -> None:
    feed = opened(tmp_path, every([fingerprint("h", "jane.example.com")]), hosts=1)
    urls = [HOST_URL, "https://jane.example.com/b", "https://other.example.com/c", "mailto:x", None]
    assert feed.mask(urls, on_unreadable="keep").tolist() == [False, False, True, True, True]


def test_a_row_goes_by_its_digest(tmp_path: Path) -> None:
    digest = "ab" * 32
    feed = opened(tmp_path, every([fingerprint("sha256", digest)]))
    verdicts = feed.verdicts(
        [], [pa.array([digest, digest.upper(), "cd" * 32, "no digest", None])], use=use_of(None)
    )
    assert verdicts.tolist() == [3, 3, 0, 5, 5]


def test_the_package_names_feed_without_importing_arrays() -> None:
    assert byline.Feed is Feed


def test_the_package_names_nothing_else() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Food'"):
        _ = byline.Food


@given(
    st.dictionaries(st.integers(0, 2**60 - 1), st.integers(1, 31), max_size=300),
    st.lists(st.integers(-1, 2**60 - 1), max_size=50),
    st.sampled_from([1, 2, 4, 8, 16, 31]),
)
def test_an_index_finds_exactly_the_keys_of_a_use(keys: dict[int, int], others: list[int], bits: int) -> None:
    k = np.array(sorted(keys), dtype=np.int64)
    c = np.array([keys[int(one)] for one in k], dtype=np.uint8)
    probes = np.array([*keys, *others], dtype=np.int64)
    with TemporaryDirectory() as folder:
        found = KeyIndex(write_set(Path(folder) / "set", [KeySet(k, c)])).has(probes, bits)
    assert found.tolist() == [bool(keys.get(int(probe), 0) & bits) for probe in probes]
