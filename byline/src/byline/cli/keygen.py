"""`byline keygen`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from byline.cli.options import Asked, asked
from byline.errors import Conflict


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="KEY.pem",
    help="Where the private key goes; KEY.pem.pub is written beside it.",
)
@asked
def keygen(asked: Asked, out: Path) -> None:
    """Make an Ed25519 signing key. Keep KEY.pem secret; KEY.pem.pub may be shown to everybody."""
    from byline.formats.keys import PrivateKey

    key = PrivateKey.generate()
    public = out.with_name(out.name + ".pub")
    _write_new(out, key.to_pem(), 0o600)
    _write_new(public, key.public.to_pem().encode(), 0o644)
    document = {"key_id": key.public.key_id, "private": str(out), "public": str(public)}
    asked.show(
        document, f"key id {key.public.key_id}\nprivate key {out} (keep it secret), public key {public}"
    )


def _write_new(path: Path, data: bytes, mode: int) -> None:
    # Create only: a key written over is a publisher locked out.
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        raise Conflict(
            "file-exists", f"{path} is there already; keys are never written over", at="--out"
        ) from error
    with os.fdopen(handle, "wb") as out:
        out.write(data)
