"""Every word of the vocabularies has plain ones, and small rules of how numbers read."""

from __future__ import annotations

import datetime as dt

import pytest

from byline.formats import categories, manifest
from web import words
from web.changes import steps


@pytest.mark.parametrize(
    "vocabulary",
    [
        manifest.PURPOSES,
        manifest.ACCESS,
        manifest.ANNOTATION_CATEGORIES,
        manifest.YES_NO,
        manifest.REVOCABLE,
        tuple(label for label, bit in categories.CATEGORIES.items() if bit & categories.ALL_USES),
    ],
)
def test_every_label_has_words(vocabulary: tuple[str, ...]) -> None:
    assert [label for label in vocabulary if label not in words.PLAIN and label != "other"] == []


def test_what_is_grave_is_in_the_vocabularies() -> None:
    assert {*manifest.PURPOSES, *manifest.ANNOTATION_CATEGORIES} >= words.GRAVE


@pytest.mark.parametrize(
    ("part", "whole", "said"), [(1, 3, "33 %"), (1, 1000, "<1 %"), (0, 5, "0 %"), (0, 0, "–")]
)
def test_shares(part: int, whole: int, said: str) -> None:
    assert words.share(part, whole) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "1 minute"),
        (61, "2 minutes"),
        (3_600, "60 minutes"),
        (86_400, "24 hours"),
        (86_401, "2 days"),
        (10**7, "116 days"),
    ],
)
def test_lengths_of_time(seconds: int, said: str) -> None:
    assert words.span(seconds) == said


def test_ranges_of_a_chart_in_order() -> None:
    counts = {"10": 3, "1": 12, "2": 4, "10000": 1}
    assert words.spread(counts) == [("1", 12), ("2–9", 4), ("10–99", 3), ("10,000 and more", 1)]


def test_licences_that_have_no_name_in_spdx() -> None:
    assert words.licence("LicenseRef-AllRightsReserved") == "All rights reserved"
    assert words.licence("LicenseRef-CC-BY") == "CC-BY"
    assert words.licence("CC-BY-2.0") == "CC-BY-2.0"


def test_years_of_samples() -> None:
    assert (
        words.years(
            [{"title": "a", "year": 2014}, {"title": "b", "year": 2006}, {"title": "c", "year": None}]
        )
        == "2006–2014"
    )
    assert words.years([{"title": "a", "year": 2014}]) == "2014"
    assert words.years([]) == ""


def test_days_and_moments() -> None:
    when = dt.datetime(2026, 11, 3, 9, 5, tzinfo=dt.UTC)
    assert words.day(when) == words.day(when.isoformat()) == "3 November 2026"
    assert words.day(None) == "not yet"
    assert words.moment(when) == "3 November 2026, 09:05 UTC"


def test_no_versions_no_steps() -> None:
    assert steps([]) == []


def test_counts_by_state_read_as_words() -> None:
    assert words.stood({"unlisted": 12, "exempt": 10}) == {
        "Gone from the list": 12,
        "The publisher says it need not take them out": 10,
    }


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("flickr:1@N00", "1@N00 on Flickr"),
        ("host:example.org", "example.org"),
        ("name:lab/faces:Eve: the first", "Eve: the first, as named in lab/faces"),
        ("web:example.org/@eve", "example.org/@eve"),
    ],
)
def test_an_identity_is_said_as_people_say_it(key: str, said: str) -> None:
    assert words.identity(key) == said


def test_what_the_registry_saw_is_a_sentence() -> None:
    said = {"outcome": "no-evidence", "version": "2", "reason": "their address still stands in it"}
    assert words.seen(said) == (
        "Version 2 shows no row of yours, but that proves nothing: their address still stands in it."
    )
    assert "your rows are gone" in words.seen({"outcome": "unlisted", "version": "2", "reason": None})
