"""A column hashed at once and a text at a time give the same numbers, and what does not is left alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from hashlib import sha256
from types import ModuleType
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline.formats import hashing
from byline.formats.hashing import LONG, fast, first_60_bits, one_by_one

TEXTS = st.lists(st.text(st.characters(codec="utf-8"), max_size=150), max_size=20)


@pytest.fixture
def afresh() -> Iterator[None]:
    """What was found installed is looked for again, before and after."""
    fast.cache_clear()
    yield
    fast.cache_clear()


@given(TEXTS)
def test_a_column_at_once_is_each_text_alone(texts: list[str]) -> None:
    at_once = fast()
    assert at_once is not None, "polars-hash is not installed here"
    column = pa.array(texts, pa.string())
    if texts:
        assert at_once(column).tolist() == one_by_one(column).tolist()


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()])
def test_a_long_column_of_any_kind_is_hashed_alike(kind: pa.DataType) -> None:
    texts = [f"{at} ä\x00" for at in range(LONG + 10_000)]
    found = first_60_bits("b1|u|", pa.array(texts, pa.string()).cast(kind).slice(7))
    expected = [int(sha256(f"b1|u|{text}".encode()).hexdigest()[:15], 16) for text in texts[7:]]
    assert found.tolist() == expected


@pytest.mark.usefixtures("afresh")
@pytest.mark.parametrize("instead", [None, ModuleType("polars_hash")])
def test_without_the_extra_it_is_hashlib(instead: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "polars_hash", instead)
    assert fast() is None
    assert first_60_bits("", pa.array(["abc"] * LONG))[0] == int(sha256(b"abc").hexdigest()[:15], 16)


@pytest.mark.usefixtures("afresh")
def test_an_extra_that_answers_otherwise_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "_leading", lambda _: one_by_one(pa.array(["other", "texts", "all"])))
    assert fast() is None
