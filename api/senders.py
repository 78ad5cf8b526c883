"""Whoever sends slowly holds a thread for as long as it likes: some threads are always left to those who read.

A server's threads read bodies in the request itself, without a clock. Four connections that send a byte an
hour would else stop everything, the feed as well. A proxy that takes bodies whole before it passes them on
is the other half (docs/guides/operator.md).
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from api.errors import of_byline
from api.limits import network
from byline.errors import Unavailable

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Senders:
    """WSGI: at most `most` requests with a body at once, half of them from one address; others try again."""

    def __init__(self, app: WSGIApplication, *, most: int) -> None:
        self._app, self._most, self._each = app, most, max(most // 2, 1)
        self._lock, self._sending = threading.Lock(), Counter[str]()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Bodies are read while the app is called; what it gives back is read afterwards, by the server."""
        if not _has_body(environ):
            return self._app(environ, start_response)
        with self._place(network(environ.get("REMOTE_ADDR") or "unknown")) as free:
            if free:
                return self._app(environ, start_response)
        refused = of_byline(
            Unavailable("too-many-senders", "Too much is being sent at once. Try again.", retry_after=2)
        )
        refused.headers["Connection"] = "close"  # the body is not read
        return refused(environ, start_response)

    @contextmanager
    def _place(self, sender: str) -> Iterator[bool]:
        with self._lock:
            free = self._sending.total() < self._most and self._sending[sender] < self._each
            self._sending[sender] += free
        try:
            yield free
        finally:
            with self._lock:
                self._sending[sender] -= free
                self._sending += Counter()  # forgets who sends nothing


def _has_body(environ: dict[str, Any]) -> bool:
    return "HTTP_TRANSFER_ENCODING" in environ or environ.get("CONTENT_LENGTH") not in {None, "", "0"}
