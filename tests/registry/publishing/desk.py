"""A publisher's desk beside a real registry (SQLite, a folder): signs, sends, and has the worker's job done at once."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Engine, select

from byline.formats import envelope, statements
from byline.formats.extract import ExtractDigest, extract_schema
from byline.formats.keys import PrivateKey
from byline.formats.statements import Subject
from registry.config import Settings
from registry.contributors.sealed import SEAL
from registry.database import Sessions, make_engine, make_items_engine, make_sessions, transaction
from registry.models import Base, Job, Manifest, Submission, items_metadata
from registry.publishing import pipeline, publishers, retract, submit, uploads
from registry.seal import Seal
from registry.storage import ObjectStore
from registry.storage.opening import open_store
from tests.plugins.parts import settings_in

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
Change = Callable[[dict[str, Any]], None]


@dataclass
class Registry:
    """The parts a use case asks for by name, and a clock that a test moves."""

    settings: Settings
    engine: Engine
    sessions: Sessions
    items: Engine
    store: ObjectStore
    now: dt.datetime = NOW
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def new_id(self) -> str:
        """32 hex digits, each time others."""
        return f"{next(self.numbers):032x}"

    def ingest(self, submission_id: str) -> None:
        """What the worker does for a job of this kind."""
        pipeline.ingest(
            submission_id,
            sessions=self.sessions,
            items=self.items,
            store=self.store,
            settings=self.settings,
            clock=lambda: self.now,
        )

    def forget_withdrawn(self) -> None:
        """Do the waiting `forget` jobs."""
        with transaction(self.sessions) as session:
            jobs = session.scalars(select(Job).where(Job.kind == "forget")).all()
            for job in jobs:
                session.delete(job)
        for job in jobs:
            retract.forget(job.payload, sessions=self.sessions, items=self.items, store=self.store)

    def view(self, submission_id: str) -> dict[str, Any]:
        """What the client sees."""
        with self.sessions() as session:
            return submit.submission_view(session, submission_id)

    def manifest(self, digest: str) -> Manifest | None:
        """Its row."""
        with self.sessions() as session:
            return session.scalar(select(Manifest).where(Manifest.digest == digest))


@contextmanager
def registry_in(folder: Path, **settings: Any) -> Iterator[Registry]:
    """A registry with empty tables."""
    folder.mkdir(parents=True, exist_ok=True)
    made = settings_in(folder, disk_reserve=0, **settings)
    engine, items = make_engine(made.database_url), make_items_engine(made.items_url)
    with engine.connect() as connection, connection.begin():
        Base.metadata.create_all(connection)
    with items.connect() as connection, connection.begin():
        items_metadata.create_all(connection)
    try:
        sessions = make_sessions(engine, {SEAL: Seal(bytes(32))})
        yield Registry(made, engine, sessions, items, open_store(made.object_store))
    finally:
        engine.dispose()
        items.dispose()


@dataclass(frozen=True)
class Extract:
    """Bytes of one or more parts, and what a manifest says of them."""

    parts: tuple[bytes, ...]
    columns: Mapping[str, str]
    rows: int
    sha256: str
    files: tuple[int, ...]


def records(*rows: Mapping[str, str | None]) -> pa.Table:
    """A table of mapped fields, missing ones null."""
    names = [
        name
        for name in extract_schema(sorted({name for row in rows for name in row})).names
        if name not in ("file", "row")
    ]
    return pa.table({name: pa.array([row.get(name) for row in rows], pa.string()) for name in names})


def extract_of(
    *files: pa.Table, columns: Mapping[str, str] | None = None, row_group: int = 65_536
) -> Extract:
    """The extract of files whose columns are fields already; rows are numbered as they come."""
    names = files[0].schema.names
    schema = extract_schema(names)
    tables = [
        pa.table(
            {
                "file": pa.array([number] * table.num_rows, pa.int32()),
                "row": pa.array(range(table.num_rows), pa.int64()),
            }
            | {name: table[name] for name in schema.names if name in names}
        )
        for number, table in enumerate(files)
    ]
    whole = pa.concat_tables(tables).cast(schema).combine_chunks()
    digest = ExtractDigest(names)
    for batch in whole.to_batches():
        digest.update(batch)
    sink = io.BytesIO()
    plain = [name for name in names if name in ("creator_name", "creator_url", "creator_id", "license")]
    pq.write_table(whole, sink, compression="zstd", row_group_size=row_group, use_dictionary=plain)
    mapped = {name: f"The {name}" for name in schema.names if name in names}
    return Extract(
        (sink.getvalue(),),
        columns or mapped,
        whole.num_rows,
        digest.hexdigest(),
        tuple(one.num_rows for one in files),
    )


@dataclass
class Desk:
    """One publisher: its slug and key, and what it does."""

    registry: Registry
    slug: str = "lumen-labs"
    key: PrivateKey = field(default_factory=PrivateKey.generate)

    def common(self, previous: str | None = None) -> dict[str, Any]:
        """The members of every predicate."""
        nonce = next(self.registry.numbers).to_bytes(16, "big")
        return statements.common(
            origin=self.registry.settings.origin, now=self.registry.now, nonce=nonce, previous=previous
        )

    def register(self, **changes: Any) -> bytes:
        """Register, and give the envelope back."""
        predicate = {
            **self.common(),
            "slug": self.slug,
            "name": "Lumen Labs",
            "public_key": self.key.public.to_pem(),
            **changes,
        }
        sent = self.signed(statements.PUBLISHER, [Subject(self.slug, self.key.public.key_id)], predicate)
        self.post_publisher(sent)
        return sent

    def post_publisher(self, sent: bytes) -> None:
        """POST /v1/publishers."""
        here = self.registry
        with transaction(here.sessions) as session:
            publishers.register_publisher(session, envelope=sent, settings=here.settings, now=here.now)

    def change_key(
        self,
        action: str,
        key: PrivateKey,
        *,
        previous: str | None = None,
        roles: Sequence[str] = ("manifest",),
    ) -> str:
        """Add or revoke; the statement's digest."""
        add = action == "add"
        predicate = {**self.common(previous), "publisher": self.slug, "action": action} | (
            {"public_key": key.public.to_pem(), "roles": list(roles)} if add else {}
        )
        sent = self.signed(statements.KEY, [Subject(self.slug, key.public.key_id)], predicate)
        here = self.registry
        with transaction(here.sessions) as session:
            publishers.change_key(session, envelope=sent, settings=here.settings, now=here.now)
        return envelope.open_envelope(sent).digest

    def manifest(
        self,
        extract: Extract,
        *,
        name: str = "street-portraits",
        version: str = "1.0.0",
        previous: str | None = None,
        supersedes: str | None = None,
        change: Change = lambda _predicate: None,
    ) -> bytes:
        """A signed manifest of `extract`; `change` may spoil the predicate before it is signed."""
        files = [
            {"name": f"part-{number}.csv", "sha256": _sha256(f"{name}{version}{number}"), "records": count}
            for number, count in enumerate(extract.files)
        ]
        predicate: dict[str, Any] = {
            **self.common(previous),
            "dataset": {
                "publisher": self.slug,
                "name": name,
                "version": version,
                "supersedes": f"sha256:{supersedes}" if supersedes else None,
            },
            "role": "holder",
            "croissant": {"name": "Street portraits", "description": "Faces, in the street."},
            "records": {
                "count": sum(extract.files),
                "format": "csv",
                "columns": dict(extract.columns),
                "files": files,
                "bad_rows": sum(extract.files) - extract.rows,
                "on_bad_rows": "skip",
                "extract": {"rows": extract.rows, "sha256": extract.sha256},
            },
            "disclosure": {
                "purposes": ["face-recognition"],
                "access": "research-only",
                "contact": "mailto:data@lumen.example",
                "annotations": [{"name": "landmarks", "category": "biometric", "method": "machine"}],
                "consent": {"notified": "no", "consented": "no", "revocable": "by-request"},
                "personal_data": True,
            },
            "derived_from": [],
            "visibility": "named",
        }
        change(predicate)
        subject = [Subject(one["name"], one["sha256"]) for one in predicate["records"]["files"]]
        return self.signed(statements.MANIFEST, subject, predicate)

    def signed(self, predicate_type: str, subject: Sequence[Subject], predicate: Mapping[str, Any]) -> bytes:
        """Sign a statement."""
        return envelope.sign(statements.build(predicate_type, subject, predicate), self.key)

    def submit(self, manifest: bytes) -> str:
        """POST /v1/manifests; the submission's id."""
        here = self.registry
        with transaction(here.sessions) as session:
            return submit.submit_manifest(
                session,
                store=here.store,
                envelope=manifest,
                settings=here.settings,
                now=here.now,
                new_id=here.new_id,
            ).id

    def send(self, submission_id: str, extract: Extract) -> dict[str, Any]:
        """PUT every part whole; the last answer."""
        answer: dict[str, Any] = {}
        for number, part in enumerate(extract.parts):
            answer = self.put(submission_id, part, part=number, parts=len(extract.parts))
        return answer

    def put(
        self, submission_id: str, data: bytes, *, part: int = 0, parts: int = 1, offset: int = 0, total: int | None = None,
        sha256: str | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """PUT a range."""
        here, whole = self.registry, total if total is not None else len(data)
        sent = uploads.Range(part, parts, offset, offset + len(data), whole, sha256)
        return uploads.receive_part(
            here.sessions, store=here.store, submission_id=submission_id, sent=sent, stream=io.BytesIO(data),
            settings=here.settings, now=here.now,
        )  # fmt: skip

    def publish(self, extract: Extract, **said: Any) -> dict[str, Any]:
        """The whole flow; the submission as the client sees it in the end."""
        submission = self.submit(self.manifest(extract, **said))
        self.send(submission, extract)
        self.registry.ingest(submission)
        return self.registry.view(submission)

    def retraction(
        self, digest: str, *, previous: str, name: str = "street-portraits", version: str = "1.0.0"
    ) -> bytes:
        """A signed retraction."""
        predicate = {
            **self.common(previous),
            "dataset": {"publisher": self.slug, "name": name, "version": version},
            "reason": "a mistake",
        }
        return self.signed(
            statements.RETRACTION, [Subject(f"{self.slug}/{name}@{version}", digest)], predicate
        )

    def retract(self, sent: bytes) -> dict[str, Any]:
        """POST /v1/retractions."""
        here = self.registry
        with transaction(here.sessions) as session:
            return retract.retract(session, envelope=sent, settings=here.settings, now=here.now)


def spoiled(extract: Extract, **changes: Any) -> Extract:
    """The same with something else said of it."""
    return replace(extract, **changes)


def submissions(registry: Registry) -> list[Submission]:
    """All of them."""
    with registry.sessions() as session:
        return list(session.scalars(select(Submission).order_by(Submission.id)))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
