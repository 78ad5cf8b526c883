"""A publisher withholds who its makers are: the commands, from a key that is made to rows that are filtered."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from byline.client.sources import expand
from byline.formats.records import ReadOptions, read_records
from byline.formats.selectors import record_selectors
from registry.demo.datasets import DemoDataset, cast, write_all
from tests.flows.conftest import Registry


@pytest.fixture(scope="module")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> list[DemoDataset]:
    """Who made which photo; and the photos alone, in other sizes."""
    return write_all(tmp_path_factory.mktemp("demo"))[:2]


@pytest.fixture(scope="module")
def published(registry: Registry, datasets: list[DemoDataset]) -> tuple[Registry, str]:
    """The first is named, and withheld by somebody else; the second is withheld and names nobody."""
    key = registry.folder / "withheld.key"
    named, photos = datasets
    registry.publish(named.ref, named.version, named.file, mapping=named.mapping, extra=named.options)
    for ref, one in (("harbour-archive/hidden", named), (photos.ref, photos)):
        columns = [word for name, column in one.mapping.items() for word in ("--map", f"{name}={column}")]
        stem, signer = registry.folder / ref.replace("/", "-"), registry.publisher(ref.partition("/")[0])
        where = ("--records", str(one.file), "--withheld", str(key))
        registry.byline(
            "manifest",
            "init",
            "--dataset",
            ref,
            "--version",
            "1",
            *where,
            *columns,
            *one.options,
            "-o",
            f"{stem}.json",
        )
        registry.byline("manifest", "sign", f"{stem}.json", "--key", str(signer), "-o", f"{stem}.dsse.json")
        if one is named:
            refused = registry.byline("publish", f"{stem}.dsse.json", "--records", str(one.file), code=1)
            assert refused["error"]["code"] == "withheld-key"
        registry.byline("publish", f"{stem}.dsse.json", *where, "--wait")
    return registry, named.ref


def rows_of(one: DemoDataset, nsid: str, photos: set[str]) -> list[int]:
    """Rows of a maker's in a file, by their own word or their photo's."""
    [source] = expand([one.file])
    made = []
    options = ReadOptions(format=source.format or "", columns=one.mapping)
    with source.open() as file:
        for batch in read_records(file, options):
            for row in batch.rows.to_pylist():
                found = record_selectors(row, dataset=one.ref)
                if f"flickr:{nsid}" in found.makers or set(found.photos) & photos:
                    made.append(row["row"])
    return made


def test_the_key_is_its_owners_alone_and_draft_and_manifest_show_no_name(
    published: tuple[Registry, str],
) -> None:
    registry, named = published
    key = registry.folder / "withheld.key"
    assert key.stat().st_mode & 0o777 == 0o600
    draft = json.loads((registry.folder / "harbour-archive-hidden.json").read_text())
    shown = registry.get("/v1/datasets/harbour-archive/hidden")
    assert draft["predicate"]["visibility"] == shown["visibility"] == "withheld"
    page = httpx.get(f"{registry.url}/datasets/harbour-archive/hidden", timeout=30).text
    assert "withholds who is in it" in page
    assert "withholds" not in httpx.get(f"{registry.url}/datasets/{named}", timeout=30).text
    names = [person.nsid for person in cast()] + [person.name for person in cast()]
    for text in (json.dumps(draft), json.dumps(shown), page):
        assert not [name for name in names if name in text]


def test_one_opt_out_reaches_named_and_withheld_and_their_rows_are_filtered(
    published: tuple[Registry, str], datasets: list[DemoDataset], tmp_path: Path
) -> None:
    registry, named = published
    person = cast()[0]
    hidden = ["harbour-archive/hidden", datasets[1].ref]
    found = registry.byline("lookup", f"flickr:{person.nsid}")
    answers = {one["dataset"]: one for one in found["items"]}
    photos = {f"flickr:{photo}" for photo in person.photos}
    rows = [rows_of(one, person.nsid, photos) for one in datasets]
    assert [answers[ref]["answer"] for ref in (named, *hidden)] == ["yes"] * 3
    assert [answers[ref]["records"] for ref in hidden] == [len(some) for some in rows]
    assert [answers[ref]["rows"] for ref in hidden] == [[], []]
    by_name = registry.get("/v1/search", params={"q": person.name})["items"]
    assert {one["dataset"] for maker in by_name for one in maker["datasets"]} <= {named}

    asked = registry.opt_out(f"flickr:{person.nsid}")
    status = registry.wait_for_feed(*asked)
    assert {one["dataset"] for one in status["datasets"]} == {named, *hidden}
    registry.wait_until_quiet()
    registry.byline("sync", "--state", str(tmp_path / "feed"))
    for ref, one, gone in zip(hidden, datasets, rows, strict=True):
        out = tmp_path / f"kept{one.file.suffix}"
        words = ("--state", str(tmp_path / "feed"), "--dataset", ref, "--out", str(out))
        report = registry.byline("filter", str(one.file), *words)
        assert report["dropped"] == {"row": len(gone)}, report
        out.unlink()
