"""Signed statements as a publisher's own tools make them."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from byline.client import describe
from byline.client.describe import Measured, Said, Stamp, Standing
from byline.formats import envelope, statements
from byline.formats.keys import PrivateKey
from byline.formats.manifest import RecordFile
from byline.formats.statements import Subject
from tests.registry.publishing.desk import Extract


@dataclass
class Signer:
    """A publisher with its key, talking to one registry."""

    client: FlaskClient
    origin: str
    now: dt.datetime
    slug: str = "ibm-research"
    key: PrivateKey = field(default_factory=PrivateKey.generate)

    def stamp(self) -> Stamp:
        """Now, once."""
        return Stamp(self.now, secrets.token_bytes(16))

    def post(self, path: str, data: bytes, **headers: str) -> TestResponse:
        """Send an envelope."""
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(path, data=data, content_type="application/json", headers=said)

    def publisher(self, name: str = "IBM Research") -> bytes:
        """The self-signed statement."""
        return describe.publisher_statement(
            slug=self.slug, name=name, key=self.key, origin=self.origin, stamp=self.stamp()
        )

    def register(self) -> TestResponse:
        """Register."""
        return self.post("/v1/publishers", self.publisher())

    def key_change(
        self, action: str, key_id: str, *, previous: str | None = None, pem: str | None = None
    ) -> bytes:
        """Add or revoke a key."""
        stamp = self.stamp()
        predicate: dict[str, Any] = {
            **statements.common(origin=self.origin, now=stamp.now, nonce=stamp.nonce, previous=previous),
            "publisher": self.slug,
            "action": action,
            "public_key": pem,
            "roles": ["manifest"] if action == "add" else [],
        }
        return envelope.sign(
            statements.build(statements.KEY, [Subject(self.slug, key_id)], predicate), self.key
        )

    def manifest(self, *, version: str = "1.0.0", extract: Extract, previous: str | None = None) -> bytes:
        """A manifest of `extract`."""
        measured = Measured(
            files=[RecordFile("rows.csv", hashlib.sha256(version.encode()).hexdigest(), extract.rows)],
            format="csv",
            columns=extract.columns,
            extract_rows=extract.rows,
            extract_sha256=extract.sha256,
        )
        about = Said(
            dataset=f"{self.slug}/faces", version=version, title="Faces", purposes=["face-recognition"],
            access="research-only", annotations=["biometric:craniofacial measures:machine"],
        )  # fmt: skip
        standing = Standing(self.origin, previous, None, None)
        draft = describe.draft(about, measured, registry_says=standing)
        return describe.sign_draft(draft, self.key, registry_says=standing, stamp=self.stamp())

    def retraction(self, digest: str, *, previous: str, version: str = "1.0.0") -> bytes:
        """Take a manifest back."""
        standing = Standing(self.origin, previous, None, None)
        subject = Subject(f"{self.slug}/faces@{version}", digest)
        return describe.retraction_statement(
            subject, self.key, registry_says=standing, reason=None, stamp=self.stamp()
        )
