"""HTTP with retries, time limits and size limits.

A function can stand in for the network (`httpx.MockTransport`).
Only what may be repeated is repeated: reads, PUTs of a known range, and POSTs, which carry an Idempotency-
Key.
"""

from __future__ import annotations

import json
import random
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, BinaryIO, TypeVar

import httpx

from byline.errors import BylineError, Conflict, NotFound, Refused, Unavailable, Untrusted
from byline.formats import canonical

MAX_JSON = 64 << 20
T = TypeVar("T")
_RETRIED = {429, 502, 503, 504}
_LONGEST_WAIT = 30.0
_ROOTS: Mapping[int, type[BylineError]] = {403: Untrusted, 404: NotFound, 409: Conflict, 410: NotFound}


@dataclass(frozen=True)
class Retry:
    """How often and how patiently: `attempts` in all, waits of `first` doubling seconds, jittered."""

    attempts: int = 4
    first: float = 0.5
    sleep: Callable[[float], None] = time.sleep

    def wait(self, attempt: int, asked: float | None) -> None:
        """Wait before the next attempt.

        What the registry asked for, else longer each time; never above 30 s.
        """
        jitter = random.uniform(0.5, 1.0)  # noqa: S311 - spreads clients, protects nothing
        self.sleep(min(asked if asked is not None else self.first * 2**attempt * jitter, _LONGEST_WAIT))


class Transport:
    """One registry, spoken to over HTTP. Close it, or use it as a context."""

    def __init__(
        self,
        url: str,
        *,
        transport: httpx.BaseTransport | None = None,
        timeout: float = 60.0,
        retry: Retry | None = None,
    ) -> None:
        """`url` is the registry's root.

        `transport` stands in for the network (MockTransport, WSGITransport).
        """
        try:
            base = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise Refused("bad-registry-url", f"{url!r} is not a URL", at="--registry") from error
        if base.scheme not in {"http", "https"} or not base.host:
            raise Refused(
                "bad-registry-url",
                f"{url!r} is not an http(s) URL; try http://127.0.0.1:8080",
                at="--registry",
            )
        self.url = str(base).rstrip("/")
        self._retry = retry or Retry()
        self._client = httpx.Client(
            base_url=self.url,
            transport=transport,
            timeout=httpx.Timeout(timeout, connect=10.0),
            follow_redirects=True,
            headers={"User-Agent": "byline"},
        )

    def __enter__(self) -> Transport:  # noqa: PYI034 - typing.Self is of Python 3.11
        """Use as a context."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, path: str, *, params: Mapping[str, str] | None = None, token: str | None = None) -> Any:
        """A JSON answer. `token` travels as Bearer, never in the URL."""
        return _json(self._send("GET", path, params=dict(params or {}), headers=_bearer(token)))

    def post(self, path: str, body: bytes | Mapping[str, Any], *, token: str | None = None) -> Any:
        """Send JSON (bytes go as they are), with an Idempotency-Key so that a retry is not a second act."""
        content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        headers = {
            **_bearer(token),
            "Content-Type": "application/json",
            "Idempotency-Key": secrets.token_hex(16),
        }
        return _json(self._send("POST", path, content=content, headers=headers))

    def signed(
        self,
        method: str,
        path: str,
        *,
        sign: Callable[[str, str, bytes], Mapping[str, str]],
        body: bytes = b"",
    ) -> Any:
        """A JSON answer to a request whose headers `sign(method, url, body)` makes (byline.client.signing)."""
        headers = dict(sign(method, f"{self.url}{path}", body))
        if body:
            headers |= {"Content-Type": "application/json", "Idempotency-Key": secrets.token_hex(16)}
        return _json(self._send(method, path, content=body or None, headers=headers))

    def put(self, path: str, body: bytes, *, params: Mapping[str, str], headers: Mapping[str, str]) -> Any:
        """Send bytes to a place that may take them twice."""
        return _json(self._send("PUT", path, content=body, params=dict(params), headers=dict(headers)))

    def fetch(self, path: str, *, max_bytes: int, token: str | None = None) -> bytes:
        """The bytes of a file; Untrusted("answer-too-large") where there are more than `max_bytes`."""
        return self._send("GET", path, max_bytes=max_bytes, headers=_bearer(token)).content

    def download(self, path: str, out: BinaryIO, *, max_bytes: int) -> int:
        """Write a file's bytes to `out` (from its present position, which a retry goes back to).

        How many there were.
        """
        start = out.tell()

        def once() -> int:
            out.seek(start)
            out.truncate()
            with self._stream("GET", path) as answer:
                _raise_for(answer, b"" if answer.is_success else answer.read())
                return sum(out.write(block) for block in _bounded(answer, max_bytes))

        return self._again(once)

    def _send(self, method: str, path: str, *, max_bytes: int = MAX_JSON, **kwargs: Any) -> httpx.Response:
        def once() -> httpx.Response:
            with self._stream(method, path, **kwargs) as answer:
                content = b"".join(_bounded(answer, max_bytes))
                _raise_for(answer, content)
                headers = {
                    k: v for k, v in answer.headers.items() if k not in {"content-encoding", "content-length"}
                }
                return httpx.Response(answer.status_code, headers=headers, content=content)

        return self._again(once)

    @contextmanager
    def _stream(self, method: str, path: str, **kwargs: Any) -> Iterator[httpx.Response]:
        try:
            with self._client.stream(method, path, **kwargs) as answer:
                yield answer
        except (httpx.TransportError, httpx.TooManyRedirects) as error:
            raise Unavailable(
                "unreachable", f"no answer from {self.url}: {error or type(error).__name__}"
            ) from error
        except httpx.DecodingError as error:
            raise Untrusted("bad-answer", f"{self.url}{path} sent bytes that do not decode") from error

    def _again(self, once: Callable[[], T]) -> T:
        for attempt in range(self._retry.attempts - 1):
            try:
                return once()
            except Unavailable as error:  # noqa: PERF203 - each try is a request
                self._retry.wait(attempt, None if error.code == "unreachable" else float(error.retry_after))
        return once()


def _bounded(answer: httpx.Response, max_bytes: int) -> Iterator[bytes]:
    got = 0
    for block in answer.iter_bytes(1 << 20):
        got += len(block)
        if got > max_bytes:
            raise Untrusted("answer-too-large", f"{answer.url.path} sends more than {max_bytes:,} bytes")
        yield block


def _bearer(token: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def _json(answer: httpx.Response) -> Any:
    if not answer.content:
        return None
    try:
        return canonical.loads(answer.content, max_bytes=MAX_JSON, floats=True)
    except Refused as error:
        raise Untrusted(
            "bad-answer", f"the registry's answer is not JSON: {error.message}", at=error.at
        ) from error


def _raise_for(answer: httpx.Response, content: bytes) -> None:
    """Turn an RFC 9457 problem into the root a caller can act on; the code is the registry's own."""
    if answer.is_success:
        return
    try:
        problem = canonical.loads(content, max_bytes=MAX_JSON, floats=True)
    except Refused:
        problem = {}
    told: Mapping[str, Any] = problem if isinstance(problem, dict) else {}
    status = answer.status_code
    code = str(told.get("code") or f"http-{status}")
    message = str(told.get("detail") or told.get("title") or f"the registry answered {status}")
    at = told.get("at")
    place = at if isinstance(at, str) else None
    details = told.get("details", told.get("errors"))
    if status in _RETRIED or status >= 500:
        raise Unavailable(code, message, at=place, details=details, retry_after=_retry_after(answer))
    raise _ROOTS.get(status, Refused)(code, message, at=place, details=details)


def _retry_after(answer: httpx.Response) -> int:
    text = answer.headers.get("Retry-After", "")
    return min(int(text), 3600) if text.isascii() and text.isdigit() else 2
