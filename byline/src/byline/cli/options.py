"""What all commands share: where the registry is, how to show an answer, which exit code an error has."""

from __future__ import annotations

import functools
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from byline.errors import BylineError, Unavailable

if TYPE_CHECKING:  # httpx takes a third of a second to import, and `--help` needs none of it
    from byline.client.api import Registry
    from byline.client.transport import Transport

DEFAULT_REGISTRY = "http://127.0.0.1:8080"
REFUSED, UNREACHABLE = 1, 3
# Names and titles come from strangers: nothing in them may move a terminal's cursor or flip its text.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_MOST_SHOWN = 10
# by code, or by code and place where a code alone does not tell
_NEXT = {
    "unreachable": "is it running, and is --registry (or BYLINE_REGISTRY) right?",
    "bad-signature": "sign with a key that the publisher has registered (`byline publisher show SLUG`)",
    "unknown-key": "register the key first: byline publisher register --slug … --name … --key KEY.pem",
    "unknown-publisher": "register first: byline publisher register --slug … --name … --key KEY.pem",
    "bad-header Authorization": "is --token whole? It is the secret that `byline claim` or `byline opt-out` printed",
    "bad-header header": "a file without a header line: name its columns, --header A,B,C; where quotes mean nothing: --no-quoting",
    "wrong-token": "the token is the secret that `byline claim` or `byline opt-out` printed, not the proof",
    "bad-envelope": "a draft of `byline manifest init` is signed first: byline manifest sign",
    "stale-previous": "somebody was faster: run `byline manifest sign` again and look at what changed",
}


@dataclass(frozen=True)
class Asked:
    """How the user asked: of which registry, for people or for machines."""

    url: str
    json: bool
    explicit: bool
    """Whether the registry was named, by --registry or BYLINE_REGISTRY."""

    def show(self, document: Mapping[str, Any], text: str) -> None:
        """Write the answer to stdout: one JSON document with --json, else the text."""
        click.echo(json.dumps(document, indent=2) if self.json else printable(text))

    def say(self, text: str) -> None:
        """Write progress to stderr."""
        click.echo(printable(text), err=True)

    @contextmanager
    def transport(self) -> Iterator[Transport]:
        """The registry over HTTP."""
        from byline.client.transport import Transport

        with Transport(self.url) as transport:
            yield transport

    @contextmanager
    def registry(self) -> Iterator[Registry]:
        """The registry's API."""
        from byline.client.api import Registry

        with self.transport() as transport:
            yield Registry(transport)


def printable(text: str) -> str:
    """The text with what steers a terminal replaced by U+FFFD."""
    return _UNPRINTABLE.sub("\ufffd", text)


def asked(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command --registry and --json, hand it an `Asked` first, and turn errors into exit codes."""

    @click.option(
        "--registry",
        "registry_url",
        envvar="BYLINE_REGISTRY",
        metavar="URL",
        help=f"The registry (default {DEFAULT_REGISTRY}).",
    )
    @click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
    @functools.wraps(function)
    def wrapped(*args: Any, registry_url: str | None, as_json: bool, **kwargs: Any) -> None:
        how = Asked(registry_url or DEFAULT_REGISTRY, as_json, explicit=bool(registry_url))
        try:
            function(how, *args, **kwargs)
        except BylineError as error:
            fail(error, as_json=as_json)

    return wrapped


def fail(error: BylineError, *, as_json: bool) -> None:
    """Say what went wrong and what to do next; exit 3 where the registry did not answer, else 1."""
    if as_json:
        click.echo(json.dumps({"error": error.as_json()}, indent=2))
    else:
        place = f" (at {error.at})" if error.at else ""
        lines = [f"byline: {error.message}{place} [{error.code}]"]
        lines += (
            [f"  {_detail(one)}" for one in error.details[:_MOST_SHOWN]]
            if isinstance(error.details, list)
            else []
        )
        step = _NEXT.get(error.code) or _NEXT.get(f"{error.code} {error.at}")
        lines += [f"  next: {step}"] if step else []
        click.echo(printable("\n".join(lines)), err=True)
    sys.exit(UNREACHABLE if isinstance(error, Unavailable) else REFUSED)


def many(*names: str) -> Callable[[type[click.Command]], type[click.Command]]:
    """Let `--records A B C` mean `--records A --records B --records C`, as a shell's glob writes it."""

    def made(base: type[click.Command]) -> type[click.Command]:
        class Many(base):  # type: ignore[misc, valid-type]
            def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
                result: list[str] = super().parse_args(ctx, spread(args, names))
                return result

        return Many

    return made


def spread(words: Sequence[str], names: Sequence[str]) -> list[str]:
    """Repeat an option of `names` before each of the values that follow it."""
    out: list[str] = []
    current: str | None = None
    given = False
    for word in words:
        if word.startswith("-") and word != "-":
            current, given = (word if word in names else None), False
            out.append(word)
        else:
            out += [current, word] if current and given else [word]
            given = True
    return out


def _detail(found: object) -> str:
    if isinstance(found, Mapping):
        return ", ".join(f"{key} {value}" for key, value in found.items() if value is not None)
    return str(found)
