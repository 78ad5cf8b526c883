"""`byline publisher register|show`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from byline.cli.options import Asked, asked
from byline.cli.reading import private_key, stamp
from byline.errors import Conflict

if TYPE_CHECKING:  # see options.py
    from byline.client.api import Registry


@click.group()
def publisher() -> None:
    """Register as a publisher, or look at one."""


@publisher.command()
@click.option("--slug", required=True, help="Your short name in dataset names: ibm-research.")
@click.option("--name", required=True, help="Your name as people know it.")
@click.option(
    "--key",
    "key_file",
    type=click.Path(path_type=Path),
    required=True,
    metavar="KEY.pem",
    help="Your private key.",
)
@asked
def register(asked: Asked, slug: str, name: str, key_file: Path) -> None:
    """Register.

    A statement signed by the key itself. Until a domain vouches, you are shown as self-declared.
    """
    from byline.client.describe import publisher_statement

    key = private_key(key_file)
    with asked.registry() as registry:
        envelope = publisher_statement(
            slug=slug,
            name=name,
            key=key,
            origin=registry.about()["origin"],
            stamp=stamp(),
        )
        made = _registered(registry, slug, envelope)
    asked.show(made, f"{slug} is registered ({made.get('status', 'self-declared')}), key {key.public.key_id}")


def _registered(registry: Registry, slug: str, envelope: bytes) -> dict[str, Any]:
    try:
        return registry.register(envelope)
    except Conflict as error:
        if error.code != "stale-previous":  # there is a statement of this publisher already
            raise
        raise Conflict(
            "already-registered",
            f"{slug} is registered already; sign with its key (`byline publisher show {slug}`), or choose another --slug",
            at="--slug",
        ) from error


@publisher.command()
@click.argument("slug")
@asked
def show(asked: Asked, slug: str) -> None:
    """Show a publisher: who vouches for it, its keys, its datasets."""
    with asked.registry() as registry:
        found = registry.publisher(slug)
    approved = "approved" if found.get("approved") else "not approved"
    lines = [f"{found.get('slug')}: {found.get('name')} ({found.get('status')}, {approved})"]
    lines += [
        f"  key {key.get('key_id')}{' (revoked)' if key.get('revoked_at') else ''}"
        for key in found.get("keys", [])
    ]
    lines += [f"  dataset {_label(one)}" for one in found.get("datasets", [])]
    asked.show(found, "\n".join(lines))


def _label(dataset: object) -> str:
    return str(dataset.get("dataset", dataset)) if isinstance(dataset, dict) else str(dataset)
