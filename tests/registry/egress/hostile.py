"""A server on loopback that misbehaves in every way a page can, and a resolver that answers what it is told."""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from byline.errors import NotFound

Reply = bytes | Callable[[socket.socket], None]


@dataclass
class Listener:
    """Answers each path with what `replies` says; keeps every request head."""

    address: str
    port: int
    replies: dict[str, Reply] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)

    @property
    def pair(self) -> tuple[str, int]:
        """Where it listens."""
        return self.address, self.port

    def paths(self) -> list[str]:
        """The paths asked for, in order."""
        return [head.split(" ", 2)[1] for head in self.heard]


class FakeNames:
    """Gives each name's answers in turn, the last for ever; what it was asked is kept."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self.answers = {name.replace("_", "."): list(given) for name, given in answers.items()}
        self.asked: list[str] = []

    def addresses(self, host: str, *, seconds: float) -> list[str]:  # noqa: ARG002
        self.asked.append(host)
        if host not in self.answers:
            return [host]
        given = self.answers[host]
        return list(given.pop(0) if len(given) > 1 else given[0])

    def texts(self, name: str, *, seconds: float) -> list[str]:  # noqa: ARG002
        raise NotFound("no-such-record", name)


def page(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Content-Type: text/html", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def moved(to: str) -> bytes:
    """A redirect."""
    return page(b"", f"Location: {to}", status="302 Found")


def endless(connection: socket.socket) -> None:
    """A body that does not end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    with suppress(OSError):
        while True:
            connection.sendall(b"x" * 65_536)


def trickling(connection: socket.socket) -> None:
    """Headers, a letter at a time."""
    with suppress(OSError):
        for letter in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"y" * 600:
            connection.sendall(bytes([letter]))
            time.sleep(0.05)


@contextmanager
def listening(address: str = "127.0.0.1", *, tls: ssl.SSLContext | None = None) -> Iterator[Listener]:
    """A listener in threads of its own."""
    with socket.socket() as server:
        server.bind((address, 0))
        server.listen(16)
        here = Listener(address, server.getsockname()[1])
        threading.Thread(target=_serve, args=(server, here, tls), daemon=True).start()
        try:
            yield here
        finally:
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)  # closing alone does not end the accept


def _serve(server: socket.socket, here: Listener, tls: ssl.SSLContext | None) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(connection, here, tls), daemon=True).start()


def _request(connection: socket.socket) -> str:
    """The whole request, body included."""
    data = connection.recv(65_536)
    while b"\r\n\r\n" in data:
        head, body = data.split(b"\r\n\r\n", 1)
        found = re.search(rb"(?i)content-length: *([0-9]+)", head)
        if found is None or len(body) >= int(found[1]):
            break
        data += connection.recv(65_536)
    return data.decode("latin-1")


def _answer(connection: socket.socket, here: Listener, tls: ssl.SSLContext | None) -> None:
    with suppress(OSError), connection:
        spoken = tls.wrap_socket(connection, server_side=True) if tls else connection
        with spoken:
            head = _request(spoken)
            here.heard.append(head)
            reply = here.replies.get(head.split(" ", 2)[1], page(b"", status="404 Not Found"))
            if callable(reply):
                reply(spoken)
            else:
                spoken.sendall(reply)
