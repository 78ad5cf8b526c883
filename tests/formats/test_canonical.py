from __future__ import annotations

import contextlib
import datetime as dt
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline.errors import Refused
from byline.formats import canonical

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
INTS = st.integers(-canonical.MAX_INT, canonical.MAX_INT)
FLOATS = st.floats(allow_nan=False, allow_infinity=False).filter(
    lambda x: x != int(x) or abs(x) < canonical.MAX_INT
)
SCALARS = st.none() | st.booleans() | INTS | TEXT
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=15,
)


@given(VALUES)
def test_what_is_written_reads_back_the_same(value: Any) -> None:
    assert canonical.loads(canonical.dumps(value)) == value


@given(VALUES)
def test_writing_what_was_read_changes_no_byte(value: Any) -> None:
    once = canonical.dumps(value)
    assert canonical.dumps(canonical.loads(json.dumps(value).encode())) == once


@given(FLOATS)
def test_a_fraction_survives_where_it_is_allowed(value: float) -> None:
    read = canonical.loads(canonical.dumps(value), floats=True)
    assert math.isclose(read, value, rel_tol=0, abs_tol=0)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(Refused):
        canonical.dumps(canonical.loads(data))


@given(st.text(alphabet='{}[]",:\\u01a \t', max_size=60))
def test_any_almost_json_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(Refused):
        canonical.dumps(canonical.loads(text.encode()))


def test_rfc_8785s_own_vectors_hold(shared: Path) -> None:
    folder = shared / "vectors/jcs_rfc8785"
    names = sorted(path.name for path in (folder / "input").iterdir())
    assert len(names) >= 6
    for name in names:
        value = canonical.loads((folder / "input" / name).read_bytes(), floats=True)
        assert canonical.dumps(value) == (folder / "output" / name).read_bytes().strip(), name


def test_size_is_looked_at_before_anything_is_read() -> None:
    with pytest.raises(Refused, match="at most 10"):
        canonical.loads(b"\xff" * 11, max_bytes=10)


def test_a_megabyte_of_brackets_ends_in_a_refusal() -> None:
    with pytest.raises(Refused, match="deeper than 64"):
        canonical.loads(b"[" * (1 << 20))


def test_brackets_inside_strings_are_no_nesting() -> None:
    assert canonical.loads(b'"' + b"[" * 1000 + b'\\"{"') == "[" * 1000 + '"{'


def test_what_cannot_be_json_is_refused() -> None:
    for value in (math.nan, 2**60, {"a": object()}, "\ud800"):
        with pytest.raises(Refused):
            canonical.dumps(value)


@given(st.datetimes(min_value=dt.datetime(1970, 1, 1), max_value=dt.datetime(9999, 1, 1)))  # noqa: DTZ001 - made aware below
def test_an_instant_reads_back_to_the_second(naive: dt.datetime) -> None:
    instant = naive.replace(microsecond=0, tzinfo=dt.UTC)
    assert canonical.read_timestamp(canonical.timestamp(instant)) == instant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-31",
        "2026-02-30T00:00:00Z",
        "2026-01-31T23:59:60Z",
        "2026-01-31t23:59:59z",
        "2026-01-31T23:59:59+00:00",
        "٢٠٢٦-01-31T23:59:59Z",
    ],
)
def test_no_other_spelling_of_an_instant_is_read(text: str) -> None:
    with pytest.raises(Refused) as refused:
        canonical.read_timestamp(text)
    assert refused.value.code == "bad-timestamp"


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(Refused):
        canonical.timestamp(dt.datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point
