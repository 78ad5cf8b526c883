"""All four journeys on the demo's synthetic datasets: published, found, opted out, filtered."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import byline
from registry.demo.datasets import DemoDataset, base58, cast, write_all
from registry.demo.people import Person, secret
from tests.flows.conftest import Registry


@pytest.fixture(scope="module")
def datasets(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> list[DemoDataset]:
    """The demo's datasets, published through the commands."""
    made = write_all(tmp_path_factory.mktemp("demo"))
    for one in made:
        answer = registry.publish(one.ref, one.version, one.file, mapping=one.mapping, extra=one.options)
        assert answer["state"] == "published"
    return made


@pytest.fixture(scope="module")
def person() -> Person:
    """Somebody whose photos stand in all of the first three datasets."""
    return cast()[4]


@pytest.fixture(scope="module")
def opted_out(registry: Registry, datasets: list[DemoDataset], person: Person) -> tuple[str, str]:
    """One opt-out by number."""
    assert datasets
    return registry.opt_out(f"flickr:{person.nsid}")


@pytest.fixture(scope="module")
def state(registry: Registry, opted_out: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synced feed that covers the opt-out."""
    registry.wait_for_feed(*opted_out)
    folder = tmp_path_factory.mktemp("state")
    registry.byline("sync", "--state", str(folder))
    return folder


def found(registry: Registry, text: str) -> set[str]:
    """Platform ids of who is found."""
    return {item["contributor"]["platform_id"] for item in registry.byline("search", text)["items"]}


def test_a_maker_is_found_by_name(registry: Registry, datasets: list[DemoDataset], person: Person) -> None:
    assert datasets
    assert person.nsid in found(registry, person.name)


def test_a_maker_is_found_by_a_misspelled_name(registry: Registry, datasets: list[DemoDataset]) -> None:
    assert datasets
    assert cast()[0].nsid in found(registry, "Graeme Coper")


def test_a_name_in_any_script_is_found_in_latin(registry: Registry, datasets: list[DemoDataset]) -> None:
    assert datasets
    assert cast()[6].nsid in found(registry, "Kanella Chatzimichail")


@pytest.mark.parametrize(
    "form",
    [
        "{nsid}", "flickr:{nsid}", "https://www.flickr.com/people/{nsid}/", "www.flickr.com/photos/{nsid}",
        "https://www.flickr.com/photos/{nsid}/{photo}/", "https://flic.kr/p/{short}",
        "https://live.staticflickr.com/65535/{photo}_{secret}_b.jpg",
        "http://farm3.staticflickr.com/12/{photo}_{secret}_z_d.jpg",
    ],
)  # fmt: skip
def test_lookup_answers_yes_for_every_form(
    form: str, registry: Registry, datasets: list[DemoDataset], person: Person
) -> None:
    photo = person.photos[0]
    text = form.format(nsid=person.nsid, photo=photo, short=base58(photo), secret=secret(photo))
    answer = registry.byline("lookup", text)
    yes = {item["dataset"] for item in answer["items"] if item["answer"] == "yes"}
    assert answer["answer"] == "yes"
    assert datasets[0].ref in yes


def test_lookup_of_a_photo_reaches_the_dataset_that_names_nobody(
    registry: Registry, datasets: list[DemoDataset], person: Person
) -> None:
    answer = registry.byline("lookup", f"https://www.flickr.com/photos/{person.nsid}/{person.photos[0]}")
    assert datasets[1].ref in {item["dataset"] for item in answer["items"] if item["answer"] == "yes"}


def test_somebody_unknown_is_not_told_no_where_nobody_is_named(
    registry: Registry, datasets: list[DemoDataset]
) -> None:
    answer = registry.byline("lookup", "flickr:79999999@N99")
    assert answer["answer"] == "cannot-tell"
    assert datasets[1].ref in {item["dataset"] for item in answer["items"] if item["answer"] == "cannot-tell"}


def test_one_opt_out_reaches_the_datasets_that_know_the_photo_only(
    registry: Registry, opted_out: tuple[str, str], datasets: list[DemoDataset]
) -> None:
    status = registry.wait_for_feed(*opted_out)
    reached = {item["dataset"] for item in status["datasets"]}
    assert {datasets[0].ref, datasets[1].ref, datasets[2].ref} <= reached


def test_without_a_token_nobody_learns_who_objected(
    registry: Registry, opted_out: tuple[str, str], person: Person
) -> None:
    answer = str(registry.get(f"/v1/opt-outs/{opted_out[0]}"))
    assert person.nsid not in answer
    assert "selectors" not in answer


def test_the_registered_file_loses_exactly_this_makers_rows(
    registry: Registry, state: Path, datasets: list[DemoDataset], person: Person, tmp_path: Path
) -> None:
    out = tmp_path / "out.parquet"
    report = registry.byline("filter", str(datasets[0].file), "-o", str(out), "--state", str(state))
    before, after = pq.read_table(datasets[0].file), pq.read_table(out)
    expected = [row for row in before.to_pylist() if person.nsid not in row["page"]]
    assert after.to_pylist() == expected
    assert report["rows_in"] - report["rows_out"] == before.num_rows - len(expected)


def test_the_file_that_names_nobody_loses_exactly_this_makers_photos(
    registry: Registry, state: Path, datasets: list[DemoDataset], person: Person, tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    registry.byline("filter", str(datasets[1].file), "-o", str(out), "--state", str(state))
    theirs = {str(photo) for photo in person.photos}
    with datasets[1].file.open(newline="") as source, out.open(newline="") as result:
        expected = [
            row
            for row in csv.DictReader(source)
            if row["flickr_url"].split("/")[-1].split("_")[0] not in theirs
        ]
        assert list(csv.DictReader(result)) == expected


def test_a_shuffled_copy_falls_back_to_fingerprints(
    registry: Registry, state: Path, datasets: list[DemoDataset], person: Person, tmp_path: Path
) -> None:
    table = pq.read_table(datasets[0].file)
    order = np.random.default_rng(7).permutation(table.num_rows)
    pq.write_table(table.take(order), tmp_path / "shuffled.parquet")
    out = tmp_path / "out.parquet"
    report = registry.byline(
        "filter", str(tmp_path / "shuffled.parquet"), "-o", str(out), "--state", str(state)
    )
    assert not [row for row in pq.read_table(out).to_pylist() if person.nsid in row["page"]]
    assert report["rows_out"] == sum(person.nsid not in page for page in table["page"].to_pylist())


def test_python_masks_urls_in_other_spellings(state: Path, person: Person) -> None:
    photo = person.photos[0]
    mask = byline.Feed.open(state).mask(
        [
            f"HTTP://LIVE.staticflickr.com:80/65535/{photo}_{secret(photo)}_n.jpg#x",
            "https://example.org/somebody-else.jpg",
        ]
    )
    assert mask.tolist() == [False, True]


def test_withdrawing_brings_the_rows_back(
    registry: Registry, datasets: list[DemoDataset], tmp_path: Path
) -> None:
    other = cast()[9]
    opt_out, token = registry.opt_out(f"flickr:{other.nsid}")
    registry.wait_for_feed(opt_out, token)
    registry.byline("opt-out", "withdraw", opt_out, "--token", token)
    for _ in range(100):
        registry.byline("sync", "--state", str(tmp_path / "state"))
        out = tmp_path / "out.parquet"
        registry.byline("filter", str(datasets[0].file), "-o", str(out), "--state", str(tmp_path / "state"))
        if any(other.nsid in page for page in pq.read_table(out)["page"].to_pylist()):
            return
    raise AssertionError("the rows never came back")
