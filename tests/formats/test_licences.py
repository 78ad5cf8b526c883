from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline.formats import licences

FAMILIES = ("by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd")
VERSIONS = ("1.0", "2.0", "2.5", "3.0", "4.0")
SPELLINGS = (
    "{family} {version}",
    "CC {family} {version}",
    "cc-{family}-{version}",
    "CC {family} {short}",
    "cc {family} v{version}",
    "Creative Commons {family} {version} International",
    "https://creativecommons.org/licenses/{family}/{version}/",
    "http://www.creativecommons.org/licenses/{family}/{version}",
    "//creativecommons.org/licenses/{family}/{version}/legalcode",
    "creativecommons.org/licenses/{family}/{version}/deed.de?ref=chooser-v1",
    "https://spdx.org/licenses/CC-{family}-{version}.html",
)


@given(
    family=st.sampled_from(FAMILIES),
    version=st.sampled_from(VERSIONS),
    spelling=st.sampled_from(SPELLINGS),
    shout=st.booleans(),
)
def test_every_spelling_of_a_creative_commons_licence_is_one_id(
    family: str, version: str, spelling: str, *, shout: bool
) -> None:
    raw = spelling.format(family=family, version=version, short=version.removesuffix(".0"))
    expected = f"CC-{family.upper()}-{version}"
    assert licences.to_spdx(raw.upper() if shout else raw) == expected


@given(st.text(max_size=60))
def test_any_text_has_an_id_or_none(raw: str) -> None:
    found = licences.to_spdx(raw)
    assert found is None or found.replace("-", "").replace(".", "").isalnum()


@given(
    values=st.lists(st.none() | st.sampled_from(["by 2", "MIT", "?", "", "pdm"]), max_size=20),
    chunked=st.booleans(),
)
def test_a_column_maps_as_its_values_do(values: list[str | None], *, chunked: bool) -> None:
    column = (
        pa.chunked_array([values[:5], values[5:]], pa.string()) if chunked else pa.array(values, pa.string())
    )
    assert licences.to_spdx_array(column).to_pylist() == [licences.to_spdx(one) for one in values]


def test_an_id_is_its_own_spelling() -> None:
    for raw in licences.LICENCES:
        assert licences.to_spdx(raw) == raw


@pytest.mark.parametrize(
    "raw",
    [
        None,
        "",
        " ",
        "x" * 501,
        "public domain",
        "creative commons",
        "other",
        "by-nc-sa-nd 4.0",
        "https://example.org/licenses/by/4.0/",
        "nc 1.0",
        "http://creativecommons.org/licenses/nc-sampling+/1.0/",
    ],
)
def test_what_is_not_known_is_none(raw: str | None) -> None:
    assert licences.to_spdx(raw) is None


def test_every_licence_of_the_real_sets_is_known_but_one_artists_terms(shared: Path) -> None:
    unknown = set()
    for path in sorted(shared.glob("*/normalized.csv.gz")):
        with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
            unknown |= {
                row["licence_raw"]
                for row in csv.DictReader(lines)
                if licences.to_spdx(row["licence_raw"]) is None
            }
    ones_own = ("©", "(c)", "by permission of")
    assert {raw for raw in unknown if raw and not any(mark in raw.lower() for mark in ones_own)} == set()


def test_a_long_hostile_licence_takes_no_time() -> None:
    assert licences.to_spdx("by " * 160) is None
    assert licences.to_spdx("(" * 500) is None
