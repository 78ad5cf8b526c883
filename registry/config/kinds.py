"""How the text of a variable becomes a value; ValueError says what to write instead."""

from __future__ import annotations

import re
from collections.abc import Mapping

_UNITS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SIZES = {"": 1, "b": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40}
_NUMBER = re.compile(r"([0-9]{1,15})\s*([A-Za-z]{0,3})", re.ASCII)


def text(said: str) -> str:
    """As it was said."""
    return said


def whole(said: str) -> int:
    """A whole number, ASCII digits only."""
    if not re.fullmatch(r"[0-9]{1,15}", said, re.ASCII):
        raise ValueError("give a whole number")
    return int(said)


def sized(said: str) -> int:
    """Bytes, with KiB, MiB, GiB or TiB."""
    return _with_unit(said, _SIZES, "give bytes, like 1048576 or 4 GiB")


def seconds(said: str) -> int:
    """Seconds, with m, h, d or w."""
    return _with_unit(said, _UNITS, "give seconds, or a number with m, h, d or w, like 0, 90 or 1d")


def _with_unit(said: str, units: Mapping[str, int], advice: str) -> int:
    found = _NUMBER.fullmatch(said.strip())
    if found is None or found[2].lower() not in units:
        raise ValueError(advice)
    return int(found[1]) * units[found[2].lower()]


def policy(said: str) -> str:
    """Who may publish."""
    if said not in {"open", "approved"}:
        raise ValueError("give open or approved")
    return said


def all_or_open(said: str) -> str:
    """Of which datasets something is told."""
    if said not in {"all", "open"}:
        raise ValueError("give all or open")
    return said


def log_form(said: str) -> str:
    """How the processes' log is written."""
    if said not in {"text", "json"}:
        raise ValueError("give text or json")
    return said


def budget(said: str) -> str:
    """How often."""
    if not re.fullmatch(r"[0-9]{1,7}/(second|minute|hour|day)", said, re.ASCII):
        raise ValueError("give a rate, like 600/minute")
    return said


def nameserver(said: str) -> str:
    """An address with its port."""
    if said and not re.fullmatch(r"(?:[0-9.]{7,15}|\[[0-9a-fA-F:]+\]):[0-9]{1,5}", said, re.ASCII):
        raise ValueError("give ADDRESS:PORT, like 127.0.0.1:53")
    return said


def loopback_url(said: str) -> str:
    """A server on this machine."""
    if said and not re.fullmatch(r"http://127\.0\.0\.1:[0-9]{1,5}", said, re.ASCII):
        raise ValueError("give http://127.0.0.1:PORT")
    return said
