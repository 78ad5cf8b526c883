"""`byline manifest init|check|sign|verify|show`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from byline.cli.manifest_init import init
from byline.cli.options import Asked, asked
from byline.cli.reading import file_bytes, private_key, public_key, save, stamp, standing
from byline.errors import Conflict

_PATH = click.Path(path_type=Path)


@click.group()
def manifest() -> None:
    """Describe a dataset, check it, sign it."""


manifest.add_command(init)


@manifest.command()
@click.argument("file", type=_PATH)
@click.option(
    "--records", multiple=True, required=True, metavar="DIR|FILE|s3://…", help="Where the files lie."
)
@click.option(
    "--state",
    type=_PATH,
    metavar="DIR",
    help="Your synced feed: counts the rows that standing opt-outs would take.",
)
@asked
def check(asked: Asked, file: Path, records: tuple[str, ...], state: Path | None) -> None:
    """Show, before anything is signed or sent, what will become public and what each row resolves to."""
    from byline.client import check as checking
    from byline.client import measure, wording
    from byline.client.feed import Feed

    draft = measure.any_manifest(file_bytes(file))
    feed = Feed.open(state) if state is not None else None
    found = checking.check(draft, records, feed=feed, say=asked.say)
    asked.show(found, wording.as_text(found))


@manifest.command()
@click.argument("file", type=_PATH)
@click.option("--key", "key_file", type=_PATH, required=True, metavar="KEY.pem", help="Your private key.")
@click.option(
    "--origin", help="The registry it is meant for, to sign offline; `previous` stays as the draft has it."
)
@click.option(
    "-o", "--out", type=_PATH, required=True, metavar="manifest.dsse.json", help="The signed manifest."
)
@asked
def sign(asked: Asked, file: Path, key_file: Path, origin: str | None, out: Path) -> None:
    """Sign a draft: time, nonce and what the registry says about the dataset go in now."""
    from byline.client import describe
    from byline.formats import envelope

    draft = describe.read_draft(file_bytes(file))
    key = private_key(key_file)
    if origin:
        draft["predicate"] = {**draft["predicate"], "origin": origin}
    known = bool(draft["predicate"].get("origin"))
    told = None if origin else standing(asked, _dataset_of(draft), offline=False, needed=not known)
    sealed = describe.sign_draft(draft, key, registry_says=told, stamp=stamp())
    save(out, sealed)
    digest = envelope.open_envelope(sealed).digest
    document = {"manifest": str(out), "digest": digest, "key_id": key.public.key_id}
    asked.show(
        document,
        f"{out}: statement {digest}, signed by {key.public.key_id}\n  next: byline publish {out} "
        "--records … --wait",
    )


@manifest.command()
@click.argument("file", type=_PATH)
@click.option(
    "--key",
    "key_file",
    type=_PATH,
    metavar="KEY.pem.pub",
    help="The public key; else the publisher's keys are asked of the registry.",
)
@asked
def verify(asked: Asked, file: Path, key_file: Path | None) -> None:
    """Check a signed manifest's shape and signature; exit 1 where it does not hold."""
    from byline.client import measure
    from byline.formats import envelope

    data = file_bytes(file)
    signed = measure.signed_manifest(data)
    opened = envelope.open_envelope(data)
    keys = [public_key(key_file)] if key_file else _registered_keys(asked, signed.dataset.publisher)
    signer = envelope.signer(opened, keys)
    document = {
        "dataset": signed.dataset.dataset,
        "version": signed.dataset.version,
        "digest": opened.digest,
        "key_id": signer.key_id,
        "valid": True,
    }
    asked.show(document, f"{signed.dataset.label}: signed by {signer.key_id}\n  statement {opened.digest}")


@manifest.command()
@click.argument("file", type=_PATH)
@asked
def show(asked: Asked, file: Path) -> None:
    """Show a draft or a signed manifest in words; its signature is not checked."""
    from byline.client import measure, wording

    found = measure.any_manifest(file_bytes(file))
    asked.show(found, wording.in_words(found))


def _registered_keys(asked: Asked, slug: str) -> list[Any]:
    from byline.formats.keys import PublicKey

    with asked.registry() as registry:
        told = registry.publisher(slug).get("keys", [])
    keys = [
        PublicKey.parse(str(key["public_key"]))
        for key in told
        if key.get("public_key") and not key.get("revoked_at")
    ]
    if not keys:
        raise Conflict(
            "no-standing-key", f"the registry shows no standing key of {slug}; give --key KEY.pem.pub"
        )
    return keys


def _dataset_of(draft: Mapping[str, Any]) -> str:
    dataset = draft["predicate"].get("dataset") or {}
    return f"{dataset.get('publisher')}/{dataset.get('name')}"
