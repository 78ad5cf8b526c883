"""A photo platform on an origin of its own: profiles with a description, which who owns one writes in a form."""

from __future__ import annotations

import html
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

PAGE = """<!doctype html><html lang="en"><head><title>{path}</title>
<meta name="description" content="{about}"></head><body><main><h1>{path}</h1><p>{about}</p>
<form method="post"><label for="about">About me</label><textarea id="about" name="about">{about}</textarea>
<button>Save</button></form></main></body></html>"""


@dataclass
class Platform:
    """`abouts`: path of a profile -> its description; `visits`: the paths somebody read, in order."""

    url: str
    abouts: dict[str, str] = field(default_factory=dict)
    visits: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def running() -> Iterator[Platform]:
    """The platform for the length of a `with`."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """A profile."""
            here.visits.append((self.headers.get("Host", ""), self.path))
            self._show()

        def do_POST(self) -> None:
            """Its owner saves it."""
            sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            here.abouts[self.path] = sent["about"][0]
            self._show()

        def _show(self) -> None:
            about = html.escape(here.abouts.get(self.path, "I take pictures."))
            body = PAGE.format(path=html.escape(self.path), about=about).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    here = Platform(f"http://127.0.0.1:{server.server_address[1]}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()
