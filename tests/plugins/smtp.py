"""A real SMTP server on loopback: aiosmtpd.

In pytest: `smtp_server`. By hand: `with running() as server: ...; server.messages`.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller


class Mailbox:
    """What arrived; `refuse` is said to every recipient when it is set (`550 no such user`)."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.refuse = ""
        self.url = ""

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        """Take or refuse a recipient."""
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Keep the message."""
        self.messages.append(BytesParser(policy=default).parsebytes(envelope.content))
        return "250 taken"


@contextmanager
def running() -> Iterator[Mailbox]:
    """A server on a free port for the length of a `with`."""
    box = Mailbox()
    with socket.socket() as free:  # aiosmtpd connects to the port it was given, so it cannot be 0
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port, enable_SMTPUTF8=True)
    controller.start()
    box.url = f"smtp://127.0.0.1:{port}"
    try:
        yield box
    finally:
        controller.stop()


@pytest.fixture
def smtp_server() -> Iterator[Mailbox]:
    """A server of its own for each test."""
    with running() as box:
        yield box
