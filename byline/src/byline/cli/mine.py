"""`byline mine`: what stands under one mail address, by a mailed link. There is no account."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from byline.cli.options import Asked, asked
from byline.cli.reading import save

FILE = click.Path(path_type=Path, dir_okay=False)
TOKEN = click.option("--token", required=True, metavar="TOKEN", help="The key that `byline mine open` gave.")


@click.group()
def mine() -> None:
    """See everything that stands under your mail address, keep it, hide, take back.

    First `byline mine ask A@B`, then `byline mine open LINK` with the link of the mail.
    """


@mine.command()
@click.argument("email", metavar="A@B")
@asked
def ask(asked: Asked, email: str) -> None:
    """Have a link mailed. Whether the address is known is told to nobody but its owner."""
    with asked.registry() as registry:
        answer = registry.ask_mine(email)
    asked.show(
        answer, "if anything stands under this address, a mail is on its way; then: byline mine open LINK"
    )


@mine.command("open")
@click.argument("link", metavar="LINK")
@asked
def open_(asked: Asked, link: str) -> None:
    """Trade the link of the mail for a key that is good for half an hour. It works once."""
    with asked.registry() as registry:
        opened = registry.open_mine(link.strip().rpartition("/")[2])
    asked.show(
        opened,
        f"token (secret, until {opened.get('until')}): {opened.get('token')}\nthen: byline mine show --token …",
    )


@mine.command()
@TOKEN
@click.option("-o", "--out", type=FILE, metavar="FILE.json", help="Keep everything in this file.")
@asked
def show(asked: Asked, token: str, out: Path | None) -> None:
    """Show every claim and opt-out; with -o, keep them whole."""
    with asked.registry() as registry:
        found = registry.mine(token=token)
    if out is not None:
        save(out, (json.dumps(found, ensure_ascii=False, indent=1) + "\n").encode())
    lines = [
        f"claim {one.get('id')}: {one.get('identity')}, {one.get('state')}{', hidden' if one.get('hidden') else ''}"
        for one in found.get("claims", ())
    ]
    lines += [line for one in found.get("opt_outs", ()) for line in _opt_out(one)]
    lines += [
        f"watch {one.get('id')}: {one.get('about')}, {one.get('state')}" for one in found.get("watches", ())
    ]
    asked.show(found, "\n".join(lines) or "nothing stands under this address")


def _opt_out(one: dict[str, Any]) -> list[str]:
    """One line, and one for each of its datasets."""
    datasets = one.get("datasets", ())
    return [
        f"opt-out {one.get('id')}: {one.get('state')}, {len(datasets)} datasets",
        *(
            f"  {line.get('dataset')}: {line.get('state')}"
            + (f", by lineage, made from {line['parent']}" if line.get("parent") else "")
            for line in datasets
        ),
    ]


@mine.command()
@TOKEN
@click.option("--undo", is_flag=True, help="Be found again.")
@asked
def hide(asked: Asked, token: str, *, undo: bool) -> None:
    """Be found by no name search: at once, for every identity that you proved."""
    with asked.registry() as registry:
        done = registry.act_on_mine("hide", {"hidden": not undo}, token=token)
    asked.show(done, f"{'shown again' if undo else 'hidden'}: {', '.join(done.get('identities', ()))}")


@mine.command()
@click.argument("id_", metavar="OPT_OUT")
@TOKEN
@asked
def withdraw(asked: Asked, id_: str, token: str) -> None:
    """Take one opt-out back."""
    with asked.registry() as registry:
        done = registry.act_on_mine("withdraw", {"opt_out": id_}, token=token)
    asked.show(done, f"opt-out {done.get('id', id_)}: {done.get('state')}")


@mine.command()
@click.argument("id_", metavar="WATCH")
@TOKEN
@asked
def unwatch(asked: Asked, id_: str, token: str) -> None:
    """End one watch."""
    with asked.registry() as registry:
        done = registry.act_on_mine("unwatch", {"watch": id_}, token=token)
    asked.show(done, f"watch {done.get('id', id_)}: {done.get('state')}")


@mine.command()
@TOKEN
@click.option("--yes", is_flag=True, help="Do not ask again.")
@asked
def erase(asked: Asked, token: str, *, yes: bool) -> None:
    """Erase your mail address, keys, proofs and words for good. Opt-outs in force go on; nobody can take them back then."""
    if not yes:
        click.confirm("This cannot be undone. Erase it?", abort=True, err=True)
    with asked.registry() as registry:
        done = registry.act_on_mine("erase", {"forever": True}, token=token)
    asked.show(done, f"erased; {done.get('suppressing')} opt-outs go on")
