"""`byline receipt`."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import TYPE_CHECKING

import click

from byline.cli.options import Asked, asked
from byline.cli.reading import file_bytes, save
from byline.errors import Refused

if TYPE_CHECKING:
    from byline.formats.receipt import Proved

FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def receipt() -> None:
    """Fetch a proof that something stands in the log; check one offline."""


@receipt.command()
@click.argument("digest", metavar="DIGEST")
@click.option("-o", "--out", type=FILE, required=True, metavar="FILE", help="Where it is written.")
@asked
def get(asked: Asked, digest: str, out: Path) -> None:
    """Fetch the receipt of a statement (its digest) or of an opt-out (its commitment), and keep it."""
    from byline.client.log import Log

    with asked.transport() as transport:
        data = Log(transport).receipt(digest.removeprefix("sha256:"))
    save(out, data)
    asked.show(
        {"digest": digest, "file": str(out)}, f"{out}: keep it; `byline receipt verify` checks it anywhere"
    )


@receipt.command()
@click.argument("file", type=FILE, metavar="FILE")
@click.option(
    "--statement",
    type=FILE,
    required=True,
    metavar="FILE",
    help="The signed statement, or the status of an opt-out (`byline opt-out status … --json`).",
)
@click.option(
    "--key", "vkey", required=True, envvar="BYLINE_VKEY", metavar="VKEY", help="The log's verifier key."
)
@asked
def verify(asked: Asked, file: Path, statement: Path, vkey: str) -> None:
    """Check a receipt with the file, the key and the statement alone; nothing is fetched."""
    from byline.formats import receipt as receipts

    proved = receipts.verify(receipts.read(file_bytes(file, at="FILE")), vkey=vkey)
    _check_same(proved, file_bytes(statement, at="--statement"))
    shown = {
        "origin": proved.checkpoint.origin,
        "log_size": proved.checkpoint.size,
        "index": proved.index,
        "entry": proved.entry,
    }
    asked.show(
        shown,
        f"entry {proved.index} of the log of {proved.checkpoint.origin} ({proved.checkpoint.size} entries when the receipt was "
        f"made) is this {proved.entry['kind']}, of {proved.entry['at']}",
    )


def _check_same(proved: Proved, data: bytes) -> None:
    """The entry is of this envelope, of this bare statement, or of the wish this status opens."""
    from byline.formats import canonical, envelope
    from byline.formats import receipt as receipts

    found = canonical.loads(data, max_bytes=envelope.MAX_ENVELOPE, floats=True)
    opening = found.get("receipt") if isinstance(found, dict) else None
    if isinstance(opening, dict):
        try:
            salt, wish = (
                bytes.fromhex(str(opening["salt"])),
                base64.b64decode(str(opening["request"]), validate=True),
            )
        except (KeyError, ValueError, binascii.Error) as error:
            raise Refused(
                "bad-status", "this status opens no wish: its receipt has no salt and request"
            ) from error
        receipts.verify_commitment(proved, salt=salt, request=wish)
    elif isinstance(found, dict) and "payload" in found:
        receipts.verify_statement(proved, envelope.open_envelope(data).payload)
        receipts.verify_envelope(proved, data)
    else:
        receipts.verify_statement(proved, data)
