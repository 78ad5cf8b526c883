from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterator

import httpx
import pytest

from byline.client.api import Registry
from byline.client.transport import Retry, Transport
from byline.errors import BylineError, Conflict, NotFound, Refused, Unavailable, Untrusted

Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def waits() -> list[float]:
    """The seconds a transport would have slept."""
    return []


@pytest.fixture
def speak(waits: list[float]) -> Iterator[Callable[[Answer], Transport]]:
    """A transport whose network is a function."""
    opened: list[Transport] = []

    def made(answer: Answer) -> Transport:
        transport = Transport(
            "http://registry.test/", transport=httpx.MockTransport(answer), retry=Retry(sleep=waits.append)
        )
        opened.append(transport)
        return transport

    yield made
    for transport in opened:
        transport.close()


Speak = Callable[[Answer], Transport]


def problem(status: int, code: str, **more: object) -> httpx.Response:
    """An RFC 9457 problem as the registry writes it."""
    return httpx.Response(status, json={"status": status, "code": code, "detail": "because", **more})


@pytest.mark.parametrize(
    ("status", "root"),
    [
        (400, Refused),
        (403, Untrusted),
        (404, NotFound),
        (409, Conflict),
        (413, Refused),
        (422, Refused),
        (500, Unavailable),
    ],
)
def test_a_problem_is_the_root_its_status_says(status: int, root: type[BylineError], speak: Speak) -> None:
    transport = speak(lambda _: problem(status, "some-code", at="predicate.role", details={"x": 1}))
    with pytest.raises(root) as caught:
        transport.get("/v1")
    assert (caught.value.code, caught.value.at, caught.value.details) == (
        "some-code",
        "predicate.role",
        {"x": 1},
    )


def test_an_error_page_of_a_proxy_is_an_error_too(speak: Speak) -> None:
    with pytest.raises(Refused) as caught:
        speak(lambda _: httpx.Response(418, html="<h1>no</h1>")).get("/v1")
    assert caught.value.code == "http-418"


def test_what_is_not_there_for_a_moment_is_asked_again(speak: Speak, waits: list[float]) -> None:
    answers = iter(
        [
            problem(503, "busy"),
            httpx.Response(429, headers={"Retry-After": "7"}),
            httpx.Response(200, json={"a": 1}),
        ]
    )
    assert speak(lambda _: next(answers)).get("/v1") == {"a": 1}
    assert waits == [2.0, 7.0]


def test_a_wait_is_never_longer_than_thirty_seconds(speak: Speak, waits: list[float]) -> None:
    answers = iter([httpx.Response(503, headers={"Retry-After": "86400"}), httpx.Response(200, json={})])
    speak(lambda _: next(answers)).get("/v1")
    assert waits == [30.0]


def test_who_does_not_answer_is_unavailable_after_four_tries(speak: Speak, waits: list[float]) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(Unavailable) as caught:
        speak(refuse).get("/v1")
    assert caught.value.code == "unreachable"
    assert len(waits) == 3


def test_a_post_asked_again_is_the_same_act(speak: Speak) -> None:
    keys: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["Idempotency-Key"])
        return problem(503, "busy") if len(keys) == 1 else httpx.Response(200, json={})

    transport = speak(answer)
    transport.post("/v1/claims", {"identity": "x"})
    transport.post("/v1/claims", {"identity": "x"})
    assert keys[0] == keys[1] != keys[2]


def test_a_token_travels_in_a_header_alone(speak: Speak) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert "s3cret" not in str(request.url)
        return httpx.Response(200, json={"seen": request.headers["Authorization"]})

    assert speak(answer).get("/v1/opt-outs/x", token="s3cret") == {"seen": "Bearer s3cret"}


def test_an_answer_beyond_its_limit_is_not_believed(speak: Speak) -> None:
    transport = speak(lambda _: httpx.Response(200, content=b"x" * 11))
    assert transport.fetch("/feed", max_bytes=11) == b"x" * 11
    with pytest.raises(Untrusted) as caught:
        transport.fetch("/feed", max_bytes=10)
    assert caught.value.code == "answer-too-large"


def test_a_limit_counts_what_unfolds(speak: Speak) -> None:
    bomb = gzip.compress(b"0" * (8 << 20))
    transport = speak(lambda _: httpx.Response(200, content=bomb, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(Untrusted):
        transport.fetch("/feed", max_bytes=len(bomb))


@pytest.mark.parametrize("body", [b"{", b'{"a":1,"a":2}', b'{"a":NaN}', b"\xff"])
def test_an_answer_that_is_no_sound_json_is_not_believed(body: bytes, speak: Speak) -> None:
    with pytest.raises(Untrusted) as caught:
        speak(lambda _: httpx.Response(200, content=body)).get("/v1")
    assert caught.value.code == "bad-answer"


def test_a_download_broken_off_begins_again_where_it_began(speak: Speak) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise httpx.ReadError("cable")

    answers = iter([httpx.Response(200, content=broken()), httpx.Response(200, content=b"whole")])
    out = io.BytesIO(b"head ")
    out.seek(5)
    assert speak(lambda _: next(answers)).download("/feed", out, max_bytes=100) == 5
    assert out.getvalue() == b"head whole"


@pytest.mark.parametrize("url", ["", "registry.test", "ftp://registry.test", "file:///etc/passwd", "http://"])
def test_a_registry_is_an_http_address(url: str) -> None:
    with pytest.raises(Refused) as caught:
        Transport(url)
    assert caught.value.code == "bad-registry-url"


def test_names_are_quoted_in_paths(speak: Speak) -> None:
    transport = speak(lambda request: httpx.Response(200, json={"path": request.url.raw_path.decode()}))
    registry = Registry(transport)
    assert registry.version("a/b c", "1/../2")["path"] == "/v1/datasets/a/b%20c/versions/1%2F..%2F2"
    assert registry.lookup("flickr:1@N00 &x=1")["path"] == "/v1/lookup?q=flickr%3A1%40N00+%26x%3D1"


def test_an_opt_out_is_sent_as_it_was_said(speak: Speak) -> None:
    said = {"selectors": ["https://flic.kr/p/abc"], "email": "a@b.example", "relation": "pictured"}

    def answer(request: httpx.Request) -> httpx.Response:
        assert json.loads(request.content) == said
        return httpx.Response(201, json={"id": "x", "state": "awaiting-mail", "token": "t"})

    assert Registry(speak(answer)).opt_out(said)["state"] == "awaiting-mail"


@pytest.mark.parametrize("ref", ["a", "a/", "/b", "../b", "a/..", "a/b/c", ""])
def test_a_dataset_is_a_publisher_and_a_name(ref: str, speak: Speak) -> None:
    with pytest.raises(Refused) as caught:
        Registry(speak(lambda _: httpx.Response(200, json={}))).dataset(ref)
    assert caught.value.code == "bad-dataset-name"
