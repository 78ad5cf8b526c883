"""`byline report verify`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from byline.cli.options import Asked, asked
from byline.cli.reading import file_bytes, public_key

if TYPE_CHECKING:  # see options.py
    from byline.formats.receipt import Proved

FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def report() -> None:
    """Check what somebody else's filter says of itself."""


@report.command()
@click.argument("file", type=FILE, metavar="REPORT")
@click.option("--key", "key_file", type=FILE, required=True, metavar="KEY", help="The holder's public key.")
@click.option(
    "--signature", type=FILE, metavar="FILE", help="Where the signature is. Default: REPORT.dsse.json."
)
@click.option(
    "--vkey",
    envvar="BYLINE_VKEY",
    metavar="VKEY",
    help="The registry's log key: check as well that the feed it went by was published (asks --registry).",
)
@click.option(
    "--receipt",
    type=FILE,
    metavar="FILE",
    help="With --vkey: the receipt of the feed's head; nothing is fetched.",
)
@click.option(
    "--data",
    type=FILE,
    multiple=True,
    metavar="FILE",
    help="A file that this run should have read or written.",
)
@asked
def verify(
    asked: Asked,
    file: Path,
    key_file: Path,
    signature: Path | None,
    vkey: str | None,
    receipt: Path | None,
    data: tuple[Path, ...],
) -> None:
    """Check a filter's report with the key of who filtered: that they signed it, and that it adds up.

    Exit 1 where it is not as they signed it (wrong-report), not theirs (bad-signature), or went by a feed that the
    registry never published (head-not-logged). It stays their word: nobody else saw the run.
    """
    from byline.client.report_check import check_named, checked_report
    from byline.client.sources import Source
    from byline.formats.filter_reports import MAX_REPORT

    if receipt is not None and vkey is None:
        raise click.UsageError("--receipt needs the log's key: --vkey")
    key = public_key(key_file)
    envelope = signature or file.with_name(f"{file.name}.dsse.json")
    found = checked_report(
        file_bytes(file, at="REPORT", most=MAX_REPORT), file_bytes(envelope, at="--signature"), key
    )
    for one in data:
        check_named(found, str(one), Source(str(one), one.name).sha256())
    proved = _head(asked, found, vkey, receipt) if vkey else None
    asked.show(_document(found, key.key_id, proved, data), _text(found, key.key_id, proved, data))


def _head(asked: Asked, found: Mapping[str, Any], vkey: str, file: Path | None) -> Proved:
    from byline.client.log import Log
    from byline.client.report_check import check_head, head_receipt

    if file is not None:
        return check_head(found, file_bytes(file, at="--receipt"), vkey=vkey)
    with asked.transport() as transport:
        return check_head(found, head_receipt(Log(transport), found), vkey=vkey)


def _document(
    found: Mapping[str, Any], key_id: str, proved: Proved | None, data: tuple[Path, ...]
) -> dict[str, Any]:
    said = {name: found[name] for name in ("rows_in", "rows_out", "dropped", "unreadable", "for", "coverage")}
    feed = {name: found["feed"][name] for name in ("origin", "seq", "sha256", "time")}
    logged = proved and {"index": proved.index, "log_size": proved.checkpoint.size, "at": proved.entry["at"]}
    return {"key_id": key_id, **said, "feed": feed, "logged": logged, "data": [str(one) for one in data]}


def _text(found: Mapping[str, Any], key_id: str, proved: Proved | None, data: tuple[Path, ...]) -> str:
    rows_in, rows_out, unreadable = (found[name] for name in ("rows_in", "rows_out", "unreadable"))
    feed, use = found["feed"], found["for"]["asked"]
    looked_up = "not looked up; --vkey checks that it was published"
    if proved:
        looked_up = f"entry {proved.index} of the log, of {proved.entry['at']}"
    lines = [
        f"signed by key {key_id}, and as it was signed",
        f"  {rows_in:,} rows in, {rows_out:,} out, {unreadable:,} unreadable; asked for: {use}",
        f"  by head {feed['seq']} of {feed['origin']}, {feed['time']}: {looked_up}",
    ]
    return "\n".join([*lines, *(f"  {one}: of this run" for one in data)])
