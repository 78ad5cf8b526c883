"""Secret tokens: `Authorization: Bearer`, never in an address."""

from __future__ import annotations

import re

import flask

from byline.errors import Refused

# RFC 6750 b64token; ours are url-safe base64.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{8,200}=*")
IN_URL = frozenset({"token", "access_token", "bearer", "authorization", "secret", "password"})


def bearer() -> str | None:
    """The token sent along, or None. Refused("bad-header") where the header is something else."""
    header = flask.request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not _TOKEN.fullmatch(token.strip()):
        raise Refused("bad-header", "Send the token as `Authorization: Bearer TOKEN`.", at="Authorization")
    return token.strip()


def needed() -> str:
    """The token sent along; Refused("token-needed"), a 401, where there is none."""
    token = bearer()
    if token is None:
        raise Refused("token-needed", "Send the token you were given as `Authorization: Bearer TOKEN`.")
    return token


def refuse_tokens_in_urls() -> None:
    """Addresses end up in logs and histories: a token in one is refused, so that nobody gets used to it."""
    request = flask.request
    if request.query_string and any(name.lower() in IN_URL for name in request.args):
        raise Refused(
            "token-in-url", "A token never goes into an address; send it as `Authorization: Bearer TOKEN`."
        )
