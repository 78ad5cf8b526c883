"""The transparency log's face: for now, the key its notes are signed with."""

from __future__ import annotations

from typing import Any

import flask

from api.section import TEXT, Section, runtime

section = Section("log", "The transparency log", prefix="/log")


@section.get("/vkey", gives=TEXT, content_type="text/plain")
def vkey(_: dict[str, Any]) -> flask.Response:
    """The log's verifier key (C2SP signed-note), one line."""
    return flask.Response(runtime().vkey + "\n", content_type="text/plain; charset=utf-8")
