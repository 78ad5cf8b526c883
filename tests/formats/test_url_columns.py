from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from byline.formats.url_columns import canonical_urls, hosts_of_column
from byline.formats.urls import canonical_url
from tests.formats.messy_urls import MESSY_URLS

URLS = st.one_of(st.none(), MESSY_URLS)


@given(st.lists(URLS, max_size=30))
def test_a_column_is_read_as_its_urls_are_one_by_one(texts: list[str | None]) -> None:
    assert canonical_urls(pa.array(texts, pa.string())).to_pylist() == [canonical_url(text) for text in texts]


@given(st.lists(URLS, min_size=3, max_size=20), st.integers(0, 3))
def test_a_slice_of_chunks_is_read_as_the_column_it_is(texts: list[str | None], start: int) -> None:
    column = pa.chunked_array([pa.array(texts[:2], pa.string()), pa.array(texts[2:], pa.string())]).slice(
        start
    )
    assert canonical_urls(column).to_pylist() == [canonical_url(text) for text in texts[start:]]


def test_the_url_standards_own_cases_are_read_alike_both_ways(shared: Path) -> None:
    cases = json.loads((shared / "vectors" / "whatwg_url" / "urltestdata.json").read_text())
    texts = [case["input"] for case in cases if isinstance(case, dict)]
    kept = [text for text in texts if not any("\ud800" <= letter <= "\udfff" for letter in text)]
    assert canonical_urls(pa.array(kept)).to_pylist() == [canonical_url(text) for text in kept]


def test_dictionary_and_large_columns_are_read_too() -> None:
    texts = pa.array(["http://Example.com", "http://Example.com", None])
    for column in (texts.dictionary_encode(), texts.cast(pa.large_string())):
        assert canonical_urls(column).to_pylist() == ["example.com/", "example.com/", None]


@given(st.lists(URLS, max_size=30))
def test_each_row_knows_its_host(texts: list[str | None]) -> None:
    canonical = canonical_urls(pa.array(texts, pa.string()))
    hosts = hosts_of_column(canonical)
    found = [hosts.names[code] for code in hosts.codes]
    assert found == [(one or "").partition("/")[0] for one in canonical.to_pylist()]


NEARLY_PLAIN = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["https://", "HTTP://", "Https://", "http://", "ftp://"]),
        st.sampled_from(["Example.COM", "a.org", "u:p@a.org", "A--b.org", "a.org.", "1.2.3.4"]),
        st.sampled_from(["", ":80", ":443", ":8080", ":0080", ":"]),
        st.text("/.%7eE2fF5D_-?#@\\ a~\u00e9\t", max_size=14).map(lambda rest: "/" + rest),
    ),
)


@given(st.lists(NEARLY_PLAIN, min_size=1, max_size=30))
def test_what_only_needs_tidying_is_read_as_one_by_one(texts: list[str]) -> None:
    assert canonical_urls(pa.array(texts, pa.string())).to_pylist() == [canonical_url(text) for text in texts]
