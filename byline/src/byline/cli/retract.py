"""`byline retract`."""

from __future__ import annotations

from pathlib import Path

import click

from byline.cli.options import Asked, asked
from byline.cli.reading import private_key, stamp
from byline.errors import NotFound


@click.command()
@click.argument("version", metavar="PUB/NAME@VERSION")
@click.option(
    "--key",
    "key_file",
    type=click.Path(path_type=Path),
    required=True,
    metavar="KEY.pem",
    help="A key of the publisher.",
)
@click.option("--reason", help="Shown with the retraction.")
@asked
def retract(asked: Asked, version: str, key_file: Path, reason: str | None) -> None:
    """Withdraw a published version at once: its rows leave search, its extract is deleted."""
    from byline.client import describe
    from byline.formats.statements import Subject

    dataset, at, number = version.partition("@")
    if not at or "/" not in dataset:
        raise click.UsageError("say which version: PUB/NAME@VERSION")
    key = private_key(key_file)
    with asked.registry() as registry:
        found = registry.version(dataset, number)
        if not found.get("digest"):
            raise NotFound("no-such-version", f"the registry shows no manifest of {version}")
        envelope = describe.retraction_statement(
            Subject(version, str(found["digest"])),
            key,
            registry_says=describe.standing(registry, dataset),
            reason=reason,
            stamp=stamp(),
        )
        made = registry.retract(envelope)
    asked.show(made, f"{version} is retracted")
