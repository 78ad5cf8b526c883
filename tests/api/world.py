"""A registry in which one dataset is published, made over REST; the worker works for real."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from api.app import create_app
from byline.formats.keys import PrivateKey
from registry.models import Job
from registry.runtime import Runtime, open_runtime
from registry.worker import Worker
from tests.api.clock import Clock
from tests.api.signing import Signer
from tests.plugins.parts import copy_registry, settings_in
from tests.registry.publishing.desk import extract_of, records

PHOTO = "https://www.flickr.com/photos/12345678@N00/3072908271/"
STATIC = "https://live.staticflickr.com/65535/3072908271_abcdef0123_b.jpg"
ROWS = records(
    {"url": STATIC, "landing_url": PHOTO, "creator_name": "Jané Doe", "title": "Cat, 2009",
     "license": "https://creativecommons.org/licenses/by/2.0/"},
    {"url": STATIC.replace("3072908271", "3072908272"), "landing_url": PHOTO.replace("271/", "272/"),
     "creator_name": "Jané Doe", "title": "Dog"},
    {"url": "https://example.org/pictures/000001.jpg"},
)  # fmt: skip


@dataclasses.dataclass
class World:
    """A registry in which one dataset is published."""

    runtime: Runtime
    client: FlaskClient
    signer: Signer
    manifest: bytes

    def settle(self) -> None:
        """Let the worker do all there is to do."""
        Worker(self.runtime).settle()

    def get(self, address: str, **headers: str) -> Any:
        """The JSON at an address."""
        answer = self.client.get(address, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def mails(self) -> list[str]:
        """What was written to people."""
        folder = self.runtime.settings.data_dir / "mail"
        return [path.read_text() for path in sorted(folder.iterdir())] if folder.is_dir() else []


def publish_in(folder: Path) -> None:
    """Register, submit, upload, let the worker work; what the publisher keeps lies in test.json."""
    runtime = open_runtime(settings_in(folder), clock=Clock())
    client = create_app(runtime).test_client()
    signer = Signer(client, runtime.settings.origin, runtime.clock())
    assert signer.register().status_code == 201
    extract = extract_of(ROWS)
    manifest = signer.manifest(extract=extract)
    submitted = signer.post("/v1/manifests", manifest)
    assert submitted.status_code == 202, submitted.text
    where = submitted.headers["Location"]
    sent = client.put(f"{where}/extract/0", data=extract.parts[0], content_type="application/octet-stream")
    assert sent.status_code == 200, sent.text
    Worker(runtime).settle()
    with runtime.sessions() as session:
        failed = session.scalars(select(Job.last_error).where(Job.last_error.is_not(None))).all()
    assert client.get(where).get_json()["state"] == "published", (failed, client.get(where).text)
    kept = {"key": signer.key.to_pem().decode(), "manifest": manifest.decode(), "submission": where}
    (folder / "test.json").write_text(json.dumps(kept))
    runtime.close()


@contextmanager
def world_from(published: Path, folder: Path) -> Iterator[World]:
    """A copy of it, to be changed."""
    copy_registry(published, folder)
    kept = json.loads((folder / "test.json").read_text())
    often = "100000/minute"
    runtime = open_runtime(
        settings_in(folder, budget_read=often, budget_lookup=often, budget_write=often), clock=Clock()
    )
    client = create_app(runtime).test_client()
    key = PrivateKey.from_pem(kept["key"].encode())
    signer = Signer(client, runtime.settings.origin, runtime.clock(), key=key)
    yield World(runtime, client, signer, kept["manifest"].encode())
    runtime.close()
