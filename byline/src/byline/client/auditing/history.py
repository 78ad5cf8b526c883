"""The log replayed: every entry well formed, every statement signed by a key that stood, each after the one before it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from byline.client.auditing.findings import Checking, Finding, Report
from byline.client.auditing.logged import Digests
from byline.client.log import Source
from byline.client.signed_log import SignedLog, leaves_of
from byline.errors import BylineError, NotFound
from byline.formats import envelope, statements
from byline.formats.entries import STATEMENT_KINDS, parse_entry
from byline.formats.fields import Fields
from byline.formats.keys import PublicKey
from byline.formats.manifest import ManifestPredicate, read_manifest
from byline.formats.statements import Claimed, KeyChange, PublisherClaim, Retraction, Statement
from byline.formats.tiles import WIDTH

Entry = dict[str, Any]


@dataclass
class Key:
    """A publisher's key as the log tells of it."""

    publisher: str
    public: PublicKey
    roles: frozenset[str]
    revoked: bool = False


@dataclass(frozen=True)
class Listed:
    """A version whose manifest is logged and not retracted: what a registry must list it as."""

    version: str
    records: int
    at: str


@dataclass
class History:
    """What the entries add up to: keys, datasets and publishers whole, of all else a few bytes an entry."""

    size: int = 0
    keys: dict[str, Key] = field(default_factory=dict)
    heads: dict[str, str] = field(default_factory=dict)
    feeds: Digests = field(default_factory=Digests)
    """Each feed head, by its number."""
    opt_outs: Digests = field(default_factory=Digests)
    withdrawn: Digests = field(default_factory=Digests)
    """Commitments, each with the index of its entry."""
    datasets: dict[str, dict[str, Listed]] = field(default_factory=dict)
    """Versions by dataset and manifest digest."""
    incomplete: set[str] = field(default_factory=set)
    """Subjects with a statement that was taken from view: what follows it cannot be held against it."""
    unsure: set[str] = field(default_factory=set)
    """Subjects with a statement that is not believed."""
    newest: str = ""
    """The latest time any entry says."""

    @property
    def standing(self) -> int:
        """Opt-outs that were made and not withdrawn."""
        return self.opt_outs.without(self.withdrawn)


def replay(source: Source, signed: SignedLog, report: Report) -> History:
    """Read every entry once, and every statement that an entry stands for."""
    history = History(size=signed.shown.size)
    formed = report.checking("every entry is well formed and the one its hash is of")
    with report.checking(
        "every statement is signed by a key that stood, and follows the one before"
    ) as legal:
        for index, entry in _entries(signed, formed):
            _take(history, index, entry)
            if entry["kind"] in STATEMENT_KINDS:
                _check_statement(source, history, entry, legal)
    with report.checking("feed heads are numbered in order") as numbered:
        numbered.looked_at = len(history.feeds)
        numbered.wrong += [
            f"head {after} stands after head {before}"
            for before, after in pairwise(history.feeds.numbers)
            if after <= before
        ]
    return history


def _entries(signed: SignedLog, formed: Checking) -> Iterator[tuple[int, Entry]]:
    """What is wrong with reading them is noted here, not where they are used."""
    with formed as finding:
        for bundle, data, hashes in signed.bundles():
            first = bundle.index * WIDTH
            try:
                leaves = leaves_of(bundle, data, hashes)
            except BylineError as error:  # the other bundles are looked at all the same
                finding.tell(error, f"entries {first:,} to {first + bundle.width - 1:,}: ")
                continue
            for index, leaf in enumerate(leaves, first):
                try:
                    entry = parse_entry(leaf)
                except BylineError as error:  # noqa: PERF203 - one bad entry hides no other
                    finding.wrong.append(f"entry {index}: {error.message}")
                else:
                    finding.looked_at += 1
                    yield index, entry


def _take(history: History, index: int, entry: Entry) -> None:
    kind, history.newest = entry["kind"], max(history.newest, entry["at"])
    if kind == "feed":
        history.feeds.add(entry["digest"], entry["seq"])
    elif "commitment" in entry:
        taken = history.withdrawn if kind == "opt-out-withdrawn" else history.opt_outs
        taken.add(entry["commitment"], index)


def _check_statement(source: Source, history: History, entry: Entry, finding: Finding) -> None:
    digest, subject = entry["digest"], entry["subject"]
    try:
        data = source.fetch(f"/v1/statements/{digest}", max_bytes=envelope.MAX_ENVELOPE)
    except NotFound as error:
        # Only what is said to be taken from view is redacted; a statement that is merely gone is not.
        told = finding.unknown if error.code == "redacted" else finding.wrong
        told.append(f"{entry['kind']} {digest} about {subject} is not served [{error.code}]")
        history.incomplete.add(subject)
        history.heads[subject] = digest
        return
    finding.looked_at += 1
    try:
        _believe(history, entry, data)
    except BylineError as error:
        finding.wrong.append(f"{entry['kind']} {digest} about {subject}: {error.message} [{error.code}]")
        history.unsure.add(subject)
    history.heads[subject] = digest


def _believe(history: History, entry: Entry, data: bytes) -> None:
    """Raise what is wrong with a statement; remember the keys it speaks of."""
    opened = envelope.open_envelope(data)
    if hashlib.sha256(data).hexdigest() != entry["envelope_sha256"] or opened.digest != entry["digest"]:
        raise NotThat("the statement served is not the one that was logged")
    statement = statements.parse(opened.payload)
    said = _said(statement)
    subject = entry["subject"]
    if said.previous != history.heads.get(subject) and subject not in history.incomplete:
        raise NotThat(
            f"it says it follows {said.previous}, and the log has {history.heads.get(subject)} before it"
        )
    signer = _signer(history, entry, statement)
    envelope.verify(opened, signer)
    _learn(history, entry, said)


class NotThat(BylineError):  # noqa: N818 - what was found, not what was raised
    """Something a statement is not."""

    def __init__(self, message: str) -> None:
        super().__init__("illegal-statement", message)


def _said(statement: Statement) -> Claimed:
    if statement.predicate_type == statements.PUBLISHER:
        return statements.read_publisher(statement)
    if statement.predicate_type == statements.KEY:
        return statements.read_key(statement)
    if statement.predicate_type == statements.RETRACTION:
        return statements.read_retraction(statement)
    if statement.predicate_type == statements.MANIFEST:
        return read_manifest(statement)
    return statements.claimed(Fields(dict(statement.predicate), "predicate"))


def _signer(history: History, entry: Entry, statement: Statement) -> PublicKey:
    """The key an entry says signed it: the publisher's own, not revoked before."""
    if statement.predicate_type == statements.PUBLISHER and entry["key_id"] not in history.keys:
        claim = statements.read_publisher(statement)
        if claim.public_key.key_id != entry["key_id"]:
            raise NotThat("a registration is signed with the key it names")
        return claim.public_key
    key = history.keys.get(entry["key_id"])
    if key is None:
        raise NotThat(f"no entry before registers the key {entry['key_id']}")
    if key.revoked:
        raise NotThat(f"the key {entry['key_id']} was revoked before")
    named = entry["subject"].partition(":")[2].partition("/")[0]
    if entry["kind"] != "outcome" and key.publisher != named:
        raise NotThat(f"the key belongs to {key.publisher}, not to {named}")
    return key.public


def _learn(history: History, entry: Entry, said: Claimed) -> None:
    if isinstance(said, PublisherClaim):
        known = history.keys.get(said.public_key.key_id)
        if known is None:
            history.keys[said.public_key.key_id] = Key(
                said.slug, said.public_key, frozenset({"manifest", "outcome"})
            )
    elif isinstance(said, KeyChange):
        if said.action == "revoke" and said.key_id in history.keys:
            history.keys[said.key_id].revoked = True
        elif said.public_key is not None:
            history.keys[said.key_id] = Key(said.publisher, said.public_key, frozenset(said.roles))
    elif isinstance(said, ManifestPredicate):
        version = Listed(said.dataset.version, said.records.count, entry["at"])
        history.datasets.setdefault(said.dataset.dataset, {})[entry["digest"]] = version
    elif isinstance(said, Retraction):
        history.datasets.get(f"{said.publisher}/{said.name}", {}).pop(said.manifest, None)
