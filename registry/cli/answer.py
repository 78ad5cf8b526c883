"""What every command shares: `--json`, errors to exit codes, who and why."""

from __future__ import annotations

import functools
import getpass
import json
import os
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import click

from byline.errors import BylineError, Unavailable

REFUSED, UNREACHABLE = 1, 3
Command = Callable[..., Any]


class Failed(NamedTuple):
    """The answer of a check that found something: told like any other, with exit code 1."""

    document: Any
    text: str


def answering(function: Command) -> Command:
    """Give a command `--json` and print what it returns: `(document, text for people)`.

    With `--json` one document on stdout, also for an error: {"error": {"code", "message", "at"}}.
    """

    @click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
    @functools.wraps(function)
    def answered(*args: Any, as_json: bool, **options: Any) -> None:
        try:
            answer = function(*args, **options)
        except BylineError as error:
            fail(error, as_json=as_json)
        else:
            document, text = answer
            click.echo(_json(document) if as_json else printable(text))
            if isinstance(answer, Failed):
                sys.exit(REFUSED)

    return answered


def fail(error: BylineError, *, as_json: bool) -> None:
    """Say what went wrong and leave."""
    if as_json:
        click.echo(_json({"error": error.as_json()}))
    else:
        place = f" [{error.at}]" if error.at else ""
        click.echo(printable(f"byline-registry: {error.message} ({error.code}){place}"), err=True)
    sys.exit(UNREACHABLE if isinstance(error, Unavailable) else REFUSED)


def printable(text: str) -> str:
    """What strangers named themselves, fit for a terminal: no escape sequence, no turned reading direction."""
    return "".join(one if one.isprintable() or one == "\n" else "\ufffd" for one in text)


def accountable(function: Command) -> Command:
    """Ask who does it and why; both are kept for good."""
    function = click.option("--why", default="", help="The reason; kept for good.")(function)
    return click.option("--by", "who", default=_me, help="Who does it; kept for good. Default: you.")(
        function
    )


def _me() -> str:
    try:
        return getpass.getuser()[:100]
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _json(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, default=str)
