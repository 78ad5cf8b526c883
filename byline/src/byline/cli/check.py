"""`byline check`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click

from byline.cli.options import REFUSED, Asked, asked

_MEANING = {
    "opted-out": "opted out of",
    "not-in-feed": "not in the feed",
    "cannot-tell": "cannot tell: neither a URL nor a SHA-256",
}


@click.command()
@click.argument("what", metavar="URL|SHA256|-…", nargs=-1, required=True)
@click.option("--for", "use", metavar="CATEGORY", help="What it is for. Default, and for unknown ones: any.")
@asked
def check(asked: Asked, what: tuple[str, ...], use: str | None) -> None:
    """Ask the feed about a few pictures without telling the registry which (- reads lines from stdin).

    Exits 1 where one is opted out or cannot be told. Not in the feed is no "no": see the coverage. Many are
    filtered with byline sync and byline filter.
    """
    from byline.client.feed import use_of
    from byline.client.private_check import check as ask

    wanted = [text for one in what for text in (_lines() if one == "-" else [one])]
    with asked.transport() as transport:
        document = ask(transport, wanted, bits=use_of(use).bits)
    asked.show(document, in_words(document))
    if any(item["answer"] != "not-in-feed" for item in document["items"]):
        sys.exit(REFUSED)


def _lines() -> list[str]:
    return [line.strip() for line in sys.stdin if line.strip()]


def in_words(document: Mapping[str, Any]) -> str:
    """The answers for people."""
    lines = [f"{item['asked']}: {_answer(item)}" for item in document["items"]]
    feed, coverage = document["feed"], document["coverage"]
    lines.append(
        f"feed {feed['origin']} {feed['seq']} of {feed['time']}: of {coverage['opt_outs']:,} opt-outs "
        f"{coverage['as_fingerprints']:,} can be told by a fingerprint"
    )
    return "\n".join(lines)


def _answer(item: Mapping[str, Any]) -> str:
    return " ".join([_MEANING[item["answer"]], ", ".join(item.get("categories", []))]).strip()
