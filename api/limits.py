"""How often one address may ask, told in the headers of draft-ietf-httpapi-ratelimit-headers-10."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import flask
from flask_limiter import Limiter

from api.budgets import SCHEME
from api.errors import of_byline
from byline.errors import Unavailable


def register(
    app: flask.Flask, budgets: Mapping[str, str], *, also: Mapping[str, str], table: Path, key: bytes
) -> Limiter:
    """Hold every view that names a budget (`view.budget`) to it; counted for all processes of this machine in `table`.

    `budgets`: name -> e.g. "120/minute"; a view whose budget has no entry is not limited. `also`: the
    budgets of endpoints that name none themselves.
    """
    limiter = Limiter(
        caller,
        app=app,
        storage_uri=f"{SCHEME}://{table}",
        storage_options={"key": key.hex()},
        strategy="fixed-window",
        headers_enabled=False,
    )
    for endpoint, view in list(app.view_functions.items()):
        budget: str = getattr(view, "budget", None) or also.get(endpoint, "")
        if budget in budgets:
            limited = cast("Any", limiter.shared_limit(budgets[budget], scope=budget)(cast("Any", view)))
            limited.budget = budget
            app.view_functions[endpoint] = limited
    app.after_request(lambda response: tell(limiter, response))
    return limiter


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


def exceeded(limiter: Limiter) -> flask.Response:
    """429, and when to come back."""
    now = limiter.current_limit
    wait = _seconds_left(now.reset_at) if now else 60
    words = f"That was more often than one address may ask. Try again in {wait} s."
    return of_byline(Unavailable("too-many-requests", words, retry_after=wait))


def tell(limiter: Limiter, response: flask.Response) -> flask.Response:
    """Say the budget and what is left of it."""
    now = limiter.current_limit
    if now is not None:
        name = getattr(
            flask.current_app.view_functions.get(flask.request.endpoint or ""), "budget", "default"
        )
        response.headers["RateLimit-Policy"] = f'"{name}";q={now.limit.amount};w={now.limit.get_expiry()}'
        response.headers["RateLimit"] = f'"{name}";r={now.remaining};t={_seconds_left(now.reset_at)}'
    return response


def _seconds_left(reset_at: float) -> int:
    return max(1, int(reset_at - time.time()))
