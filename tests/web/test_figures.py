"""Figures over time: drawn on the server, and each with its table."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from registry.tlog.growth import spans
from tests.api.clock import Clock
from tests.web.looking import parse
from tests.web.world import SAID, World, photo

NOW = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)


def table(page: str, caption: str) -> list[list[str]]:
    """The rows of the table with this caption."""
    (found,) = [
        one for one in parse(page).css("table") if (one.css_first("caption") or one).text() == caption
    ]
    return [[cell.text() for cell in row.css("th, td")] for row in found.css("tbody tr")]


def publish_later(world: World, name: str, **by: int) -> None:
    assert isinstance(world.runtime.clock, Clock)
    world.runtime.clock.now += dt.timedelta(**by)
    world.publish(dataclasses.replace(SAID, dataset=name), [{"url": photo(1)}])


def test_a_log_of_one_day_has_no_figure(seen: World) -> None:
    assert parse(seen.page("/transparency")).css(".trend") == []


def test_by_the_day_by_the_week_and_by_the_month(world: World) -> None:
    publish_later(world, "lab/second", days=2)
    said = table(world.page("/transparency"), "Registered datasets")
    assert [row[1:] for row in said] == [["2", ""], ["2", "0"], ["3", "1"]]
    publish_later(world, "lab/third", days=40)
    said = table(world.page("/transparency"), "Registered datasets")
    assert [row[1] for row in said] == ["3"] * 5 + ["4"]
    publish_later(world, "lab/fourth", days=100)
    said = table(world.page("/transparency"), "Registered datasets")
    assert [row[:2] for row in said] == [
        ["31 May 2026", "3"],
        ["30 June 2026", "4"],
        ["31 July 2026", "4"],
        ["31 August 2026", "4"],
        ["23 September 2026", "5"],
    ]


def test_the_columns_are_as_high_as_the_table_says(world: World) -> None:
    publish_later(world, "lab/second", days=2)
    page = world.page("/transparency")
    heights = [float(one.attributes["height"] or 0) for one in parse(page).css(".trend")[1].css("rect")]
    assert heights == [33.33, 33.33, 50.0]
    entries = table(page, "Entries in the log")
    assert int(entries[-1][1]) == world.client.get("/v1").get_json()["log_size"]


@pytest.mark.parametrize(
    ("age", "points"),
    [
        ({"hours": 1}, 1),
        ({"days": 3}, 4),
        ({"days": 12}, 12),
        ({"days": 30}, 5),
        ({"days": 400}, 12),
        ({"days": 4000}, 12),
    ],
)
def test_there_are_never_more_than_a_dozen(age: dict[str, int], points: int) -> None:
    found = spans(NOW - dt.timedelta(**age), NOW)
    assert len(found) == points
    assert list(found) == sorted(found)
    assert found[-1] == NOW
