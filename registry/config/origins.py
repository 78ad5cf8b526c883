"""What may be an origin, and which ones are this machine's own."""

from __future__ import annotations

import re

from byline.errors import Refused

_ORIGIN = re.compile(
    r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?(?:/[a-z0-9][a-z0-9._-]{0,63})*", re.ASCII
)
_LOOPBACK = re.compile(r"(?:.+\.)?localhost|127\.[0-9.]+", re.ASCII)


def is_loopback(origin: str) -> bool:
    """Whether an origin is under `localhost` or a 127.* address: this machine's own."""
    return _LOOPBACK.fullmatch(re.split("[:/]", origin)[0]) is not None


def check_origin(origin: str) -> str:
    """Give the origin back, or Refused("bad-origin"): a host, maybe a port and a path, in lower case."""
    if not _ORIGIN.fullmatch(origin) or ".." in origin:
        raise Refused(
            "bad-origin",
            "an origin is a host name, like byline.example.org, without https://",
            at="BYLINE_ORIGIN",
        )
    return origin
