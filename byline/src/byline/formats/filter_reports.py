"""A filter's report, signed: `urn:byline:filter-report:v1`, a statement about the report's bytes.

The one subject is `report` with SHA-256 of the report file; the predicate repeats what it says as a whole, without the
files. Source: docs/formats/filter-reports.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from byline.errors import Refused, Untrusted
from byline.formats import canonical, envelope, statements
from byline.formats.fields import Fields
from byline.formats.keys import PrivateKey, PublicKey
from byline.formats.statements import Subject

SAID = ("rows_in", "rows_out", "dropped", "unreadable", "on_unreadable", "for", "coverage", "feed")
MAX_REPORT = 64 << 20


def dumps(report: Mapping[str, Any]) -> bytes:
    """The report file: canonical JSON (RFC 8785)."""
    return canonical.dumps(dict(report))


def sign(report: bytes, common: Mapping[str, Any], key: PrivateKey) -> bytes:
    """The envelope of a statement about a report file; `common` as of `statements.common`."""
    predicate = {**common, **_summary(report)}
    return envelope.sign(statements.build(statements.FILTER_REPORT, [_subject(report)], predicate), key)


def verify(report: bytes, signed: bytes, key: PublicKey) -> dict[str, Any]:
    """The report, if this very file is what `key` signed; Untrusted("bad-signature", "wrong-report")."""
    opened = envelope.open_envelope(signed)
    envelope.verify(opened, key)
    statement = statements.open_statement(opened)
    if statement.predicate_type != statements.FILTER_REPORT:
        raise Refused(
            "wrong-predicate-type",
            f"a statement of type {statements.FILTER_REPORT} is needed here",
            at="predicateType",
        )
    fields = Fields(statement.predicate, "predicate")
    statements.claimed(fields)
    said = {name: fields.take(name) for name in SAID}
    fields.done()
    if statement.subject != (_subject(report),) or said != _summary(report):
        raise Untrusted("wrong-report", "this is another report than the one that was signed")
    return dict(canonical.loads(report, max_bytes=MAX_REPORT))


def _subject(report: bytes) -> Subject:
    return Subject("report", hashlib.sha256(report).hexdigest())


def _summary(report: bytes) -> dict[str, Any]:
    """What the report says as a whole; which file went by which feed is left to the report."""
    found = canonical.loads(report, max_bytes=MAX_REPORT)
    if not isinstance(found, dict) or not {*SAID} <= {*found} or not isinstance(found["feed"], dict):
        raise Refused("bad-report", f"a filter's report has {', '.join(SAID)}")
    feed = {name: value for name, value in found["feed"].items() if name != "tiers"}
    return {**{name: found[name] for name in SAID}, "feed": feed}
