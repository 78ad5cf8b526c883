"""`byline audit`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from byline.cli.options import REFUSED, Asked, asked
from byline.cli.reading import file_bytes
from byline.errors import Refused

FILE = click.Path(path_type=Path, dir_okay=False)
_MARKS = {"holds": "holds    ", "does-not-hold": "DOES NOT ", "cannot-be-checked": "cannot   "}


@click.command()
@click.option(
    "--mirror",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help="Audit a copy, beside what is served.",
)
@click.option(
    "--mine",
    type=FILE,
    multiple=True,
    metavar="RECEIPT",
    help="A receipt you kept, and (give it twice) your opt-out: what `byline opt-out status … --json` wrote.",
)
@click.option(
    "--vkey",
    envvar="BYLINE_VKEY",
    metavar="KEY",
    help="The log's key, from somewhere else than the registry.",
)
@asked
def audit(asked: Asked, mirror: Path | None, mine: tuple[Path, ...], vkey: str | None) -> None:
    """Check what a registry publishes: its log, its statements, its feed; with --mine also what is yours.

    Exits 1 when something does not hold. What cannot be checked is said, and is never called clean.
    """
    from byline.client.audit import audit as check

    status, receipt = _mine(mine)
    with asked.transport() as transport:
        report = check(transport, mirror=mirror, vkey=vkey, status=status, kept_receipt=receipt)
    lines = []
    for one in report.findings:
        lines.append(f"{_MARKS[one.result]} {one.check} ({one.looked_at:,} looked at)")
        lines += [f"            wrong: {what}" for what in one.wrong[:5]]
        lines += [f"            not known: {what}" for what in one.unknown[:5]]
    lines.append(
        "nothing was found wrong"
        if report.holds
        else "something does not hold: see above, and keep the mirror"
    )
    asked.show(
        {"holds": report.holds, "checks": [one.as_json() for one in report.findings]}, "\n".join(lines)
    )
    if not report.holds:
        sys.exit(REFUSED)


def _mine(files: tuple[Path, ...]) -> tuple[dict[str, Any] | None, bytes | None]:
    """The status of an opt-out, and a receipt, whichever of the two were given."""
    from byline.formats import canonical
    from byline.formats.receipt import HEADER

    status: dict[str, Any] | None = None
    receipt: bytes | None = None
    for path in files:
        data = file_bytes(path, at="--mine")
        if data.startswith(HEADER.encode()):
            receipt = data
            continue
        found = canonical.loads(data, max_bytes=8 << 20, floats=True)
        if not isinstance(found, dict):
            raise Refused(
                "bad-status", f"{path} is neither a receipt nor the status of an opt-out", at="--mine"
            )
        status = found
    return status, receipt
