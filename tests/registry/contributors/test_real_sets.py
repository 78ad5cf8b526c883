"""Facts about real datasets that finding must hold to; skipped where they are not beside the checkout."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from registry.models import AliasLink, Contributor, ContributorCount, ContributorName, Dataset, Manifest
from tests.registry.contributors.reading_room import Room, room_in
from tests.registry.publishing.desk import records

FIELDS = {
    "url": "item_url",
    "landing_url": "landing_url",
    "creator_name": "contributor_name",
    "creator_url": "contributor_url",
    "license": "licence_raw",
    "title": "title",
    "item_id": "source_id",
}
SETS = ("tf_flowers", "coco_val2017", "openverse_multiprovider_1899")


@pytest.fixture(scope="module")
def library(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with room_in(tmp_path_factory.mktemp("library")) as room:
        for name in SETS:
            with gzip.open(shared / name / "normalized.csv.gz", "rt", encoding="utf-8") as file:
                rows = [
                    {field: row[column] or None for field, column in FIELDS.items()}
                    for row in csv.DictReader(file)
                ]
            room.publish_table(f"dev/{name.replace('_', '-')}", records(*rows))
        yield room


def makers(room: Room, dataset: str) -> Counter[str]:
    statement = (
        select(Contributor.kind, func.count())
        .join(ContributorCount, ContributorCount.contributor_id == Contributor.id)
        .join(Manifest, Manifest.id == ContributorCount.manifest_id)
        .join(Dataset, Dataset.id == Manifest.dataset_id)
        .where(Dataset.name == dataset.partition("/")[2])
        .group_by(Contributor.kind)
    )
    with room.registry.sessions() as session:
        return Counter({row[0]: row[1] for row in session.execute(statement)})


def test_tf_flowers_knows_1321_makers_by_alias_and_213_by_number_and_links_none(library: Room) -> None:
    with library.registry.sessions() as session:
        links = session.scalar(select(func.count()).select_from(AliasLink))
    assert (makers(library, "dev/tf-flowers"), links) == ({"alias": 1321, "number": 213}, 0)


def test_an_alias_nowhere_linked_is_undecided_where_numbers_are_known(library: Room) -> None:
    assert set(library.answers("flickr:nobody-at-all-here").values()) == {"cannot-tell"}


def test_a_photo_of_coco_is_found_through_its_owner_in_flowers(library: Room) -> None:
    assert library.answers("14863785@N03") | {"dev/openverse-multiprovider-1899": ""} == {
        "dev/tf-flowers": "yes",
        "dev/coco-val2017": "yes",
        "dev/openverse-multiprovider-1899": "",
    }


@pytest.mark.parametrize(
    "text",
    [
        "https://www.flickr.com/photos/14863785@N03/3072908271/",
        "http://farm4.staticflickr.com/3185/3072908271_08764c732a_z.jpg",
        "http://images.cocodataset.org/val2017/000000578922.jpg",
    ],
)
def test_that_photo_is_found_by_every_link_of_it(library: Room, text: str) -> None:
    assert library.answers(text)["dev/coco-val2017"] in {"yes", "cannot-tell"}
    if "flickr" in text:
        assert (library.answers(text)["dev/coco-val2017"], library.answers(text)["dev/tf-flowers"]) == (
            "yes",
            "yes",
        )


def test_many_named_rows_carry_no_identity_and_each_dataset_keeps_its_own(library: Room) -> None:
    local = makers(library, "dev/openverse-multiprovider-1899")
    assert local["name"] > 150
    with library.registry.sessions() as session:
        own = session.scalar(
            select(func.count()).where(Contributor.kind == "name", Contributor.dataset_id.is_(None))
        )
    assert own == 0


def test_no_two_platform_ids_are_merged(library: Room) -> None:
    with library.registry.sessions() as session:
        merged = session.scalar(select(func.count()).where(Contributor.root_id != Contributor.id))
    assert merged == 0


def test_every_name_finds_its_makers(library: Room) -> None:
    with library.registry.sessions() as session:
        names = session.execute(
            select(ContributorName.name, Contributor.public_id)
            .join(Contributor, Contributor.id == ContributorName.contributor_id)
            .order_by(ContributorName.contributor_id)
        ).all()[::40]
    missed = [
        name
        for name, wanted in names
        if wanted not in {item["contributor"]["id"] for item in library.search(name, limit=20)["items"]}
    ]
    assert (missed, len(names) > 50) == ([], True)
