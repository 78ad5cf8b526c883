"""The same journeys on real metadata, where it lies beside the checkout: seven sets, one by an observer."""

from __future__ import annotations

import csv
import gzip
import random
from pathlib import Path
from typing import Any

import pytest

from tests.flows.conftest import Registry

MAPPING = {
    "url": "item_url",
    "landing_url": "landing_url",
    "creator_name": "contributor_name",
    "creator_url": "contributor_url",
    "creator_id": "contributor_handle",
    "license": "licence_raw",
    "title": "title",
    "item_id": "source_id",
}
SETS = {
    "flowers/tf-flowers": "tf_flowers", "openverse/multiprovider": "openverse_multiprovider_1899",
    "openverse/behance": "openverse_behance_1000", "openverse/met": "openverse_met_1000",
    "picsum/unsplash": "picsum_unsplash", "tate/collection": "tate",
}  # fmt: skip
SHARED_PHOTO = "3072908271"  # stands in tf_flowers with its owner, in coco_val2017 as a static URL only


def rows_of(path: Path) -> list[dict[str, str]]:
    """A normalised CSV as rows."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


@pytest.fixture(scope="module")
def files(shared: Path) -> dict[str, Path]:
    """The registered files."""
    named = {ref: shared / folder / "normalized.csv.gz" for ref, folder in SETS.items()}
    return {**named, "watchers/coco-val2017": shared / "coco_val2017" / "normalized.csv.gz"}


@pytest.fixture(scope="module")
def published(registry: Registry, files: dict[str, Path]) -> dict[str, Any]:
    """All seven, published; COCO by an observer."""
    answers = {}
    for ref, path in files.items():
        extra = ("--role", "observer") if ref.startswith("watchers/") else ()
        answers[ref] = registry.publish(
            ref, "1.0.0", path, mapping=MAPPING, extra=(*extra, "--on-bad-rows", "skip")
        )
    return answers


@pytest.fixture(scope="module")
def owner(files: dict[str, Path]) -> str:
    """The handle tf_flowers gives the maker of the shared photo."""
    rows = rows_of(files["flowers/tf-flowers"])
    return next(row["contributor_handle"] for row in rows if SHARED_PHOTO in row["landing_url"])


@pytest.fixture(scope="module")
def opted_out(registry: Registry, published: dict[str, Any], owner: str) -> tuple[str, str]:
    """The owner of the shared photo opts out."""
    assert published
    return registry.opt_out(f"flickr:{owner}")


@pytest.fixture(scope="module")
def state(registry: Registry, opted_out: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synced feed that covers it."""
    registry.wait_for_feed(*opted_out)
    folder = tmp_path_factory.mktemp("state")
    registry.byline("sync", "--state", str(folder))
    return folder


def test_every_real_dataset_is_published(published: dict[str, Any]) -> None:
    assert {answer["state"] for answer in published.values()} == {"published"}


def test_the_owner_is_found_by_the_photo_in_both_datasets(
    registry: Registry, published: dict[str, Any]
) -> None:
    assert published
    answer = registry.byline("lookup", f"https://www.flickr.com/photo.gne?id={SHARED_PHOTO}")
    yes = {item["dataset"] for item in answer["items"] if item["answer"] == "yes"}
    assert yes == {"flowers/tf-flowers", "watchers/coco-val2017"}


def test_the_opt_out_travels_through_the_photo(registry: Registry, opted_out: tuple[str, str]) -> None:
    status = registry.wait_for_feed(*opted_out)
    assert {"flowers/tf-flowers", "watchers/coco-val2017"} <= {item["dataset"] for item in status["datasets"]}


def test_exactly_the_owners_rows_leave_the_registered_file(
    registry: Registry, state: Path, files: dict[str, Path], owner: str, tmp_path: Path
) -> None:
    out = tmp_path / "out.csv.gz"
    registry.byline("filter", str(files["flowers/tf-flowers"]), "-o", str(out), "--state", str(state))
    expected = [row for row in rows_of(files["flowers/tf-flowers"]) if row["contributor_handle"] != owner]
    assert rows_of(out) == expected


def test_exactly_the_shared_photo_leaves_the_dataset_that_names_nobody(
    registry: Registry, state: Path, files: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out.csv.gz"
    registry.byline(
        "filter",
        str(files["watchers/coco-val2017"]),
        "-o",
        str(out),
        "--state",
        str(state),
        "--dataset",
        "watchers/coco-val2017@1.0.0",
    )
    before = rows_of(files["watchers/coco-val2017"])
    assert rows_of(out) == [row for row in before if SHARED_PHOTO not in row["landing_url"]]


def test_a_shuffled_copy_in_other_spellings_loses_what_a_fingerprint_expresses(
    registry: Registry, state: Path, files: dict[str, Path], tmp_path: Path
) -> None:
    rows = rows_of(files["watchers/coco-val2017"])
    random.Random(3).shuffle(rows)  # noqa: S311
    copy = tmp_path / "copy.csv"
    with copy.open("w", newline="", encoding="utf-8") as sink:
        writer = csv.DictWriter(sink, ["flickr_url"])
        writer.writeheader()
        writer.writerows(
            {"flickr_url": row["landing_url"].replace("http://farm", "HTTPS://FARM") + "#x"} for row in rows
        )
    out = tmp_path / "out.csv"
    report = registry.byline("filter", str(copy), "-o", str(out), "--state", str(state))
    assert report["rows_in"] - report["rows_out"] == 1
    assert SHARED_PHOTO not in out.read_text()


@pytest.mark.parametrize(
    "form", ["{name}", "{typo}", "flickr:{handle}", "https://www.flickr.com/photos/{handle}/"]
)
def test_one_person_is_found_in_every_form(
    form: str, registry: Registry, published: dict[str, Any], files: dict[str, Path]
) -> None:
    assert published
    person = max(
        rows_of(files["flowers/tf-flowers"]),
        key=lambda row: (
            len(row["contributor_name"])
            * ("@" in row["contributor_handle"])
            * row["contributor_name"].replace(" ", "").isalpha()
        ),
    )
    name, handle = person["contributor_name"], person["contributor_handle"]
    text = form.format(name=name, handle=handle, typo=name[:3] + name[4:])
    found = registry.byline("search", text)["items"]
    assert handle in {item["contributor"]["platform_id"] for item in found}


def test_an_alias_nobody_linked_cannot_be_told_where_only_numbers_stand(
    registry: Registry, published: dict[str, Any], files: dict[str, Path]
) -> None:
    assert published
    alias = next(
        row["contributor_handle"]
        for row in rows_of(files["flowers/tf-flowers"])
        if row["contributor_handle"].isalpha()
    )
    answer = registry.byline("lookup", f"flickr:{alias}")
    by_dataset = {item["dataset"]: item["answer"] for item in answer["items"]}
    assert answer["answer"] == "yes"
    assert by_dataset["watchers/coco-val2017"] == "cannot-tell"
