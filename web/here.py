"""What every page needs of the running app."""

from __future__ import annotations

from typing import cast

import flask

from registry.runtime import Runtime


def runtime() -> Runtime:
    """The Runtime of the app that answers this request."""
    return cast("Runtime", flask.current_app.extensions["byline"])


def our_url() -> str:
    """Where people reach this registry, without the last slash."""
    return (runtime().settings.public_url or flask.request.url_root).rstrip("/")


def keep_key(ident: str, token: str) -> None:
    """Remember a key on this device only: in the signed, HttpOnly session cookie."""
    flask.session.permanent = True
    flask.session["key"] = [ident, token]


def kept_key() -> tuple[str, str] | None:
    """The key this device remembers."""
    kept = flask.session.get("key")
    return (kept[0], kept[1]) if kept else None
