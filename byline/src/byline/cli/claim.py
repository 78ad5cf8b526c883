"""`byline claim`."""

from __future__ import annotations

import click

from byline.cli.options import Asked, asked


@click.command()
@click.argument("identity")
@click.option("--email", metavar="A@B", help="Where the registry reaches you about this claim; never shown.")
@asked
def claim(asked: Asked, identity: str, email: str | None) -> None:
    """Say: this identity is me.

    IDENTITY is flickr:12345@N00, host:example.org, name:PUB/DATASET:NAME, or the address of a profile. You
    get a
    token, which is secret and acts for you, and a proof, a public line for your profile that says nothing
    of the token.
    """
    with asked.registry() as registry:
        made = registry.claim(identity, email=email)
    lines = [
        f"claim {made.get('id')}: {made.get('state', 'pending')}",
        f"token (secret, shown once): {made.get('token')}",
        f"proof (public): {made.get('proof')}",
        f"once it is confirmed: byline opt-out --claim {made.get('id')} --token …",
    ]
    asked.show(made, "\n".join(lines))
