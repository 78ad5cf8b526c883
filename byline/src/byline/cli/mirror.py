"""`byline mirror`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from byline.cli.options import Asked, asked


@click.command()
@click.option(
    "--to", type=click.Path(path_type=Path, file_okay=False), required=True, metavar="DIR", help="The copy."
)
@click.option(
    "--vkey",
    envvar="BYLINE_VKEY",
    metavar="KEY",
    help="The log's key. Without it the first run pins the one shown.",
)
@asked
def mirror(asked: Asked, to: Path, vkey: str | None) -> None:
    """Copy log, statements and feed, checked, for any static server. Run it again to bring it up to date."""
    from byline.client.mirror import mirror as copy

    with asked.transport() as transport:
        done = copy(transport, to, vkey=vkey, say=asked.say)
    asked.show(
        {"to": str(to), **asdict(done)},
        f"{to}: the log up to {done.size:,} entries ({done.size - done.before:,} new), {done.files:,} files copied, "
        f"{done.statements:,} of them statements; {done.redacted:,} statements are taken from view",
    )
