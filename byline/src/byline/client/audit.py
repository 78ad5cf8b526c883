"""`byline audit`: what a registry publishes, checked from outside; never from its database."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from byline.client import verified
from byline.client.auditing.counts import check_counts
from byline.client.auditing.findings import Report
from byline.client.auditing.history import replay
from byline.client.auditing.mine import check_mine
from byline.client.auditing.served import check_earlier, check_feed, served_head
from byline.client.copied_feed import copied_head
from byline.client.copy import Folder
from byline.client.evidence import Keeper, Witness, copied, keeping
from byline.client.log import Log, Source
from byline.client.mirror import check_goes_on
from byline.client.signed_log import SignedLog
from byline.client.transport import Transport
from byline.errors import Untrusted
from byline.formats import checkpoint as checkpoints
from byline.formats import receipt
from byline.formats.checkpoint import Checkpoint
from byline.formats.entries import parse_entry
from byline.formats.note import NoteKey, parse_vkey
from byline.formats.receipt import Proved


def audit(
    transport: Transport,
    *,
    mirror: Path | None = None,
    vkey: str | None = None,
    status: dict[str, Any] | None = None,
    kept_receipt: bytes | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> Report:
    """Check for anyone, and with `status` for the person whose wish it opens.

    With `mirror` what was copied is read instead of what is served, and held against what is served now; what does not hold is
    kept in its `evidence/`. Raises only where nothing can be read at all, or the key is another than `vkey`.
    """
    source: Source = transport if mirror is None else Folder(mirror)
    witness = Witness(transport)
    keeper = Keeper(mirror, witness, lambda: copied(source)) if mirror is not None else None
    report = Report(keeper=keeper)
    with keeping(keeper):
        key = _key(source, vkey)
    signed = _signed(source, key, report)
    if signed is None:
        return report
    if isinstance(source, Folder):
        _check_served(witness, key, signed.shown, source, report)
    history = replay(source, signed, report)
    feed = check_feed(source, history, _said(source), report)
    check_earlier(source, history, report)
    check_counts(transport, history, report, pause=pause)
    if kept_receipt is not None:
        witness.remember("my receipt", kept_receipt)
    proved = _kept(kept_receipt, key, report) if kept_receipt is not None else None
    if proved is not None:
        _check_kept(signed, proved, report)
    if status is not None:
        check_mine(status, registry=transport, history=history, feed=feed, proved=proved, report=report)
    elif proved is not None:
        with report.checking("my wish reaches what it must") as finding:
            finding.unknown.append("a receipt alone does not open a wish: give its status too")
    return report


def _said(source: Source) -> str:
    return source.fetch("/log/vkey", max_bytes=1_000).decode("utf-8", "replace").strip()


def _key(source: Source, vkey: str | None) -> NoteKey:
    shown = _said(source)
    verified.check_key(vkey, shown)
    return parse_vkey(shown)


def _signed(source: Source, key: NoteKey, report: Report) -> SignedLog | None:
    signed = None
    with report.checking("the checkpoint is signed, and the tiles give its root") as finding:
        log = Log(source)
        shown = checkpoints.read(log.checkpoint(), key)
        signed = SignedLog(log, shown)
        finding.looked_at = shown.size
    return signed


def _check_served(source: Source, key: NoteKey, before: Checkpoint, here: Folder, report: Report) -> None:
    """What is served now goes on from what was copied; where it does not, both notes are the evidence."""
    with report.checking("the served log goes on from the mirror's") as finding:
        verified.check_key(_said(here), _said(source))
        log = Log(source)
        served = checkpoints.read(log.checkpoint(), key)
        finding.looked_at = served.size
        check_goes_on(log, last=before, shown=served)
    with report.checking("the served feed goes on from the mirror's") as finding:
        head = served_head(source, _said(here))
        finding.looked_at = head.seq
        verified.check_follows(copied_head(here), head)


def _kept(data: bytes, key: NoteKey, report: Report) -> Proved | None:
    proved = None
    with report.checking("my receipt is signed by the log and holds") as finding:
        proved = receipt.verify(receipt.read(data), vkey=key)
        finding.looked_at = 1
    return proved


def _check_kept(signed: SignedLog, proved: Proved, report: Report) -> None:
    """The log of a kept receipt is a beginning of the one that is shown: else this person was shown another."""
    kept, shown = proved.checkpoint, signed.shown
    with report.checking("the log goes on from the one my receipt is of, and holds its entry") as finding:
        finding.looked_at = kept.size
        if kept.size > shown.size:
            raise Untrusted(
                "log-went-back", f"my receipt is of a log of {kept.size} entries, {shown.size} are shown"
            )
        verified.check_log_follows(kept, shown, signed.nodes)
        if parse_entry(signed.leaf(proved.index)) != proved.entry:
            raise Untrusted("log-forked", f"entry {proved.index} of the log is another one than my receipt's")
