"""`byline claim`, with `show` and `verify` below it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import click

from byline.cli.options import REFUSED, Asked, asked

_EACH, _LONGEST = 0.5, 60.0  # seconds between two looks, and in all


class _ClaimGroup(click.Group):
    """`byline claim IDENTITY` claims; `byline claim verify ID` is a command below it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the hidden command before whatever is none of the others."""
        if args and args[0] not in self.commands and args[0] not in {"--help", "-h"}:
            args = ["make", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_ClaimGroup, options_metavar="", subcommand_metavar="IDENTITY [--email A@B] | COMMAND ...")
def claim() -> None:
    """Say: this identity is me.

    IDENTITY is flickr:12345@N00, host:example.org, name:PUB/DATASET:NAME, or the address of a profile. You
    get a token, which is secret and acts for you, and a proof, a public line for your profile that says
    nothing of the token. Then `byline claim verify`.
    """


@claim.command(hidden=True)
@click.argument("identity")
@click.option("--email", metavar="A@B", help="Where the registry reaches you about this claim; never shown.")
@asked
def make(asked: Asked, identity: str, email: str | None) -> None:
    """Say: this identity is me."""
    with asked.registry() as registry:
        made = registry.claim(identity, email=email)
    lines = [
        f"claim {made.get('id')}: {made.get('state', 'pending')}",
        f"token (secret, shown once): {made.get('token')}",
        f"proof (public): {made.get('proof')}",
        *_places(made),
        f"then: byline claim verify {made.get('id')} --token …",
        f"once it is confirmed: byline opt-out --claim {made.get('id')} --token …",
    ]
    asked.show(made, "\n".join(lines))


@claim.command()
@click.argument("claim_id")
@click.option("--token", required=True, metavar="TOKEN", help="The claim's secret.")
@asked
def show(asked: Asked, claim_id: str, token: str) -> None:
    """Show how a claim stands, and what was seen where its line may stand."""
    with asked.registry() as registry:
        found = registry.claim_status(claim_id, token=token)
    asked.show(found, _told(found))


@claim.command()
@click.argument("claim_id")
@click.option("--token", required=True, metavar="TOKEN", help="The claim's secret.")
@click.option("--photo", metavar="ID", help="Look on the page of this photo of yours instead of the profile.")
@click.option("--by-mail", is_flag=True, help="Your account is gone: confirm by mail. It counts for less.")
@click.pass_context
@asked
def verify(
    asked: Asked, ctx: click.Context, claim_id: str, *, token: str, photo: str | None, by_mail: bool
) -> None:
    """Have the registry look for your line, and wait for what it saw. Exit 1 while it is not confirmed."""
    with asked.registry() as registry:
        found = registry.verify(claim_id, token=token, photo=photo, by_mail=by_mail)
        waited = 0.0
        while found.get("checking") and not by_mail and waited < _LONGEST:
            time.sleep(_EACH)
            waited += _EACH
            found = registry.claim_status(claim_id, token=token)
    told = "a mail is on its way; the link in it confirms" if by_mail else _told(found)
    asked.show(found, told)
    if found.get("state") != "confirmed" and not by_mail:
        ctx.exit(REFUSED)


def _told(found: Mapping[str, Any]) -> str:
    assurance = f" ({found['assurance']})" if found.get("assurance") else ""
    lines = [f"claim {found.get('id')}: {found.get('state')}{assurance}"]
    lines += [
        f"  {one.get('state')} at {one.get('place')}: {one.get('saw')}" for one in found.get("proofs", ())
    ]
    if found.get("checking"):
        lines.append("  the registry is still looking; ask again: byline claim show")
    elif found.get("state") != "confirmed":
        lines += [f"put this line there, whole: {found.get('proof')}", *_places(found)]
    return "\n".join(lines)


def _places(found: Mapping[str, Any]) -> list[str]:
    places = [f"  {one.get('place')}: {one.get('advice')}" for one in found.get("places", ())]
    return places or [
        "  no page of this identity can carry it: byline claim verify --by-mail, or the operator"
    ]
