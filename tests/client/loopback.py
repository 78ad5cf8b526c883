"""A feed behind a real socket, which may break off in the middle of a file, and counts who asks at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from tests.client.served import Served

ENDINGS = (".parquet", ".puffin", ".tar")
"""Of the feed's files; what is JSON is the head, or small."""


def is_file(path: str) -> bool:
    """Whether this is asked for as one of the feed's files."""
    return path.endswith(ENDINGS)


@dataclass
class Loopback:
    """What was given whole and what broke off, in the order of asking."""

    served: Served
    url: str = ""
    whole: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    breaks: Callable[[str], bool] = lambda _: False
    """Whether the answer to a path ends in the middle."""
    holds: Callable[[str], None] = lambda _: None
    """What is waited for before a path is answered."""

    def answer(self, path: str) -> tuple[int, bytes, int]:
        """Status, body, and how much of it is sent."""
        self.holds(path)
        found = self.served.answer(httpx.Request("GET", f"{self.url}{path}"))
        body = found.content
        breaks = found.status_code == 200 and self.breaks(path)
        (self.broken if breaks else self.whole).append(path)
        return found.status_code, body, len(body) // 2 if breaks else len(body)

    def files(self) -> list[str]:
        """The feed's files that were given whole since the last time."""
        found = [path for path in self.whole if is_file(path)]
        self.whole.clear()
        return found


@contextmanager
def listening(served: Served) -> Iterator[Loopback]:
    """Serve on a port of loopback."""
    loopback = Loopback(served)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer; a body that ends early ends the connection."""
            status, body, most = loopback.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:most])
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        loopback.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield loopback
        finally:
            server.shutdown()
            thread.join()
