"""`byline opt-out`, with `status`, `evidence` and `withdraw`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from byline.cli.options import Asked, asked, many
from byline.cli.reading import save

FILE = click.Path(path_type=Path, dir_okay=False)

_CATEGORIES = ("train-generative", "train-other", "data-mining", "ai-search")
_RELATIONS = ("maker", "pictured", "for-someone-else")
_ALONE = (
    "  whoever has a dataset's files can see which of its rows went; "
    "--publisher-only asks the publisher alone"
)


@many("--url", "--claim", "--token", "--dataset", "--category")
class _OptOutGroup(click.Group):
    """`byline opt-out` acts by itself and has commands below it."""


@click.group("opt-out", cls=_OptOutGroup, invoke_without_command=True)
@click.option(
    "--claim",
    "claims",
    multiple=True,
    metavar="CLAIM_ID",
    help="A confirmed claim; with its --token. May be repeated.",
)
@click.option(
    "--token",
    "tokens",
    multiple=True,
    metavar="TOKEN",
    help="The claim's secret, in the order of the claims.",
)
@click.option(
    "--url",
    "urls",
    multiple=True,
    metavar="URL",
    help="A photo by its link (or sha256:HEX of a file), where you have no claim. May be repeated.",
)
@click.option("--email", metavar="A@B", help="Where the confirmation for --url goes.")
@click.option(
    "--relation",
    type=click.Choice(_RELATIONS),
    default="maker",
    show_default=True,
    help="What you are to the items.",
)
@click.option(
    "--dataset", "datasets", multiple=True, metavar="PUB/NAME", help="Only in this dataset. May be repeated."
)
@click.option(
    "--category",
    "categories",
    multiple=True,
    metavar="CATEGORY",
    help=f"Only against this use: {', '.join(_CATEGORIES)}. May be repeated; default all.",
)
@click.option("--keep-existing", is_flag=True, help="Do not ask to be removed from what exists already.")
@click.option("--publisher-only", is_flag=True, help="Ask the publishers alone; stand in no feed.")
@click.pass_context
@asked
def opt_out(asked: Asked, ctx: click.Context, **said: Any) -> None:
    """Opt out once, of every registered dataset where you can be matched, today's and tomorrow's."""
    if ctx.invoked_subcommand is not None:
        return
    request = _request(ctx, **said)
    with asked.registry() as registry:
        made = registry.opt_out(request)
    lines = [f"opt-out {made.get('id')}: {made.get('state')}"]
    if made.get("state") == "awaiting-mail":
        lines.append("  a mail is on its way; the link in it confirms")
    if made.get("token"):
        lines.append(f"token (secret, shown once): {made['token']}")
    lines += [_ALONE] if request["relation"] == "maker" and not request["publisher_only"] else []
    lines.append(f"  see what became of it: byline opt-out status {made.get('id')} --token …")
    asked.show(made, "\n".join(lines))


@opt_out.command()
@click.argument("id_", metavar="ID")
@click.option("--token", required=True, help="The token of any of its claims, or its own.")
@asked
def status(asked: Asked, id_: str, token: str) -> None:
    """What an opt-out reached, and what the holders said."""
    with asked.registry() as registry:
        found = registry.opt_out_status(id_, token=token)
    seq = found.get("feed_seq")
    lines = [
        f"opt-out {found.get('id')}: {found.get('state')} ({found.get('assurance')}, {found.get('relation')})"
    ]
    lines += [
        f"  {one.get('dataset')} {', '.join(one.get('versions', []))}: {_found(one)}, {one.get('state')}"
        for one in found.get("datasets", [])
    ] or ["  no registered dataset shows it so far; what is registered tomorrow is compared too"]
    lines.append(
        f"  in the feed since head {seq}" if seq is not None else "  not in a published head of the feed yet"
    )
    asked.show(found, "\n".join(lines))


@opt_out.command()
@click.argument("id_", metavar="ID")
@click.option("--token", required=True, help="The token of any of its claims, or its own.")
@click.option("-o", "--out", type=FILE, required=True, metavar="FILE.zip", help="Where it is written.")
@asked
def evidence(asked: Asked, id_: str, token: str, out: Path) -> None:
    """Fetch all that an opt-out can show, in one zip: to print, or to hand to a lawyer or an authority."""
    with asked.registry() as registry:
        data = registry.evidence(id_, token=token)
    save(out, data)
    asked.show({"id": id_, "file": str(out), "bytes": len(data)}, f"{out}: open index.html in it first")


@opt_out.command()
@click.argument("id_", metavar="ID")
@click.option("--token", required=True, help="The token of any of its claims, or its own.")
@asked
def withdraw(asked: Asked, id_: str, token: str) -> None:
    """Take an opt-out back."""
    with asked.registry() as registry:
        found = registry.withdraw(id_, token=token)
    asked.show(found, f"opt-out {found.get('id', id_)}: {found.get('state')}")


def _found(line: dict[str, Any]) -> str:
    """How many records, or that it is asked because of what it was made from."""
    if line.get("parent"):
        return f"by lineage, made from {line['parent']}; no record found in it"
    return f"{line.get('records')} records"


def _request(ctx: click.Context, **said: Any) -> dict[str, Any]:
    claims, tokens, urls = said["claims"], said["tokens"], said["urls"]
    if len(claims) != len(tokens):
        raise click.UsageError("each --claim needs its --token", ctx)
    if not claims and not urls:
        raise click.UsageError(
            "say what the opt-out is about: --claim CLAIM_ID --token TOKEN, or --url URL --email A@B", ctx
        )
    if urls and not claims and not said["email"]:
        raise click.UsageError("--url needs --email: a mail confirms who is asking", ctx)
    request: dict[str, Any] = {
        "relation": said["relation"],
        "remove_existing": not said["keep_existing"],
        "publisher_only": said["publisher_only"],
    }
    parts = {
        "claims": [{"id": one, "token": token} for one, token in zip(claims, tokens, strict=True)],
        "selectors": list(urls),
        "email": said["email"],
        "datasets": list(said["datasets"]),
        "categories": list(said["categories"]),
    }
    return {**request, **{name: value for name, value in parts.items() if value}}
