"""Sockets that connect only where the name was checked to lead, and give only so many bytes in so much time."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import httpcore

from byline.errors import Refused, Unavailable


@dataclass(frozen=True)
class Limits:
    """What one exchange may take: seconds in all, bytes on the wire, redirects followed."""

    seconds: float = 10.0
    bytes: int = 2 << 20
    redirects: int = 3


class Meter:
    """What is left of the limits of one exchange, all its redirects together."""

    def __init__(self, limits: Limits, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._until, self._bytes = monotonic() + limits.seconds, limits.bytes

    @property
    def seconds(self) -> float:
        """Seconds left; Unavailable("too-slow") where there are none."""
        left = self._until - self._monotonic()
        if left <= 0:
            raise Unavailable("too-slow", "the server took too long to answer", retry_after=60)
        return left

    def take(self, count: int) -> None:
        """Count bytes that came; Refused("answer-too-large")."""
        self._bytes -= count
        if self._bytes < 0:
            raise Refused("answer-too-large", "the server answered more than is read here", at="url")


class PinnedBackend(httpcore.NetworkBackend):
    """Connects to one address that was checked, whatever name the request bears (TLS still asks for the name)."""

    def __init__(self, address: str, meter: Meter) -> None:
        self._address, self._meter = address, meter
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - the name was resolved, once, before
        port: int,
        timeout: float | None = None,  # noqa: ARG002
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Open a socket to the pinned address."""
        stream = self._sockets.connect_tcp(
            self._address, port, self._meter.seconds, local_address, socket_options
        )
        return MeteredStream(stream, self._meter)


class MeteredStream(httpcore.NetworkStream):
    """A socket whose every wait ends when the exchange's time does."""

    def __init__(self, stream: httpcore.NetworkStream, meter: Meter) -> None:
        self._stream, self._meter = stream, meter

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        """Some bytes, counted."""
        data = self._stream.read(max_bytes, self._meter.seconds)
        self._meter.take(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        """Send it all."""
        self._stream.write(buffer, self._meter.seconds)

    def close(self) -> None:
        """Close it."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        """The same, encrypted, with a certificate for the name."""
        stream = self._stream.start_tls(ssl_context, server_hostname, self._meter.seconds)
        return MeteredStream(stream, self._meter)

    def get_extra_info(self, info: str) -> Any:
        """What the socket knows."""
        return self._stream.get_extra_info(info)
