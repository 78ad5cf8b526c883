"""Small doors to the feed: what changed, is this in it, and the same without telling what."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from byline.formats.ranges import hex_of
from byline.formats.selectors import fingerprint
from registry.database import transaction
from registry.feed.build import build_feed
from registry.feed.present import read_present
from registry.models import Fingerprint, OptOut
from tests.api.world import STATIC, World

FS = fingerprint("fs", "3072908271_abcdef0123")
DIGEST = "ab" * 32
NDJSON = "application/x-ndjson"


def opt_out(world: World, *keys: tuple[str, int], categories: int = 31) -> str:
    """An opt-out in force whose fingerprints are these: what the matcher leaves."""
    here = world.runtime
    id_ = f"{sum(k for _, k in keys):032x}"[-32:]
    with transaction(here.sessions) as session:
        session.add(
            OptOut(
                id=id_, state="in-force", relation="maker", assurance="verified", categories=categories, scope="all",
                vocabulary=[], salt=b"", commitment=id_ * 2, made_at=here.clock(), matched_at=here.clock(),
            )
        )  # fmt: skip
        session.flush()
        session.add_all(Fingerprint(opt_out_id=id_, kind=kind, k=k) for kind, k in keys)
    return id_


def build(world: World) -> int:
    here = world.runtime
    padding = here.seal.derive("feed padding")
    head = build_feed(
        here.sessions, store=here.store, log_key=here.log_key, padding_key=padding, settings=here.settings, now=here.clock()
    )  # fmt: skip
    assert head is not None
    return head.seq


def ask(world: World, *lines: object) -> list[dict[str, Any]]:
    body = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    answer = world.client.post("/v1/check", data=body, content_type=NDJSON)
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == NDJSON
    return [json.loads(line) for line in answer.text.splitlines()]


@pytest.fixture
def asked(world: World) -> World:
    """One Flickr file, one digest (generative training only) and one host are in the feed."""
    opt_out(world, ("fs", FS))
    opt_out(world, ("sha256", fingerprint("sha256", DIGEST)), categories=1)
    opt_out(world, ("h", fingerprint("h", "jane.example.com")), categories=16)
    build(world)
    return world


def test_each_line_gets_its_answer_and_the_last_says_which_feed_was_asked(asked: World) -> None:
    *answers, last = ask(
        asked, json.dumps(STATIC), {"url": STATIC.replace("_b", "_z")}, {"sha256": DIGEST.upper()},
        {"url": "https://img.jane.example.com/1.jpg"}, {"url": "https://example.org/other.jpg"},
    )  # fmt: skip
    everything = ["train-generative", "train-other", "data-mining", "ai-search", "remove-existing"]
    assert answers == [
        {"answer": "opted-out", "by": ["fs"], "categories": everything},
        {"answer": "opted-out", "by": ["fs"], "categories": everything},
        {"answer": "opted-out", "by": ["sha256"], "categories": ["train-generative"]},
        {"answer": "opted-out", "by": ["h"], "categories": ["remove-existing"]},
        {"answer": "not-in-feed"},
    ]
    assert last["feed"]["seq"] == read_present(asked.runtime.store).head.seq
    assert set(last["coverage"]) >= {"opt_outs", "as_fingerprints", "rows_only"}


@pytest.mark.parametrize(
    "line",
    ["", "not json", "{", "3", "null", "[]", "{}", '{"url": 3}', '{"sha256": "ab"}', '{"url": "mailto:x"}', '"\\ud800"',
     '{"url": "https://example.org/", "name": "x"}', json.dumps("https://example.org/" + "a" * 9_000)],
)  # fmt: skip
def test_what_cannot_be_asked_about_is_no_no(asked: World, line: str) -> None:
    assert ask(asked, line, {"url": STATIC})[0] == {"answer": "cannot-tell"}
    assert ask(asked, line, {"url": STATIC})[1]["answer"] == "opted-out"


def test_ten_thousand_and_more_are_answered_in_order(asked: World) -> None:
    urls = [f"https://cdn.example.net/{at}.jpg" for at in range(12_000)]
    urls[11_000] = STATIC
    *answers, _ = ask(asked, *(json.dumps(url) for url in urls))
    assert [at for at, one in enumerate(answers) if one["answer"] == "opted-out"] == [11_000]
    assert len(answers) == 12_000


def test_nothing_asked_is_only_told_which_feed(asked: World) -> None:
    assert len(ask(asked)) == 1


def test_plain_lines_are_urls(asked: World) -> None:
    answer = asked.client.post(
        "/v1/check", data=f"{STATIC}\r\nhttps://example.org/\n\n", content_type="text/plain"
    )
    found = [json.loads(line).get("answer") for line in answer.text.splitlines()]
    assert found == ["opted-out", "not-in-feed", "cannot-tell", None]


def test_too_much_at_once_is_refused(asked: World) -> None:
    many = asked.client.post("/v1/check", data=b'""\n' * 100_001, content_type=NDJSON)
    large = asked.client.post("/v1/check", data=b" " * ((16 << 20) + 1), content_type=NDJSON)
    assert (many.status_code, many.get_json()["code"]) == (413, "too-many-lines")
    assert (large.status_code, large.get_json()["code"]) == (413, "body-too-large")


def test_lines_say_that_they_are_lines(asked: World) -> None:
    assert asked.client.post("/v1/check", data=b"{}", content_type="application/json").status_code == 415


def test_before_the_first_feed_nothing_is_known(client: FlaskClient) -> None:
    answer = client.post("/v1/check", data=b'"x"\n', content_type=NDJSON)
    assert (answer.status_code, answer.get_json()["code"]) == (404, "no-feed-yet")
    assert client.get("/v1/changes?since=0").status_code == 404
    assert client.get("/v1/range/a").status_code == 404


def test_a_range_holds_every_key_that_begins_so_and_at_least_200(asked: World) -> None:
    keys = read_present(asked.runtime.store).keys
    seen: set[str] = set()
    for digit in "0123456789abcdef":
        items = asked.get(f"/v1/range/{digit}")["items"]
        assert len(items) >= 200
        assert len(items) % 64 == 0
        assert all(one["k"].startswith(digit) for one in items)
        assert [one["k"] for one in items] == sorted(one["k"] for one in items)
        seen |= {one["k"] for one in items if one["c"]}
    assert seen == {hex_of(int(k)) for k in keys.k}


@pytest.mark.parametrize("prefix", ["b3", "000000000000000"])
def test_a_longer_prefix_that_would_tell_more_is_refused_with_the_right_length(
    asked: World, prefix: str
) -> None:
    answer = asked.client.get(f"/v1/range/{prefix}").get_json()
    assert (answer["code"], answer["details"]) == ("wrong-prefix-length", {"digits": 1})


@pytest.mark.parametrize("prefix", ["", "g", "B", "0" * 16, "%00"])
def test_what_is_no_prefix_leads_nowhere(asked: World, prefix: str) -> None:
    assert asked.client.get(f"/v1/range/{prefix}").status_code == 404


def test_changes_come_page_by_page_and_a_new_head_between_does_not_mix_in(asked: World) -> None:
    first = build_next(asked, "1111111111_abcdef0123")
    page = asked.get(f"/v1/changes?since={first - 1}&limit=10")
    build_next(asked, "2222222222_abcdef0123")
    found = list(page["items"])
    while page["next"]:
        page = asked.get(f"/v1/changes?since={first - 1}&limit=10&cursor={page['next']}")
        assert page["seq"] == first
        found += page["items"]
    k = hex_of(fingerprint("fs", "1111111111_abcdef0123"))
    assert {"k": k, "c": 31} in found
    assert len(found) >= 64
    assert [one["k"] for one in found] == sorted({one["k"] for one in found})


def test_what_was_taken_back_comes_as_a_key_with_nothing(asked: World) -> None:
    seq = read_present(asked.runtime.store).head.seq
    with transaction(asked.runtime.sessions) as session:
        session.get_one(OptOut, f"{FS:032x}").state = "withdrawn"
    assert build(asked) == seq + 1
    assert asked.get(f"/v1/changes?since={seq}")["items"].count({"k": hex_of(FS), "c": 0}) == 1


def test_who_is_up_to_date_gets_an_empty_page(asked: World) -> None:
    seq = build_next(asked, "1111111111_abcdef0123")
    page = asked.get(f"/v1/changes?since={seq}")
    assert page == {"since": seq, "seq": seq, "items": [], "next": None}


def test_a_head_before_the_kept_ones_is_gone(asked: World) -> None:
    answer = asked.client.get("/v1/changes?since=0")
    assert (answer.status_code, answer.get_json()["code"]) == (410, "changes-too-old")


def test_a_head_of_the_future_is_a_mistake(asked: World) -> None:
    answer = asked.client.get("/v1/changes?since=999")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "since-from-the-future")
    assert answer.get_json()["details"] == {"seq": read_present(asked.runtime.store).head.seq}


@pytest.mark.parametrize("cursor", ["x", "!!", "MS4", "OTk5LjE", "MS4x.", "é"])
def test_a_cursor_that_was_not_given_out_is_refused(asked: World, cursor: str) -> None:
    assert asked.client.get(f"/v1/changes?since=1&cursor={cursor}").status_code == 400


def build_next(world: World, static: str) -> int:
    opt_out(world, ("fs", fingerprint("fs", static)))
    return build(world)
