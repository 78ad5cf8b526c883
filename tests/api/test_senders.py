"""Whoever sends slowly keeps nobody from reading."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.api.served import serving
from tests.plugins.parts import copy_registry

HEAD = (
    b"POST /v1/claims HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
)


@pytest.fixture
def address(prepared: Path, tmp_path: Path) -> Iterator[str]:
    copy_registry(prepared, tmp_path / "data")
    with serving(tmp_path / "data") as found:
        yield found


def _begin_to_send(address: str, held: ExitStack) -> socket.socket:
    parts = urlsplit(address)
    sender = held.enter_context(socket.create_connection((parts.hostname, parts.port), timeout=10))
    sender.sendall(HEAD)
    return sender


def test_thirty_slow_senders_leave_threads_to_readers_and_most_are_sent_away(address: str) -> None:
    with ExitStack() as held:
        senders = [_begin_to_send(address, held) for _ in range(30)]
        assert httpx.get(f"{address}/healthz", timeout=10).status_code == 200
        answered, _, _ = select.select(senders, [], [], 10)
        assert b" 503 " in answered[0].recv(100)
    # Those who were held have hung up: their places are free again.
    sent = httpx.post(f"{address}/v1/claims", json={"identity": "flickr:1234567@N00"}, timeout=10)
    assert sent.status_code == 201
