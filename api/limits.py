"""How often one address may ask, told in the headers of draft-ietf-httpapi-ratelimit-headers-10."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import flask
from limits import RateLimitItem, parse_many
from werkzeug.exceptions import TooManyRequests

from api.budgets import SCHEME, SharedCounters
from api.errors import of_byline
from byline.errors import Unavailable


class TooOften(TooManyRequests):
    """A budget is used up; `seconds` until there is a new one."""

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.seconds = seconds


@dataclass(frozen=True)
class Left:
    """What is left of a budget in the window that runs."""

    name: str
    limit: RateLimitItem
    count: int
    until: int

    @property
    def remaining(self) -> int:
        """Requests."""
        return max(0, self.limit.amount - self.count)


@dataclass(frozen=True)
class _Budget:
    name: str
    items: tuple[RateLimitItem, ...]
    counters: SharedCounters

    def spend(self) -> None:
        """Count this request; TooOften where that was one too many."""
        who = caller()
        for item in self.items:
            count, until = self.counters.hit(item.key_for(who, self.name), item.get_expiry())
            left = Left(self.name, item, count, until)
            if count > item.amount or "budget" not in flask.g or left.remaining < flask.g.budget.remaining:
                flask.g.budget = left
            if count > item.amount:
                raise TooOften(_seconds_left(until))


def register(
    app: flask.Flask, budgets: Mapping[str, str], *, also: Mapping[str, str], table: Path, key: bytes
) -> None:
    """Hold every view that names a budget (`view.budget`) to it; counted for all processes of this machine in `table`.

    `budgets`: name -> e.g. "120/minute"; a view whose budget has no entry is not limited. `also`: the
    budgets of endpoints that name none themselves.
    """
    counters = SharedCounters(f"{SCHEME}://{table}", key=key.hex())
    held = {name: _Budget(name, tuple(parse_many(words)), counters) for name, words in budgets.items()}
    for endpoint, view in list(app.view_functions.items()):
        name: str = getattr(view, "budget", None) or also.get(endpoint, "")
        if name in held:
            app.view_functions[endpoint] = _limited(view, held[name])
    app.after_request(tell)


def _limited(view: Callable[..., Any], budget: _Budget) -> Callable[..., Any]:
    @wraps(view)
    def limited(*args: Any, **given: Any) -> Any:
        budget.spend()
        return view(*args, **given)

    limited.budget = budget.name  # type: ignore[attr-defined]
    return limited


def caller() -> str:
    """Who is counted."""
    return network(flask.request.remote_addr or "unknown")


def network(address: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 address (one household has 2^64 of those)."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address


def exceeded(error: TooOften) -> flask.Response:
    """429, and when to come back."""
    words = f"That was more often than one address may ask. Try again in {error.seconds} s."
    return of_byline(Unavailable("too-many-requests", words, retry_after=error.seconds))


def tell(response: flask.Response) -> flask.Response:
    """Say the budget and what is left of it."""
    now: Left | None = flask.g.get("budget")
    if now is not None:
        response.headers["RateLimit-Policy"] = f'"{now.name}";q={now.limit.amount};w={now.limit.get_expiry()}'
        response.headers["RateLimit"] = f'"{now.name}";r={now.remaining};t={_seconds_left(now.until)}'
    return response


def _seconds_left(reset_at: float) -> int:
    return max(1, int(reset_at - time.time()))
