"""`byline sync`."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from byline.cli.ages import AGE
from byline.cli.options import Asked, asked


@click.command()
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="Where what is believed is kept.",
)
@click.option(
    "--vkey",
    envvar="BYLINE_VKEY",
    metavar="KEY",
    help="The registry's log key. Without it the first sync trusts the one the registry shows, and pins it.",
)
@click.option("--max-age", type=AGE, metavar="D", help="The oldest head to accept: 45d, 12h, 30m.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=8,
    show_default=True,
    metavar="N",
    help="Files fetched at once.",
)
@asked
def sync(asked: Asked, state: Path, vkey: str | None, max_age: dt.timedelta | None, jobs: int) -> None:
    """Fetch the feed of opt-outs and believe only what is proved.

    Exits 0 only when the feed is believed and fresh; on any error the feed before stays as it was, and what was fetched
    is not fetched again. --registry may be a mirror of the registry's files, where --vkey says whose they are.
    """
    from byline.client.state import State
    from byline.client.sync import sync as bring
    from byline.formats.note import parse_vkey

    if vkey is not None:
        parse_vkey(vkey)  # a slip of the pen is not a registry that changed its key
    with asked.transport() as transport:
        made = bring(
            transport,
            State(state, make=True),
            now=lambda: dt.datetime.now(dt.timezone.utc),
            vkey=vkey,
            max_age=max_age,
            say=asked.say,
            jobs=jobs,
        )
    head = made.head
    document = {
        "origin": head.origin,
        "seq": head.seq,
        "time": f"{head.time:%Y-%m-%dT%H:%M:%SZ}",
        "expires": f"{head.expires:%Y-%m-%dT%H:%M:%SZ}",
        "sha256": head.sha256,
        "vkey": made.vkey,
        "changed": made.changed,
        "keys": head.keys,
        "coverage": dict(head.coverage),
        "fetched": {"files": made.fetched_files, "bytes": made.fetched_bytes},
        "state": str(state),
    }
    lines = [
        f"{head.origin}: head {head.seq} of {document['time']}, good until {document['expires']}",
        f"  {head.coverage['opt_outs']:,} opt-outs, {head.coverage['as_fingerprints']:,} of them as fingerprints",
        f"  {made.fetched_files:,} files, {made.fetched_bytes:,} bytes fetched",
    ]
    asked.show(document, "\n".join(lines))
