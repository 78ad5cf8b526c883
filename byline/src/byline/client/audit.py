"""`byline audit`: what a registry publishes, checked from outside; never from its database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from byline.client import verified
from byline.client.auditing.findings import Report
from byline.client.auditing.history import replay
from byline.client.auditing.mine import check_mine
from byline.client.auditing.served import check_earlier, check_feed
from byline.client.log import Log, Source
from byline.client.mirror import Folder, check_bundle
from byline.client.transport import Transport
from byline.errors import Untrusted
from byline.formats import checkpoint as checkpoints
from byline.formats import receipt
from byline.formats.checkpoint import Checkpoint
from byline.formats.entries import parse_entry
from byline.formats.note import NoteKey, parse_vkey
from byline.formats.receipt import Proved
from byline.formats.tiles import WIDTH, bundle_at, node_reader


def audit(
    transport: Transport,
    *,
    mirror: Path | None = None,
    vkey: str | None = None,
    status: dict[str, Any] | None = None,
    kept_receipt: bytes | None = None,
) -> Report:
    """Check for anyone, and with `status` for the person whose wish it opens.

    With `mirror` what was copied is read instead of what is served, and held against what is served now. Raises only where
    nothing can be read at all.
    """
    report = Report()
    source: Source = transport if mirror is None else Folder(mirror)
    key = _key(source, transport, vkey)
    shown = _checkpoint(source, key, report)
    if shown is None:
        return report
    if mirror is not None:
        _check_served(transport, key, shown, source, report)
    history = replay(source, shown, report)
    feed = check_feed(source, history, _said(source), report)
    check_earlier(source, history, report)
    proved = _kept(kept_receipt, key, report) if kept_receipt is not None else None
    if proved is not None:
        _check_kept(source, shown, proved, report)
    if status is not None:
        check_mine(status, registry=transport, history=history, feed=feed, proved=proved, report=report)
    elif proved is not None:
        with report.checking("my wish reaches what it must") as finding:
            finding.unknown.append("a receipt alone does not open a wish: give its status too")
    return report


def _said(source: Source) -> str:
    return source.fetch("/log/vkey", max_bytes=1_000).decode("utf-8", "replace").strip()


def _key(source: Source, transport: Transport, vkey: str | None) -> NoteKey:
    shown = _said(source)
    verified.check_key(vkey, shown)
    if source is not transport:
        verified.check_key(shown, _said(transport))
    return parse_vkey(shown)


def _checkpoint(source: Source, key: NoteKey, report: Report) -> Checkpoint | None:
    shown = None
    with report.checking("the checkpoint is signed, and the tiles give its root") as finding:
        shown = checkpoints.read(Log(source).checkpoint(), key)
        verified.check_root(shown, node_reader(shown.size, Log(source).tiles))
        finding.looked_at = shown.size
    return shown


def _check_served(
    transport: Transport, key: NoteKey, copied: Checkpoint, source: Source, report: Report
) -> None:
    """What is served now goes on from what was copied; where it does not, both notes are the evidence."""
    with report.checking("the served log goes on from the mirror's") as finding:
        log = Log(transport)
        note = log.checkpoint()
        served = checkpoints.read(note, key)
        finding.looked_at = served.size
        try:
            verified.check_log_follows(copied, served, node_reader(served.size, log.tiles))
        except Untrusted as error:
            if isinstance(source, Folder):
                mine = Log(source).checkpoint()
                source.put(f"evidence/{error.code}-{served.size}.txt", mine + b"\n" + note)
            raise


def _kept(data: bytes, key: NoteKey, report: Report) -> Proved | None:
    proved = None
    with report.checking("my receipt is signed by the log and holds") as finding:
        proved = receipt.verify(receipt.read(data), vkey=key)
        finding.looked_at = 1
    return proved


def _check_kept(source: Source, shown: Checkpoint, proved: Proved, report: Report) -> None:
    """The log of a kept receipt is a beginning of the one that is shown: else this person was shown another."""
    kept = proved.checkpoint
    with report.checking("the log goes on from the one my receipt is of, and holds its entry") as finding:
        finding.looked_at = kept.size
        if kept.size > shown.size:
            raise Untrusted(
                "log-went-back", f"my receipt is of a log of {kept.size} entries, {shown.size} are shown"
            )
        verified.check_log_follows(kept, shown, node_reader(shown.size, Log(source).tiles))
        bundle = bundle_at(proved.index, shown.size)
        leaf = check_bundle(Log(source), bundle)[proved.index % WIDTH]
        if parse_entry(leaf) != proved.entry:
            raise Untrusted("log-forked", f"entry {proved.index} of the log is another one than my receipt's")
