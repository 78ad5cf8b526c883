"""`byline publish`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import click

from byline.cli.options import Asked, asked
from byline.cli.reading import file_bytes, withheld_key


@click.command()
@click.argument("manifest", type=click.Path(path_type=Path), metavar="MANIFEST.dsse.json")
@click.argument("more", nargs=-1, metavar="")
@click.option(
    "--records",
    multiple=True,
    required=True,
    metavar="DIR|FILE|s3://…",
    help="Where the files lie. May be repeated.",
)
@click.option(
    "--withheld",
    type=click.Path(path_type=Path),
    metavar="KEY",
    help="The key that the manifest was made with, where its rows are withheld.",
)
@click.option("--wait", is_flag=True, help="Wait until it is published or refused.")
@click.option("--timeout", type=click.IntRange(1), default=3600, show_default=True, help="Seconds to wait.")
@asked
def publish(
    asked: Asked, manifest: Path, more: tuple[str, ...], records: tuple[str, ...], **said: Any
) -> None:
    """Send a signed manifest and its extract.

    The mapped columns of your files, never the files themselves.
    """
    from byline.client import measure
    from byline.client import publish as publishing

    envelope = file_bytes(manifest)
    signed = measure.signed_manifest(envelope)
    key = withheld_key(said["withheld"]) if said["withheld"] else None
    key = measure.withholding_key(signed, key)
    with asked.registry() as registry, tempfile.TemporaryDirectory(prefix="byline-") as folder:
        submission = registry.submit(envelope)
        asked.say(f"submission {submission.get('id')}: {submission.get('state')}")
        if submission.get("awaits"):
            parts = measure.extract_for(signed, [*records, *more], Path(folder), say=asked.say, key=key)
            if key is not None:
                registry.put_key(str(submission["id"]), key)
            publishing.upload(registry, submission, parts, say=asked.say)
        found = registry.submission(str(submission["id"]))
        if said["wait"]:
            found = publishing.wait(registry, str(submission["id"]), say=asked.say, seconds=said["timeout"])
        elif found.get("state") == "refused":
            raise publishing.refusal(found)
    asked.show(
        _answer(found),
        f"{found.get('dataset')} {found.get('version')}: {found.get('state')}\n  statement "
        f"{found.get('digest')}",
    )


def _answer(found: dict[str, Any]) -> dict[str, Any]:
    return {name: found.get(name) for name in ("id", "state", "digest", "dataset", "version", "receipt")}
