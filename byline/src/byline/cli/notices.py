"""`byline notices`, with `confirm` and `decline` below it; `byline outcome`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from byline.cli.options import Asked, asked
from byline.cli.reading import private_key, stamp
from byline.errors import Refused
from byline.formats.outcomes import OUTCOMES, Said

_IDS = "One notice id a line, or JSON lines {notice, outcome, reason, version}; - is stdin."


def _mine(function: Callable[..., None]) -> Callable[..., None]:
    """Who asks: --publisher and --key."""
    key = click.option(
        "--key",
        "key_file",
        type=click.Path(path_type=Path),
        required=True,
        metavar="KEY.pem",
        help="Your key.",
    )
    return click.option("--publisher", required=True, metavar="SLUG", help="Your slug.")(key(function))


@click.group(invoke_without_command=True)
@click.option("--key", "key_file", type=click.Path(path_type=Path), metavar="KEY.pem", help="Your key.")
@click.option("--after", type=int, default=0, show_default=True, help="Only what came after this event.")
@click.option("--keep", is_flag=True, help="Do not tell the registry that they arrived.")
@click.pass_context
@asked
def notices(asked: Asked, ctx: click.Context, *, key_file: Path | None, after: int, keep: bool) -> None:
    """Read what people ask of your datasets: which rows, and what for. Only your key opens this."""
    if ctx.invoked_subcommand is not None:
        return
    if key_file is None:
        raise click.UsageError("say who asks: --key KEY.pem")
    from byline.client.outcome import every_event

    with asked.registry() as registry:
        items = list(every_event(registry, private_key(key_file), after=after, keep=keep))
    latest = {item["notice"]["id"]: item for item in items}
    last = items[-1]["seq"] if items else after
    lines = [_line(item) for item in latest.values()] or ["nothing new"]
    asked.show({"items": items, "next": last}, "\n".join([*lines, f"next time: --after {last}"]))


@notices.command()
@click.argument("notice_ids", nargs=-1, required=True)
@_mine
@asked
def confirm(asked: Asked, notice_ids: tuple[str, ...], *, publisher: str, key_file: Path) -> None:
    """Take asserted notices as good: their rows stand in your datasets' row feeds."""
    _report(asked, publisher, key_file, [Said("confirmed", notice_ids)])


@notices.command()
@click.argument("notice_ids", nargs=-1, required=True)
@click.option("--reason", required=True, help="Shown to the person who asked.")
@_mine
@asked
def decline(
    asked: Asked, notice_ids: tuple[str, ...], *, reason: str, publisher: str, key_file: Path
) -> None:
    """Refuse asserted notices, and say why."""
    _report(asked, publisher, key_file, [Said("declined", notice_ids, reason)])


@click.command()
@click.argument("notice_ids", nargs=-1)
@click.option("--from", "file", type=click.File("r"), metavar="FILE", help=_IDS)
@click.option("--outcome", type=click.Choice(OUTCOMES), help="What you did.")
@click.option("--reason", help="Shown to the person who asked; needed for exempt and declined.")
@click.option("--in-version", "version", metavar="V", help="The version of the dataset in which it is done.")
@_mine
@asked
def outcome(
    asked: Asked,
    notice_ids: tuple[str, ...],
    *,
    file: Iterable[str] | None,
    outcome: str | None,
    reason: str | None,
    version: str | None,
    publisher: str,
    key_file: Path,
) -> None:
    """Say what you did about notices: up to 10,000 in one signed statement. A later one amends it."""
    given = [{"notice": one} for one in notice_ids] + list(_read(file or ()))
    whole = [{"outcome": outcome, "reason": reason, "version": version, **one} for one in given]
    if not whole or not all(one["outcome"] for one in whole):
        raise click.UsageError("name notices and an --outcome, or give both with --from FILE")
    groups: dict[tuple[Any, ...], list[str]] = {}
    for one in whole:
        groups.setdefault((one["outcome"], one["reason"], one["version"]), []).append(one["notice"])
    said = [Said(what, tuple(ids), why, since) for (what, why, since), ids in groups.items()]
    _report(asked, publisher, key_file, said)


def _report(asked: Asked, publisher: str, key_file: Path, said: list[Said]) -> None:
    from byline.client.outcome import By, send_outcomes

    with asked.registry() as registry:
        made = send_outcomes(registry, said, By(publisher, private_key(key_file)), stamp=stamp())
    counts = ", ".join(f"{n} {what}" for what, n in made.get("taken", {}).items())
    asked.show(made, f"taken: {counts or 'known already'}")


def _line(item: Mapping[str, Any]) -> str:
    notice = item["notice"]
    wish = ["remove"] if notice["remove_existing"] else []
    pointed = ", ".join(f"{one['kind']}:{one['value']}" for one in notice["selectors"][:3])
    more = f" and {len(notice['selectors']) - 3} more" if len(notice["selectors"]) > 3 else ""
    parent = notice.get("parent")
    rows = f"by lineage from {parent['dataset']}" if parent else f"{notice['records']} rows"
    return (
        f"{notice['id']}  {notice['dataset']}  {notice['state']}  {notice['assurance']}  {rows}"
        f"  [{' '.join([*wish, *notice['categories']])}]  {pointed}{more}"
    )


def _read(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text.startswith("{"):
            try:
                found = json.loads(text)
            except ValueError as error:
                raise Refused("bad-line", f"line {number} is not JSON", at=str(number)) from error
            if not isinstance(found.get("notice"), str) or found.keys() - {
                "notice",
                "outcome",
                "reason",
                "version",
            }:
                raise Refused(
                    "bad-line", f"line {number} must have notice, outcome, reason, version", at=str(number)
                )
            yield {name: value for name, value in found.items() if value is not None}
        elif text:
            yield {"notice": text}
