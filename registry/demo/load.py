"""Load the demo as a publisher would: with the `byline` command, over HTTP, against a running registry."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from byline.errors import Unavailable
from registry.demo.datasets import PUBLISHERS, DemoDataset, cast, write_all

Say = Callable[[str], None]


def load_demo(*, registry: str, folder: Path, say: Say) -> list[str]:
    """Register the demo's publishers, publish its datasets, and give names worth searching for.

    Whatever stands already is left alone, so a run that was cut short is finished by the next one.
    """
    keys = folder / "keys"
    keys.mkdir(parents=True, exist_ok=True)
    for slug, name in PUBLISHERS.items():
        register(slug, name, keys=keys, registry=registry, say=say)
    for dataset in write_all(folder / "files"):
        if is_published(dataset, registry):
            say(f"  {dataset.ref} {dataset.version}: there already")
        else:
            publish(dataset, keys=keys, folder=folder, registry=registry)
            say(f"  {dataset.ref} {dataset.version}: published")
    return worth_searching()


def worth_searching() -> list[str]:
    """A name in each of several scripts, all in at least two of the datasets."""
    shown = cast()[:13]
    return [shown[at].name for at in (0, 1, 2, 5, 6, 12)]


def wait_until_ready(registry: str, *, seconds: float = 60.0) -> None:
    """Wait for `/readyz`; Unavailable("not-ready") when it does not come."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{registry}/readyz", timeout=2).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise Unavailable(
        "not-ready", f"the registry at {registry} did not become ready; its output above says why"
    )


def register(slug: str, name: str, *, keys: Path, registry: str, say: Say) -> None:
    """Make a key and register the publisher, once."""
    key = keys / f"{slug}.pem"
    if not key.exists():
        byline("keygen", "--out", str(key), registry=registry)
    if httpx.get(f"{registry}/v1/publishers/{slug}", timeout=10).status_code == httpx.codes.NOT_FOUND:
        byline("publisher", "register", "--slug", slug, "--name", name, "--key", str(key), registry=registry)
        say(f"  {slug}: registered")


def is_published(dataset: DemoDataset, registry: str) -> bool:
    """Whether this version is there."""
    answer = httpx.get(f"{registry}/v1/datasets/{dataset.ref}/versions/{dataset.version}", timeout=10)
    return answer.status_code == httpx.codes.OK


def publish(dataset: DemoDataset, *, keys: Path, folder: Path, registry: str) -> None:
    """Describe, sign and send one dataset; a signed manifest of an earlier try is sent again as it is."""
    unsigned = folder / f"{dataset.name}.manifest.json"
    signed = folder / f"{dataset.name}.manifest.dsse.json"
    if not signed.exists():
        columns = [
            word for field, column in dataset.mapping.items() for word in ("--map", f"{field}={column}")
        ]
        byline(
            "manifest", "init", "--dataset", dataset.ref, "--version", dataset.version,
            "--records", str(dataset.file), *columns, *dataset.options, "-o", str(unsigned),
            registry=registry,
        )  # fmt: skip
        key = keys / f"{dataset.publisher}.pem"
        byline("manifest", "sign", str(unsigned), "--key", str(key), "-o", str(signed), registry=registry)
    byline("publish", str(signed), "--records", str(dataset.file), "--wait", registry=registry)


def byline(*words: str, registry: str) -> dict[str, object]:
    """Run the `byline` command that lies beside this Python, with --json.

    Unavailable("demo-failed") with its words.
    """
    command = Path(sys.executable).with_name("byline")
    done = subprocess.run(
        [str(command), *words, "--registry", registry, "--json"],
        capture_output=True, text=True, check=False, env={**os.environ, "BYLINE_REGISTRY": registry},
    )  # fmt: skip
    if done.returncode != 0:
        raise Unavailable(
            "demo-failed", f"byline {' '.join(words[:2])}: {done.stdout.strip() or done.stderr.strip()}"
        )
    answer: dict[str, object] = json.loads(done.stdout)
    return answer
