"""From what a publisher says to a manifest that can be signed.

The draft, what the registry must add to it, the signature.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from byline.client.api import Registry
from byline.errors import Conflict, NotFound, Refused
from byline.formats import canonical, croissant, envelope, manifest, statements
from byline.formats.keys import PrivateKey
from byline.formats.manifest import NOT_STATED, ManifestPredicate, RecordFile, Withholding
from byline.formats.statements import Subject

_TRUTH: Mapping[str, bool | str] = {"yes": True, "no": False, NOT_STATED: NOT_STATED}


@dataclass(frozen=True)
class Said:
    """What the publisher says about a dataset version; `not-stated` where nothing is said."""

    dataset: str
    version: str
    role: str = "holder"
    title: str | None = None
    description: str | None = None
    license: str | None = None
    croissant: Mapping[str, Any] | None = None
    purposes: Sequence[str] = ()
    access: str = NOT_STATED
    contact: str = NOT_STATED
    annotations: Sequence[str] = ()
    """`CATEGORY:NAME` or `CATEGORY:NAME:METHOD`."""
    notified: str = NOT_STATED
    consented: str = NOT_STATED
    revocable: str = NOT_STATED
    personal_data: str = NOT_STATED
    derived_from: Sequence[str] = ()
    """`PUB/NAME` or `PUB/NAME@VERSION`."""


@dataclass(frozen=True)
class Measured:
    """What was read in the files: `files` in order, the columns mapped, the extract's digest, bad rows."""

    files: Sequence[RecordFile]
    format: str
    columns: Mapping[str, str]
    extract_rows: int
    extract_sha256: str
    bad_rows: int = 0
    on_bad_rows: str = "reject"
    options: Mapping[str, Any] = field(default_factory=dict)
    withheld: Withholding | None = None


@dataclass(frozen=True)
class Standing:
    """What the registry says a new statement about a dataset must name: digests in hex."""

    origin: str
    previous: str | None
    newest_version: str | None
    newest_digest: str | None


@dataclass(frozen=True)
class Stamp:
    """What makes a statement happen once: the instant (aware) and 16 random bytes."""

    now: dt.datetime
    nonce: bytes


def standing(registry: Registry, dataset: str) -> Standing:
    """Ask the registry for its origin and the last statement about a dataset (which it may not know yet)."""
    origin = str(registry.about()["origin"])
    try:
        found = registry.dataset(dataset)
    except NotFound:
        return Standing(origin, None, None, None)
    versions = [one for one in found.get("versions", []) if isinstance(one, dict)]
    newest = next((one for one in versions if one.get("state", "published") == "published"), {})
    head = found.get("head", newest.get("digest"))
    return Standing(origin, head, newest.get("version"), newest.get("digest"))


def superseded(registry_says: Standing, version: str) -> str:
    """The digest `supersedes` names.

    Conflict("superseded-not-newest") unless `version` is the newest published one.
    """
    if registry_says.newest_version != version or registry_says.newest_digest is None:
        newest = registry_says.newest_version or "none is published"
        raise Conflict(
            "superseded-not-newest",
            f"--supersedes must name the newest version ({newest}), not {version}",
            at="--supersedes",
        )
    return registry_says.newest_digest


def draft(
    said: Said, measured: Measured, *, registry_says: Standing | None = None, supersedes: str | None = None
) -> dict[str, Any]:
    """The statement to look at, edit and sign.

    What only signing can give (`made_at`, `nonce`) is null in it.
    """
    publisher, slash, name = said.dataset.partition("/")
    if not slash:
        raise Refused("bad-dataset-name", f"{said.dataset!r} is not PUBLISHER/NAME", at="--dataset")
    files = [{"name": one.name, "sha256": one.sha256, "records": one.records} for one in measured.files]
    predicate = {
        "origin": registry_says.origin if registry_says else None,
        "made_at": None,
        "nonce": None,
        "previous": _prefixed(registry_says.previous) if registry_says else None,
        "dataset": {
            "publisher": publisher,
            "name": name,
            "version": said.version,
            "supersedes": _prefixed(supersedes),
        },
        "role": said.role,
        "croissant": _croissant(said),
        "records": {
            "count": sum(one.records for one in measured.files),
            "format": measured.format,
            "columns": dict(measured.columns),
            "files": files,
            "bad_rows": measured.bad_rows,
            "on_bad_rows": measured.on_bad_rows,
            "options": dict(measured.options),
            "extract": {"rows": measured.extract_rows, "sha256": measured.extract_sha256},
            **_withheld(measured.withheld),
        },
        "disclosure": _disclosure(said),
        "derived_from": [_parent(one) for one in said.derived_from],
        "visibility": "withheld" if measured.withheld else "named",
    }
    subject = [{"name": one.name, "digest": {"sha256": one.sha256}} for one in measured.files]
    made = {
        "_type": statements.STATEMENT_TYPE,
        "subject": subject,
        "predicateType": statements.MANIFEST,
        "predicate": predicate,
    }
    rehearse(made)
    return made


def read_draft(data: bytes) -> dict[str, Any]:
    """A draft as `draft` makes it, perhaps edited; Refused where it is something else."""
    found = canonical.loads(data, floats=True)
    if isinstance(found, dict) and "payloadType" in found:
        raise Refused("already-signed", "this manifest is signed already; `byline publish` takes it as it is")
    if not isinstance(found, dict) or not isinstance(found.get("predicate"), dict):
        raise Refused("bad-draft", "this is not a manifest made by `byline manifest init`")
    return found


def sign_draft(
    found: Mapping[str, Any], key: PrivateKey, *, registry_says: Standing | None, stamp: Stamp
) -> bytes:
    """Complete a draft with what the registry says, time and nonce; check it whole; sign it."""
    predicate = dict(found["predicate"])
    if registry_says is not None:
        predicate |= {"origin": registry_says.origin, "previous": _prefixed(registry_says.previous)}
    if not predicate.get("origin"):
        raise Refused(
            "no-origin",
            "for which registry? give --registry, or --origin to sign offline",
            at="predicate.origin",
        )
    predicate |= {"made_at": canonical.timestamp(stamp.now), "nonce": stamp.nonce.hex()}
    payload = canonical.dumps({**found, "predicate": predicate})
    manifest.read_manifest(statements.parse(payload))
    return envelope.sign(payload, key)


def publisher_statement(*, slug: str, name: str, key: PrivateKey, origin: str, stamp: Stamp) -> bytes:
    """`I am SLUG, and this is my key`, signed by that key."""
    predicate = {
        **statements.common(origin=origin, now=stamp.now, nonce=stamp.nonce),
        "slug": slug,
        "name": name,
        "public_key": key.public.to_pem(),
    }
    payload = statements.build(statements.PUBLISHER, [Subject(slug, key.public.key_id)], predicate)
    statements.read_publisher(statements.parse(payload))
    return envelope.sign(payload, key)


def retraction_statement(
    said: Subject, key: PrivateKey, *, registry_says: Standing, reason: str | None, stamp: Stamp
) -> bytes:
    """Withdraw `publisher/name@version` whose manifest has the digest given."""
    dataset, _, version = said.name.partition("@")
    publisher, _, name = dataset.partition("/")
    predicate = {
        **statements.common(
            origin=registry_says.origin, now=stamp.now, nonce=stamp.nonce, previous=registry_says.previous
        ),
        "dataset": {"publisher": publisher, "name": name, "version": version},
        "reason": reason,
    }
    payload = statements.build(statements.RETRACTION, [said], predicate)
    statements.read_retraction(statements.parse(payload))
    return envelope.sign(payload, key)


def rehearse(found: Mapping[str, Any]) -> ManifestPredicate:
    """Read a draft as it would be read once signed, with stand-ins for what only signing gives.

    Everything signing would refuse is refused here.
    """
    predicate = found["predicate"]
    stand_in = {
        "origin": predicate.get("origin") or "unknown",
        "made_at": "2000-01-01T00:00:00Z",
        "nonce": "0" * 32,
    }
    payload = canonical.dumps({**found, "predicate": {**predicate, **stand_in}})
    return manifest.read_manifest(statements.parse(payload))


def _croissant(said: Said) -> dict[str, Any]:
    if said.croissant is not None:
        return dict(said.croissant)
    return croissant.minimal(
        title=said.title or said.dataset,
        description=said.description,
        license_=said.license,
        version=said.version,
    )


def _withheld(found: Withholding | None) -> dict[str, Any]:
    if found is None:
        return {}
    return {"withheld": {"key_sha256": found.key_sha256, "column_sha256": list(found.column_sha256)}}


def _disclosure(said: Said) -> dict[str, Any]:
    unsaid = {"name": NOT_STATED, "category": NOT_STATED, "method": NOT_STATED}
    return {
        "purposes": list(said.purposes) or [NOT_STATED],
        "access": said.access,
        "contact": said.contact,
        "annotations": [_annotation(one) for one in said.annotations] or [unsaid],
        "consent": {"notified": said.notified, "consented": said.consented, "revocable": said.revocable},
        "personal_data": _TRUTH[said.personal_data],
    }


def _annotation(text: str) -> dict[str, str]:
    category, colon, rest = text.partition(":")
    name, _, method = rest.rpartition(":")
    if not name or method not in manifest.METHODS:
        name, method = rest, NOT_STATED
    if not colon or not name or category not in manifest.ANNOTATION_CATEGORIES:
        raise Refused(
            "bad-annotation",
            f"{text!r} is not CATEGORY:NAME[:METHOD] with a category of "
            f"{', '.join(manifest.ANNOTATION_CATEGORIES)}",
            at="--annotation",
        )
    return {"name": name.strip(), "category": category, "method": method}


def _parent(text: str) -> dict[str, str | None]:
    dataset, _, version = text.partition("@")
    return {"dataset": dataset, "version": version or None, "digest": None}


def _prefixed(digest: str | None) -> str | None:
    return f"sha256:{digest}" if digest else None
