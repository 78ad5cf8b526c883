"""`byline check`: the registry is asked by prefix, and never learns what was meant."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import numpy as np
import pytest
from click.testing import CliRunner

from byline.cli.app import byline
from byline.client import private_check
from byline.client.transport import Retry, Transport
from byline.errors import Refused, Untrusted
from byline.formats.categories import TRAIN_GENERATIVE, TRAIN_OTHER
from byline.formats.keyset import KeySet
from byline.formats.ranges import bucket, digits_for, hex_of, padding
from byline.formats.selectors import fingerprint
from tests.client.served import Served

STATIC = "https://live.staticflickr.com/65535/51234567890_abcdef0123_b.jpg"
DIGEST = "ab" * 32
KEYS = {
    fingerprint("fs", "51234567890_abcdef0123"): TRAIN_GENERATIVE,
    fingerprint("sha256", DIGEST): TRAIN_OTHER,
    fingerprint("h", "jane.example.com"): 31,
}


class Ranged(Served):
    """A registry that has the door."""

    digits: int | None = None
    broken: Any = None

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if not path.startswith("/v1/range/"):
            return super().answer(request)
        self.asked.append(path)
        prefix = path.removeprefix("/v1/range/")
        digits = self.digits or digits_for(len(self.keys.k))
        if len(prefix) != digits:
            problem = {"code": "wrong-prefix-length", "status": 422, "details": {"digits": digits}}
            return httpx.Response(422, json=problem)
        real = bucket(self.keys, prefix)
        filling = [{"k": hex_of(int(k)), "c": 0} for k in padding(prefix, len(real.k))]
        items = [{"k": hex_of(int(k)), "c": int(c)} for k, c in zip(*real, strict=True)]
        return httpx.Response(200, json={"items": self.broken or [*items, *filling]})


@pytest.fixture
def served() -> Ranged:
    made = Ranged()
    made.publish(KEYS, hosts=1)
    return made


def asked(served: Ranged, *what: str, bits: int = 31) -> list[dict[str, Any]]:
    retry = Retry(attempts=1, sleep=lambda _: None)
    with Transport("http://test", transport=httpx.MockTransport(served.answer), retry=retry) as transport:
        found: list[dict[str, Any]] = private_check.check(transport, what, bits=bits)["items"]
    return found


def test_each_is_answered(served: Ranged) -> None:
    found = asked(
        served, STATIC, f"sha256:{DIGEST}", "https://img.jane.example.com/1.jpg", "https://example.org/", "?"
    )
    assert [one["answer"] for one in found] == [
        "opted-out",
        "opted-out",
        "opted-out",
        "not-in-feed",
        "cannot-tell",
    ]
    assert [one.get("by") for one in found] == [["fs"], ["sha256"], ["h"], None, None]


def test_a_use_nobody_objected_to_is_not_in_the_feed(served: Ranged) -> None:
    assert [one["answer"] for one in asked(served, STATIC, DIGEST, bits=TRAIN_OTHER)] == [
        "not-in-feed",
        "opted-out",
    ]


def test_the_registry_sees_prefixes_and_nothing_else(served: Ranged) -> None:
    asked(served, STATIC, DIGEST)
    assert len(served.asked) > 2
    assert all(re.fullmatch(r"/feed/v1/head\.json|/v1/range/[0-9a-f]", path) for path in served.asked)
    assert served.asked[1:] == sorted(served.asked[1:])


def test_a_feed_that_grew_meanwhile_is_asked_again(served: Ranged) -> None:
    served.digits = 2
    assert asked(served, STATIC)[0]["answer"] == "opted-out"


def test_a_registry_that_wants_whole_fingerprints_is_told_nothing_more(served: Ranged) -> None:
    served.digits = 15
    with pytest.raises(Untrusted) as caught:
        asked(served, STATIC)
    assert caught.value.code == "prefix-tells-too-much"
    assert all(len(path) <= len("/v1/range/a") for path in served.asked if "range" in path)


@pytest.mark.parametrize(
    "items", [{"k": 1}, [1], [{"k": "x", "c": 1}], [{"k": "0" * 15, "c": 99}], [{"k": "0" * 15}]]
)
def test_an_answer_that_is_none_is_not_believed(served: Ranged, items: Any) -> None:
    served.broken = items
    with pytest.raises(Untrusted):
        asked(served, STATIC)


def test_many_are_sent_to_the_filter(served: Ranged) -> None:
    with pytest.raises(Refused) as caught:
        asked(served, *["x"] * 257)
    assert caught.value.code == "too-many-to-ask"


def test_the_command_exits_1_where_something_is_opted_out(
    served: Ranged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "byline.client.transport.Transport",
        lambda _: Transport("http://test", transport=httpx.MockTransport(served.answer)),
    )
    free = CliRunner().invoke(byline, ["check", "https://example.org/", "--json"])
    taken = CliRunner().invoke(byline, ["check", "-"], input=f"{STATIC}\n\n")
    assert (free.exit_code, json.loads(free.stdout)["items"][0]["answer"]) == (0, "not-in-feed")
    assert taken.exit_code == 1
    assert f"{STATIC}: opted out of train-generative" in taken.stdout


@pytest.mark.parametrize(
    ("keys", "digits"), [(0, 1), (1_024, 1), (51_199, 1), (51_200, 2), (10_000_000, 3), (10**9, 5)]
)
def test_a_bucket_holds_two_hundred_on_average(keys: int, digits: int) -> None:
    assert digits_for(keys) == digits


@pytest.mark.parametrize("real", [0, 1, 199, 256, 257, 5_000])
def test_padding_fills_up_to_a_multiple_of_64_above_200_and_is_no_key(real: int) -> None:
    filling = padding("a3", real)
    assert (real + len(filling)) % 64 == 0
    assert real + len(filling) >= 200
    assert all(hex_of(int(k)).startswith("a3") for k in filling)


def test_buckets_of_all_prefixes_are_the_whole_set() -> None:
    k = np.sort(np.random.default_rng(1).integers(0, 1 << 60, 3_000))
    keys = KeySet(k, np.ones(len(k), np.uint8))
    found = np.concatenate([bucket(keys, f"{at:02x}").k for at in range(256)])
    assert (found == k).all()
