"""Who objected, worked out from public answers alone: every row Byline shows of everybody, held against its public feed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from byline.client.feed import ANY, Feed, use_of
from registry.demo.datasets import DemoDataset, cast, write_all
from registry.demo.people import Person
from tests.flows.conftest import Registry

Get = Callable[..., Any]

OBJECTS, EVERYBODY = 3, 9
PAGES = "https://www.flickr.com/photos"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """One that may be asked as often as one likes."""
    often = {
        "BYLINE_BUDGET_LOOKUP": "99999/minute",
        "BYLINE_BUDGET_READ": "99999/minute",
        "BYLINE_ROWS_SHOWN": "open",
    }
    made = Registry(tmp_path_factory.mktemp("registry"), settings=often)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def datasets(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> list[DemoDataset]:
    """A list whose files not everybody has, and one that everybody has."""
    made = write_all(tmp_path_factory.mktemp("demo"))
    for one in (made[0], made[2]):
        registry.publish(one.ref, one.version, one.file, mapping=one.mapping, extra=one.options)
    return [made[0], made[2]]


def test_nobody_is_recovered_where_not_everybody_has_the_files(
    registry: Registry, datasets: list[DemoDataset], tmp_path: Path
) -> None:
    people = cast()[:EVERYBODY]
    made = [registry.opt_out(f"flickr:{person.nsid}") for person in people[:OBJECTS]]
    pictured = people[OBJECTS + 1]  # in both datasets
    objects_pictured(registry, pictured, [one.ref for one in datasets])
    for asked in made:
        registry.wait_for_feed(*asked)
    registry.wait_until_quiet()
    registry.byline("sync", "--state", str(tmp_path))
    feed = Feed.open(tmp_path)
    with httpx.Client(base_url=registry.url, timeout=60) as client:

        def get(path: str, **query: Any) -> Any:
            return client.get(path, params=query).raise_for_status().json()

        found = {
            one.ref: {person.nsid for person in people if recovered(get, feed, one.ref, person.nsid)}
            for one in datasets
        }
    restricted, everybodys = (found[one.ref] for one in datasets)
    seen = [pictured.nsid in found[one.ref] for one in datasets]
    print(  # noqa: T201
        f"recovered of {OBJECTS} who objected: {len(everybodys)} where everybody has the files, {len(restricted)} where not; "
        f"of 1 pictured: {sum(seen)}"
    )
    assert not any(seen)
    assert restricted == set()
    assert everybodys, "the attack works where it can"
    assert everybodys <= {person.nsid for person in people[:OBJECTS]}


def objects_pictured(registry: Registry, whose: Person, datasets: list[str]) -> None:
    """Somebody in all photos of one maker objects, at datasets named."""
    photos = [word for photo in whose.photos for word in ("--url", f"{PAGES}/{whose.nsid}/{photo}")]
    where = [word for ref in datasets for word in ("--dataset", ref)]
    made = registry.byline(
        "opt-out", *photos, "--email", "pictured@example.org", "--relation", "pictured", *where
    )
    token = registry.mailed_link("pictured@example.org").rpartition("/")[2]
    asked = httpx.post(f"{registry.url}/v1/opt-outs/confirm", json={"token": token}, timeout=30)
    assert asked.is_success, asked.text
    status = registry.byline("opt-out", "status", made["id"], "--token", made["token"])
    assert status["state"] == "in-force", status


def recovered(get: Get, feed: Feed, dataset: str, nsid: str) -> bool:
    """Whether everything shown of somebody has left the feed."""
    contributors = get("/v1/lookup", q=f"flickr:{nsid}")["contributors"]
    rows = [row for one in contributors for row in records(get, one["id"], dataset)]
    files = {file["name"]: file["sha256"] for file in get(f"/v1/datasets/{dataset}")["files"]}
    gone = [place_gone(feed, files, row) or address_gone(feed, row) for row in rows]
    return bool(gone) and all(gone)


def records(get: Get, contributor: str, dataset: str) -> list[dict[str, Any]]:
    held = {one["dataset"] for one in get(f"/v1/contributors/{contributor}")["datasets"]}
    if dataset not in held:
        return []
    path = f"/v1/contributors/{contributor}/records"
    items: list[dict[str, Any]] = get(path, dataset=dataset, limit=100)["items"]
    return items


def place_gone(feed: Feed, files: dict[str, str], row: dict[str, Any]) -> bool:
    if row["row"] is None:
        return False
    [entry] = feed.entries(files[row["file"]])
    return row["row"] in feed.rows(entry, use=use_of(ANY))


def address_gone(feed: Feed, row: dict[str, Any]) -> bool:
    return row["url"] is not None and not bool(feed.mask([row["url"]], on_unreadable="keep")[0])
