"""What a log leaf commits to, in final bytes: canonical JSON, at most 65,535 bytes, no personal data.

Three shapes: a **statement** (somebody signed it: its digest, the envelope's digest, the key, the subject), a
**commitment** (a wish of a person: SHA-256(salt || request), which says nothing without the salt), a
**feed** head.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from typing import Any

from byline.errors import Refused
from byline.formats import canonical

MAX_ENTRY = 65_535
STATEMENT_KINDS = frozenset({"manifest", "publisher", "key", "outcome", "retraction"})
COMMITMENT_KINDS = frozenset({"opt-out", "opt-out-withdrawn"})
_HEX64 = re.compile(r"[0-9a-f]{64}")
_SUBJECT = re.compile(r"(?:dataset|publisher|keys|notice):[A-Za-z0-9._/@+-]{1,280}", re.ASCII)
_MEMBERS = {
    "statement": {"at", "digest", "envelope_sha256", "key_id", "kind", "subject", "v"},
    "commitment": {"at", "commitment", "kind", "v"},
    "feed": {"at", "digest", "kind", "seq", "v"},
}


_KINDS = {"statement": STATEMENT_KINDS, "commitment": COMMITMENT_KINDS, "feed": frozenset({"feed"})}
_SPELT = {
    "at": rb'"(?P<at>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)"',
    "kind": rb'"(?P<kind>[a-z-]{1,24})"',
    "seq": rb"(?P<seq>0|[1-9][0-9]{0,15})",
    "subject": rb'"(?P<subject>' + _SUBJECT.pattern.encode() + rb')"',
    "v": rb"1",
}
_HEX = rb'"(?P<%s>[0-9a-f]{64})"'
_LEAVES = {
    shape: re.compile(
        rb"\{%s\}"
        % b",".join(
            b'"%s":%s' % (name.encode(), _SPELT.get(name) or _HEX % name.encode()) for name in sorted(members)
        )
    )
    for shape, members in _MEMBERS.items()
}


def statement_entry(
    kind: str, *, digest: str, envelope_sha256: str, key_id: str, subject: str, at: dt.datetime
) -> bytes:
    """The leaf of a signed statement.

    `digest` is SHA-256 of the payload, `envelope_sha256` of the envelope as it came, all in hex; `subject` is
    `dataset:PUB/NAME`, `publisher:SLUG` or `keys:SLUG`; `at` is when the registry took it.
    """
    return _entry(
        "statement",
        {
            "kind": kind,
            "digest": digest,
            "envelope_sha256": envelope_sha256,
            "key_id": key_id,
            "subject": subject,
            "at": canonical.timestamp(at),
        },
    )


def commitment_entry(kind: str, *, commitment: str, at: dt.datetime) -> bytes:
    """The leaf of a person's act.

    Only a salted digest, which can be opened by who holds the salt and erased with it.
    """
    return _entry("commitment", {"kind": kind, "commitment": commitment, "at": canonical.timestamp(at)})


def feed_entry(seq: int, digest: str, at: dt.datetime) -> bytes:
    """The leaf of a published feed head: its number and SHA-256 of head.json."""
    return _entry("feed", {"kind": "feed", "seq": seq, "digest": digest, "at": canonical.timestamp(at)})


def parse_entry(leaf: bytes) -> dict[str, Any]:
    """Read a leaf back.

    Refused("bad-entry") unless it is byte for byte what one of the writers above makes: of each shape there is one
    spelling, so a pattern reads it, and an auditor a hundred thousand in a second.
    """
    for shape, pattern in _LEAVES.items():
        found = pattern.fullmatch(leaf)
        if found:
            members: dict[str, Any] = {name: text.decode("ascii") for name, text in found.groupdict().items()}
            if members["kind"] not in _KINDS[shape]:
                break
            _check_instant(members["at"])
            if "seq" in members:
                members["seq"] = int(members["seq"])
                if members["seq"] > canonical.MAX_INT:
                    break
            return {**members, "v": 1}
    raise Refused("bad-entry", "a log entry is an object of a known kind and of version 1, in canonical form")


def _check_instant(text: str) -> None:
    try:
        dt.datetime.fromisoformat(text[:-1])
    except ValueError as error:
        raise Refused("bad-entry", f"an entry's time is no instant: {text}", at="at") from error


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(0x00 || leaf), RFC 6962 section 2.1."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def _entry(shape: str, members: dict[str, Any]) -> bytes:
    if members["kind"] not in _KINDS[shape]:
        raise Refused("bad-entry", f"no {shape} entry is of the kind {members['kind']!r}", at="kind")
    if {*members, "v"} != _MEMBERS[shape]:
        raise Refused("bad-entry", f"a {shape} entry has exactly the members {sorted(_MEMBERS[shape])}")
    for name in ("digest", "envelope_sha256", "key_id", "commitment"):
        if name in members and not (isinstance(members[name], str) and _HEX64.fullmatch(members[name])):
            raise Refused("bad-entry", f"{name} must be 64 hex digits", at=name)
    if "subject" in members and not (
        isinstance(members["subject"], str) and _SUBJECT.fullmatch(members["subject"])
    ):
        raise Refused("bad-entry", "the subject must name a dataset, a publisher or its keys", at="subject")
    seq = members.get("seq", 0)
    if isinstance(seq, bool) or not isinstance(seq, int) or seq < 0:
        raise Refused("bad-entry", "seq counts from 0", at="seq")
    canonical.read_timestamp(str(members["at"]), at="at")
    leaf = canonical.dumps({**members, "v": 1})
    if len(leaf) > MAX_ENTRY:
        raise Refused("too-large", f"a log entry of {len(leaf):,} bytes; at most {MAX_ENTRY:,} fit")
    return leaf
