"""`byline watch`: be told when a new dataset names a maker, or when a publisher answers an opt-out."""

from __future__ import annotations

from typing import Any

import click

from byline.cli.options import Asked, asked

TOKEN = click.option("--token", required=True, metavar="TOKEN", help="The secret that `byline watch` gave.")


class _WatchGroup(click.Group):
    """`byline watch IDENTITY …` is `byline watch add IDENTITY …`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """What is no name of a command begins a new watch."""
        known = args if args[0] in self.commands else ["add", *args]
        return super().resolve_command(ctx, known)


@click.group(
    cls=_WatchGroup,
    context_settings={"ignore_unknown_options": True},
    subcommand_metavar="IDENTITY | COMMAND …",
)
def watch() -> None:
    """Be told when a new dataset names a maker, or when a publisher answers your opt-out.

    `byline watch flickr:12345678@N00 --email A@B`, or `byline watch --opt-out ID --token T --email A@B`.
    """


@watch.command()
@click.argument("identity", metavar="[IDENTITY]", required=False)
@click.option(
    "--opt-out",
    "opt_out",
    metavar="ID",
    help="Hear of the answers to this opt-out instead; with its --token.",
)
@click.option("--token", metavar="TOKEN", help="The opt-out's token.")
@click.option("--email", metavar="A@B", help="Where to write; a mailed link confirms it first.")
@click.option("--webhook", metavar="URL", help="Where to POST (Standard Webhooks) instead.")
@click.pass_context
@asked
def add(asked: Asked, ctx: click.Context, **said: Any) -> None:
    """Begin: of a maker (IDENTITY), or of an opt-out; by mail or by webhook."""
    if bool(said["identity"]) == bool(said["opt_out"]):
        raise click.UsageError("name a maker, or an opt-out with --opt-out ID --token TOKEN", ctx)
    if bool(said["email"]) == bool(said["webhook"]):
        raise click.UsageError("give --email A@B or --webhook URL", ctx)
    if said["opt_out"] and not said["token"]:
        raise click.UsageError("--opt-out needs its --token", ctx)
    asked_for = {
        "about": said["identity"],
        "opt_out": said["opt_out"],
        "email": said["email"],
        "webhook": said["webhook"],
    }
    with asked.registry() as registry:
        made = registry.watch(
            {name: value for name, value in asked_for.items() if value}, token=said["token"]
        )
    lines = [f"watch {made.get('id')}: {made.get('about')}, {made.get('state')}"]
    lines += ["  a mail is on its way; the link in it confirms"] if said["email"] else []
    lines.append(f"token (secret, shown once): {made.get('token')}")
    lines += [f"webhook secret (shown once): {made['secret']}"] if made.get("secret") else []
    lines.append(f"  what it told: byline watch show {made.get('id')} --token …")
    asked.show(made, "\n".join(lines))


@watch.command()
@click.argument("id_", metavar="WATCH")
@TOKEN
@asked
def show(asked: Asked, id_: str, token: str) -> None:
    """Show how a watch stands, and what it told."""
    with asked.registry() as registry:
        found = registry.watch_state(id_, token=token)
    lines = [f"watch {found.get('id')}: {found.get('about')} by {found.get('channel')}, {found.get('state')}"]
    lines += [f"  {found['problem']}, since {found.get('failing_since')}"] if found.get("problem") else []
    lines += [
        f"  {one.get('at')} {one.get('dataset')} {one.get('version') or one.get('state') or ''}".rstrip()
        for one in found.get("events", ())
    ] or ["  nothing new so far"]
    asked.show(found, "\n".join(lines))


@watch.command()
@click.argument("id_", metavar="WATCH")
@TOKEN
@asked
def end(asked: Asked, id_: str, token: str) -> None:
    """End a watch; nothing of it is kept."""
    with asked.registry() as registry:
        done = registry.end_watch(id_, token=token)
    asked.show(done, f"watch {done.get('id', id_)}: {done.get('state')}")
