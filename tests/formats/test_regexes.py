"""Patterns over a column by polars and by Arrow: the same answers, for the patterns that are used."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline.formats import probes, regexes, url_columns
from byline.formats.hashing import LONG, fast
from byline.formats.platforms.flickr import PLAIN_FILE

GATES = [pattern for pattern, _ in url_columns._GATES]
PATTERNS = [*GATES, PLAIN_FILE, probes._PERHAPS_A_FILE, probes._HOST]
WHOLE = "https://live.staticflickr.com/65535/3072908271_abcdef0123_b.jpg"
PIECES = (
    "https://", "http://", "HTTP://", "live.staticflickr.com", "farm3.staticflickr.com", "example.org", "EXAMPLE.org",
    "/", "//", "65535", "3072908271_abcdef0123", "_b", ".jpg", ".gif", "?a=1", "#x", "%7E", "%2F", "..", ".", "-", "--", "ä", "İ",
    " ", "\n", "&&", "~~", ":80", "@",
)  # fmt: skip
text = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=9).map("".join),
    st.text(max_size=30),
    st.just(WHOLE),
    st.none(),
)


@pytest.fixture
def vectors(request: pytest.FixtureRequest) -> list[str]:
    """Every text of the URL vectors."""
    folder = Path(request.config.rootpath) / "tests/vectors"
    found: list[str] = []

    def gather(one: object) -> None:
        if isinstance(one, str):
            found.append(one)
        elif isinstance(one, dict | list):
            for inner in one.values() if isinstance(one, dict) else one:
                gather(inner)

    for path in sorted(folder.glob("*.json")):
        gather(json.loads(path.read_text()))
    return found


def both(texts: list[str | None], pattern: str) -> None:
    """The two answers, of so many texts that polars is asked; and of few."""
    assert fast() is not None, "polars-hash is not installed here"
    column = pa.array(texts, pa.string())
    times = -(-LONG // max(len(texts), 1))
    many = pa.concat_arrays([column] * times)
    assert len(many) >= LONG
    assert regexes.matches(many, pattern).tolist()[: len(texts)] == regexes.matches(column, pattern).tolist()
    if "(?P<" in pattern and texts:
        assert (
            regexes.extracted(many, pattern).slice(0, len(texts)).equals(regexes.extracted(column, pattern))
        )


@pytest.mark.parametrize("pattern", PATTERNS)
@given(texts=st.lists(text, min_size=1, max_size=20))
def test_both_answer_alike(pattern: str, texts: list[str | None]) -> None:
    both(texts, pattern)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_both_answer_alike_of_every_vector(pattern: str, vectors: list[str]) -> None:
    assert len(vectors) > 100
    both(list(vectors), pattern)


def test_what_is_caught_is_what_stands_there() -> None:
    assert regexes.extracted(pa.array([WHOLE, None, "x"]), PLAIN_FILE).to_pylist() == [
        "3072908271_abcdef0123", None, None,
    ]  # fmt: skip
