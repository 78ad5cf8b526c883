"""delivery: the notices that do not reach a publisher."""

from __future__ import annotations

from typing import Any

import click

from registry.cli.answer import answering

Answer = tuple[Any, str]


@click.group()
def delivery() -> None:
    """Notices that do not reach a publisher: what fails, and try again."""


@delivery.command("list")
@answering
def list_undelivered() -> Answer:
    """Webhooks and mails that failed; the dead ones are tried no more of themselves."""
    from registry.cli.opening import opened
    from registry.optouts.undelivered import undelivered

    with opened() as here, here.sessions() as session:
        found = undelivered(session)
    lines = [
        f"{one['publisher']:24} {one['channel']:8} {'dead' if one['dead'] else 'trying':7}"
        f" {one['attempts']:3} attempts  {one['waiting']} waiting  {one['error']}"
        for one in found
    ]
    return {"items": found}, "\n".join(lines) or "everything was delivered"


@delivery.command()
@click.argument("slug")
@answering
def again(slug: str) -> Answer:
    """Try what failed for this publisher again, now."""
    from registry.cli.opening import opened
    from registry.database import transaction
    from registry.optouts.undelivered import deliver_again

    with opened() as here, transaction(here.sessions) as session:
        count = deliver_again(session, slug=slug, now=here.clock())
    return {"publisher": slug, "again": count}, f"{count} will be tried now"
