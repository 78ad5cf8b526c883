"""The person sees everything, everybody else datasets and dates; the public sees counts of ten and more."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from byline.errors import NotFound, Untrusted
from registry.models import Notice
from registry.optouts.notices import notice_counts
from registry.optouts.status import opt_outs_of, status
from tests.registry.optouts.small_registry import Line, SmallRegistry, static

OWNER = "flickr:11@N00"
OWNED = Line(makers=(OWNER,), photos=("flickr:101",), url=static(101))


def seen(here: SmallRegistry, asked: str, token: str | None = None) -> dict[str, Any]:
    with here.sessions() as session:
        return status(session, opt_out_id=asked, token=token)


def counts(here: SmallRegistry, dataset: str) -> dict[str, Any]:
    with here.sessions() as session:
        return notice_counts(session, dataset=dataset)


def test_the_person_sees_what_they_asked(here: SmallRegistry) -> None:
    asked, token = here.opt_out(OWNER, categories=["train-other"])
    found = seen(here, asked, token)
    shown = ("state", "assurance", "relation", "selectors", "categories", "remove_existing")
    assert [found[name] for name in shown] == [
        "in-force",
        "verified",
        "maker",
        [{"kind": "maker", "value": OWNER}],
        ["train-other"],
        True,
    ]


def test_the_person_sees_each_dataset_its_versions_and_on_whose_word(here: SmallRegistry) -> None:
    here.publish("museum/a", "1", [OWNED])
    here.publish("museum/a", "2", [OWNED, OWNED])
    here.publish("archive/b", "1", [Line(photos=("flickr:101",), url=static(101))])
    asked, token = here.opt_out(OWNER)
    shown = ("dataset", "versions", "records", "state", "by")
    assert [[one[name] for name in shown] for one in seen(here, asked, token)["datasets"]] == [
        ["archive/b", ["1"], 1, "pending", ["museum/a@1", "museum/a@2"]],
        ["museum/a", ["1", "2"], 2, "pending", ["museum/a@1", "museum/a@2"]],
    ]


def test_a_dataset_of_an_unapproved_publisher_is_shown_as_not_asked(here: SmallRegistry) -> None:
    here.publish("stranger/bait", "1", [OWNED])
    asked, token = here.opt_out(OWNER)
    [one] = seen(here, asked, token)["datasets"]
    assert (one["dataset"], one["records"], one["state"]) == ("stranger/bait", 1, "publisher-not-approved")


def test_when_its_publisher_is_approved_it_is_asked(here: SmallRegistry) -> None:
    here.publish("stranger/bait", "1", [OWNED])
    asked, token = here.opt_out(OWNER)
    here.set_standing(3, approved=True)
    assert [one["state"] for one in seen(here, asked, token)["datasets"]] == ["pending"]


def test_when_it_is_suspended_its_notice_is_withdrawn(here: SmallRegistry) -> None:
    here.publish("museum/a", "1", [OWNED])
    asked, token = here.opt_out(OWNER)
    here.set_standing(1, approved=True, suspended=True)
    with here.sessions() as session:
        states = session.scalars(select(Notice.state)).all()
    shown = [one["state"] for one in seen(here, asked, token)["datasets"]]
    assert (states, shown) == (["withdrawn"], ["publisher-not-approved"])


def test_a_conflict_is_shown_to_the_publisher_as_asserted(here: SmallRegistry) -> None:
    here.publish("museum/a", "1", [OWNED])
    here.publish("archive/b", "1", [Line(makers=("flickr:22@N00",), photos=("flickr:101",))])
    asked, token = here.opt_out(OWNER)
    said = {one["dataset"]: one["assurance"] for one in seen(here, asked, token)["datasets"]}
    assert said == {"museum/a": "verified", "archive/b": "asserted"}


def test_without_a_token_nothing_tells_who(here: SmallRegistry) -> None:
    here.publish("museum/a", "1", [OWNED])
    asked, _ = here.opt_out(OWNER)
    found = seen(here, asked)
    assert set(found) == {"id", "state", "datasets"}
    assert set(found["datasets"][0]) == {"dataset", "state", "sent_at", "answer_by"}
    assert "11@N00" not in json.dumps(found)


def test_without_a_token_nothing_is_said_of_who_is_pictured(here: SmallRegistry) -> None:
    here.publish("museum/a", "1", [OWNED])
    asked, _ = here.opt_out_items(static(101), relation="pictured", datasets=["museum/a"])
    assert seen(here, asked)["datasets"] == []


def test_a_wrong_token_sees_nothing(here: SmallRegistry) -> None:
    asked, _ = here.opt_out(OWNER)
    with pytest.raises(Untrusted, match="does not open"):
        seen(here, asked, "guess")


def test_an_unknown_id_is_not_found(here: SmallRegistry) -> None:
    with pytest.raises(NotFound):
        seen(here, "0" * 32)


def test_a_claim_lists_the_opt_outs_that_stand_on_it(here: SmallRegistry) -> None:
    claim = here.claim(OWNER)
    made = {here.ask(claims=[claim])["id"], here.ask(claims=[claim], categories=["ai-search"])["id"]}
    here.ask(claims=[here.claim("flickr:22@N00")])
    with here.sessions() as session:
        found = opt_outs_of(session, claim_id=claim["id"], token=claim["token"])
    assert {one["id"] for one in found} == made


def test_a_pictured_wish_reaches_only_the_datasets_it_names(here: SmallRegistry) -> None:
    here.publish("museum/a", "1", [OWNED])
    here.publish("archive/b", "1", [OWNED])
    asked, token = here.opt_out_items(static(101), relation="pictured", datasets=["archive/b"])
    assert [one["dataset"] for one in seen(here, asked, token)["datasets"]] == ["archive/b"]


def test_fewer_than_ten_notices_read_less_than_ten(here: SmallRegistry) -> None:
    here.publish("museum/a", "1", [OWNED])
    none = counts(here, "museum/a")
    for _ in range(9):
        here.opt_out(OWNER)
    assert (
        counts(here, "museum/a")
        == none
        == {
            "dataset": "museum/a",
            "total": "<10",
            "counts": {},
            "observed": "<10",
        }
    )


def test_ten_are_counted(here: SmallRegistry) -> None:
    here.publish("museum/a", "1", [OWNED])
    for _ in range(10):
        here.opt_out(OWNER)
    assert counts(here, "museum/a") == {
        "dataset": "museum/a",
        "total": 10,
        "counts": {"pending": 10},
        "observed": "<10",
    }


def test_notices_of_an_observed_dataset_are_counted_apart(here: SmallRegistry) -> None:
    here.publish("museum/a", "1", [OWNED], role="observer")
    for _ in range(10):
        here.opt_out(OWNER)
    assert counts(here, "museum/a") == {"dataset": "museum/a", "total": "<10", "counts": {}, "observed": 10}


def test_an_unapproved_publishers_dataset_has_no_counts(here: SmallRegistry) -> None:
    here.publish("stranger/bait", "1", [OWNED])
    with pytest.raises(NotFound):
        counts(here, "stranger/bait")
