"""Behind a real granian: what a test client cannot show."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from registry.storage.opening import open_store
from tests.api.served import serving
from tests.plugins.parts import copy_registry


@pytest.fixture(scope="module")
def folder(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("served") / "data"
    copy_registry(prepared, made)
    return made


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with serving(folder) as found:
        yield found


def test_the_factory_opens_the_runtime_the_environment_describes(address: str) -> None:
    assert httpx.get(f"{address}/v1").json()["origin"] == "localhost"


def test_a_chunked_body_past_the_limit_is_refused(address: str) -> None:
    sent = httpx.post(
        f"{address}/v1/publishers",
        content=(b" " * 65536 for _ in range(64)),
        headers={"Content-Type": "application/json"},
    )
    assert sent.status_code == 413


def test_a_chunked_body_within_the_limit_is_read(address: str) -> None:
    sent = httpx.post(
        f"{address}/v1/publishers",
        content=iter([b'{"a":', b"1}"]),
        headers={"Content-Type": "application/json"},
    )
    assert sent.status_code == 422


def test_a_large_file_is_streamed_and_ranged(address: str, folder: Path) -> None:
    data = b"0123456789abcdef" * (1 << 18)
    name = f"{hashlib.sha256(data).hexdigest()}.parquet"
    open_store(f"file://{folder / 'store'}").put(f"feed/v1/files/{name}", data)
    assert httpx.get(f"{address}/feed/v1/files/{name}").content == data
    part = httpx.get(f"{address}/feed/v1/files/{name}", headers={"Range": "bytes=1048570-1048589"})
    assert part.status_code == 206
    assert part.content == data[1048570:1048590]
    assert httpx.head(f"{address}/feed/v1/files/{name}").headers["Content-Length"] == str(len(data))


@pytest.mark.parametrize(
    "line",
    [b"GET /v1/%00 HTTP/1.1", b"GET /v1/datasets/%ff%fe/x HTTP/1.1",
     b"GET /feed/v1/files/..%2f..%2fx HTTP/1.1",
     b"GET /v1?q=%ed%a0%80 HTTP/1.1", b"GET /v1/../v1 HTTP/1.1", b"QUERY /v1 HTTP/1.1"],
)  # fmt: skip
def test_odd_request_lines_get_a_4xx_and_no_more(address: str, line: bytes) -> None:
    with socket.create_connection((str(urlsplit(address).hostname), urlsplit(address).port or 0), 10) as peer:
        peer.sendall(line + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = peer.makefile("rb").read()
    assert answer.split()[1][:1] in (b"4", b"3"), answer


def test_query_strings_are_in_no_log(address: str, folder: Path) -> None:
    httpx.get(f"{address}/v1/search", params={"q": "Annunziata Quasimodo"})
    httpx.get(f"{address}/v1", params={"q": "Annunziata Quasimodo"})
    assert "Quasimodo" not in (folder / "granian.log").read_text()
