from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from byline.client import publish
from byline.client.api import Registry
from byline.client.transport import Retry, Transport
from byline.errors import Conflict, Refused, Unavailable

DATA = bytes(range(256)) * 100


class Receiver:
    """The registry's side of an upload; it keeps what came, and can lose answers."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.digest: str | None = None
        self.lose_answers = 0
        self.states: Iterator[dict[str, Any]] = iter([])

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"id": "s1", **next(self.states)})
        found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", request.headers["Content-Range"])
        assert found
        start, end, total = map(int, found.groups())
        assert (request.url.path, total, end) == (
            "/v1/submissions/s1/extract/0",
            len(DATA),
            start + len(request.content) - 1,
        )
        if start != len(self.received):
            return httpx.Response(
                409, json={"code": "wrong-offset", "details": {"received": len(self.received)}}
            )
        self.received += request.content
        self.digest = request.headers.get("Content-Digest", self.digest)
        if self.lose_answers:
            self.lose_answers -= 1
            raise httpx.ReadTimeout("lost", request=request)
        return httpx.Response(200, json={"received": len(self.received)})


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def registry(receiver: Receiver) -> Iterator[Registry]:
    with Transport(
        "http://registry.test", transport=httpx.MockTransport(receiver), retry=Retry(sleep=lambda _: None)
    ) as transport:
        yield Registry(transport)


@pytest.fixture
def extract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(publish, "BLOCK", 10_000)
    path = tmp_path / "extract.parquet"
    path.write_bytes(DATA)
    return path


def quiet(_: str) -> None:
    """Nobody reads progress here."""


def awaiting(received: int) -> dict[str, Any]:
    """A submission that awaits its only part from here on."""
    return {"id": "s1", "awaits": [{"part": 0, "received": received}]}


def test_an_extract_goes_up_block_by_block_with_its_digest(
    registry: Registry, receiver: Receiver, extract: Path
) -> None:
    publish.upload(registry, awaiting(0), [extract], say=quiet)
    assert bytes(receiver.received) == DATA
    assert receiver.digest == f"sha-256=:{base64.b64encode(hashlib.sha256(DATA).digest()).decode()}:"


def test_an_upload_goes_on_where_it_stopped(registry: Registry, receiver: Receiver, extract: Path) -> None:
    receiver.received += DATA[:12_345]
    publish.upload(registry, awaiting(12_345), [extract], say=quiet)
    assert bytes(receiver.received) == DATA


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_lost_answer_is_not_a_second_block(
    lost: int, registry: Registry, receiver: Receiver, extract: Path
) -> None:
    receiver.lose_answers = lost
    publish.upload(registry, awaiting(0), [extract], say=quiet)
    assert bytes(receiver.received) == DATA


def test_a_registry_that_goes_in_circles_is_left(
    registry: Registry, receiver: Receiver, extract: Path
) -> None:
    class Forgetful(bytearray):
        def __len__(self) -> int:
            return 0

    receiver.received = Forgetful()
    with pytest.raises(Conflict):
        publish.upload(registry, awaiting(0), [extract], say=quiet)


def test_nothing_is_sent_that_is_not_awaited(registry: Registry, receiver: Receiver, extract: Path) -> None:
    publish.upload(registry, {"id": "s1", "awaits": []}, [extract], say=quiet)
    assert not receiver.received


def test_a_part_nobody_made_is_said(registry: Registry, extract: Path) -> None:
    with pytest.raises(Conflict) as caught:
        publish.upload(registry, {"id": "s1", "awaits": [{"part": 1, "received": 0}]}, [extract], say=quiet)
    assert caught.value.code == "too-few-parts"


def test_waiting_ends_when_it_is_published_and_tells_each_step_once(
    registry: Registry, receiver: Receiver
) -> None:
    step = {"step": "read", "done": 1000, "total": 2000}
    receiver.states = iter(
        [
            {"state": "received"},
            {"state": "received", "progress": step},
            {"state": "received", "progress": step},
            {"state": "published", "digest": "d"},
        ]
    )
    told: list[str] = []
    found = publish.wait(registry, "s1", say=told.append, seconds=60, sleep=lambda _: None)
    assert found["digest"] == "d"
    assert told == ["received", "received: read 1,000 of 2,000", "published"]


def test_a_refusal_says_the_first_error_and_carries_all(registry: Registry, receiver: Receiver) -> None:
    errors = [
        {"code": "bad-url", "file": "a.csv", "row": 7, "column": "url", "reason": "not a URL"},
        {"code": "x"},
    ]
    receiver.states = iter([{"state": "refused", "errors": errors}])
    with pytest.raises(Refused) as caught:
        publish.wait(registry, "s1", say=quiet, seconds=60, sleep=lambda _: None)
    assert (caught.value.code, caught.value.message, caught.value.details) == ("bad-url", "not a URL", errors)


def test_waiting_has_an_end(registry: Registry, receiver: Receiver) -> None:
    receiver.states = iter(lambda: {"state": "received"}, None)
    with pytest.raises(Unavailable) as caught:
        publish.wait(registry, "s1", say=quiet, seconds=5, sleep=lambda _: None)
    assert caught.value.code == "still-working"


def test_the_progress_of_an_upload_is_told(registry: Registry, extract: Path) -> None:
    told: list[str] = []
    say: Callable[[str], None] = told.append
    publish.upload(registry, awaiting(0), [extract], say=say)
    assert told[-1] == f"sent {len(DATA):,} of {len(DATA):,} bytes"
    assert json.dumps(told)
