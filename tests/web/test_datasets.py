"""A dataset's page: the label, the charts, the versions, the data behind them."""

from __future__ import annotations

import hashlib
import json
from urllib.parse import unquote

import pytest
from sqlalchemy import inspect, select

from byline.client.describe import Said
from registry.database import transaction
from registry.models import Dataset, Manifest
from tests.web.looking import parse, words
from tests.web.world import MARK, World, rows


def _label(page: str) -> dict[str, str]:
    terms = [" ".join(node.text().split()) for node in parse(page).css(".label dt")]
    said = [" ".join(node.text().split()) for node in parse(page).css(".label dd")]
    return dict(zip(terms, said, strict=True))


def test_the_label_answers_eight_questions(seen: World) -> None:
    label = _label(seen.page("/datasets/lab/faces/1.0.0"))
    assert label["What is in it"] == "20 records"
    assert label["From whom"] == "10 makers on Flickr"
    assert label["What for"] == "recognising faces, research"
    assert label["Were they told?"] == label["Did they agree?"] == "No"
    assert label["What was added"] == f"{MARK} (body measures, by machine), skin tone (age, sex or origin)"
    assert label["Who may have it"] == "Researchers only"
    assert label["Can they leave?"] == "If they ask Contact: data@lab.example"


def test_what_is_left_out_reads_not_stated(world: World) -> None:
    world.publish(Said(dataset="lab/silent", version="1"), rows(("A",)))
    label = _label(world.page("/datasets/lab/silent"))
    assert [label[term] for term in ("What for", "Were they told?", "Who may have it")] == ["not stated"] * 3


def test_charts_say_what_the_api_says(seen: World) -> None:
    found = seen.client.get("/v1/datasets/lab/faces").get_json()
    charts = {}
    for table in parse(seen.page("/datasets/lab/faces")).css("table"):
        heads = [node.text() for node in table.css("tbody th")]
        numbers = [int(node.text().replace(",", "")) for node in table.css("tbody td.n:nth-of-type(2)")]
        charts[table.css_first("thead th").text()] = dict(zip(heads, numbers, strict=True))  # type: ignore[union-attr]
    assert charts["Licence"] == found["licenses"]
    assert sum(charts["Platform"].values()) == sum(found["platforms"].values())
    assert sum(charts["Records each"].values()) == found["contributors"] == sum(found["spread"].values())


def test_a_bar_is_as_long_as_its_number_says(seen: World) -> None:
    for table in parse(seen.page("/datasets/lab/faces")).css("table"):
        numbers = [int(node.text().replace(",", "")) for node in table.css("tbody td.n:nth-of-type(2)")]
        widths = [float(node.attributes["width"] or "") for node in table.css("svg rect")]
        assert widths == pytest.approx([100 * number / max(numbers) for number in numbers], abs=0.01)


def test_versions_say_what_changed(seen: World) -> None:
    said = words(seen.page("/datasets/lab/faces"))
    assert "97 more records (117)" in said
    assert "purpose no longer stated: recognising faces" in said
    assert "new added data: species (labels)" in said
    assert "who may have it: researchers only → anybody" in said
    assert "the first one here" in said


def test_an_older_version_says_that_it_is_one(seen: World) -> None:
    assert "The newest is 2.0.0." in words(seen.page("/datasets/lab/faces/1.0.0"))


def test_lineage_is_shown_both_ways(seen: World) -> None:
    child, parent = words(seen.page("/datasets/lab/crops")), words(seen.page("/datasets/lab/faces"))
    assert "lab/faces 2.0.0" in child
    assert "yahoo/yfcc100m (not registered here)" in child
    assert "These say they were made from it: lab/crops 1.0.0 from 2.0.0" in parent
    assert "Byline does not check how a dataset was made" in child


def test_who_has_the_files_can_see_which_rows_went_and_the_page_says_so(seen: World) -> None:
    assert "Whoever already has a dataset’s files can see which rows went" in words(
        seen.page("/datasets/lab/faces")
    )


def test_the_card_for_catalogues_is_json_that_says_the_same(seen: World) -> None:
    block = parse(seen.page("/datasets/lab/faces")).css_first('script[type="application/ld+json"]')
    assert block is not None
    card = json.loads(block.text())
    assert card["@type"] == "Dataset"
    assert card["name"] == f"Faces {MARK}"
    assert card["license"] == ["https://spdx.org/licenses/CC-BY-2.0"]
    assert (
        card["distribution"][0]["sha256"]
        == seen.client.get("/v1/datasets/lab/faces").get_json()["files"][0]["sha256"]
    )
    where = card["subjectOf"]["contentUrl"].partition("/v1/")
    assert seen.client.get("/v1/" + where[2]).content_type.startswith("application/ld+json")


def test_an_observer_is_shown_as_one(world: World) -> None:
    world.publish(Said(dataset="lab/seen", version="1", role="observer"), rows(("A",)))
    page = world.page("/datasets/lab/seen")
    assert "Documented by an observer." in words(page)
    assert '"publisher"' not in page
    assert "documented by an observer" in words(world.page("/datasets"))


def test_a_publisher_page_shows_keys_and_that_nobody_vouches(seen: World) -> None:
    said = words(seen.page("/publishers/lab"))
    assert "Nobody but itself" in said
    assert seen.key.public.key_id in said
    assert "lab/crops" in said


def test_the_letter_has_gaps_and_asks_for_nothing(seen: World) -> None:
    page = seen.page("/in-a-picture/letter?dataset=lab/faces")
    assert "[your name]" in words(page)
    assert parse(page).css("form") == []
    mail = parse(page).css_first('a[href^="mailto:"]')
    assert mail is not None
    assert (mail.attributes["href"] or "").startswith("mailto:data@lab.example?subject=A%20picture%20of%20me")


def test_the_door_of_people_pictured_says_that_faces_are_never_searched(seen: World) -> None:
    said = words(seen.page("/in-a-picture"))
    assert "We cannot search faces, and never will." in said
    assert [
        way for way in ("Find it", "Ask the photographer", "Write to the dataset") if way not in said
    ] == []


def letters(page: str) -> set[str]:
    """Datasets a page leads to a letter to."""
    found = parse(page).css('a[href^="/in-a-picture/letter"]')
    return {unquote(str(one.attributes["href"]).partition("dataset=")[2]) for one in found}


def test_every_dataset_can_be_written_to_page_by_page_and_found_by_words(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {f"lab/{letter}-set" for letter in "abcdefg"}
    _copies(world, names)
    monkeypatch.setattr("web.pages.pictured.AT_ONCE", 3)
    seen: set[str] = set()
    address = "/in-a-picture"
    for _ in range(3):
        page = world.page(address)
        assert len(letters(page)) == 3
        assert not seen & letters(page)
        seen |= letters(page)
        more = [one.attributes["href"] for one in parse(page).css("a") if one.text() == "More datasets"]
        address = str(more[0]) if more else ""
    assert (seen, address) == ({*names, "lab/faces", "lab/crops"}, "")
    assert letters(world.page("/in-a-picture?q=D-SET")) == {"lab/d-set"}
    assert letters(world.page("/in-a-picture?q=crops+lab")) == {"lab/crops"}
    assert letters(world.page("/in-a-picture?q=%25")) == set()
    nothing = words(world.page("/in-a-picture?q=no%00thing+of+that"))
    assert "No dataset here has “ nothing of that ” in its name" in nothing


def test_who_comes_from_a_dataset_has_its_letter_first_and_may_choose_another(seen: World) -> None:
    page = parse(seen.page("/in-a-picture?dataset=lab/crops"))
    first = page.css_first('a[href^="/in-a-picture/letter"]')
    assert first is not None
    assert first.text() == "A letter to lab/crops"
    assert page.css_first('[name="dataset"]').attributes["value"] == "lab/crops"  # type: ignore[union-attr]


def _copies(world: World, names: set[str]) -> None:
    """Datasets that are published, as far as a list of them goes."""
    with transaction(world.runtime.sessions) as session:
        found = session.scalars(select(Manifest).join(Dataset).where(Dataset.name == "crops")).one()
        publisher = session.get_one(Dataset, found.dataset_id).publisher_id
        columns = {
            c.key: getattr(found, c.key) for c in inspect(Manifest).columns if c.key not in ("id", "digest")
        }
        for name in sorted(names):
            one = Dataset(publisher_id=publisher, name=name.partition("/")[2], created_at=found.made_at)
            session.add(one)
            session.flush()
            said = {
                **columns,
                "dataset_id": one.id,
                "title": name,
                "digest": hashlib.sha256(name.encode()).hexdigest(),
            }
            session.add(Manifest(**said))
