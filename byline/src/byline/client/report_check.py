"""Somebody else's filter report, believed as far as it can be: who signed it, that it adds up, that its feed was published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from byline.client.log import Log
from byline.errors import NotFound, Refused, Untrusted
from byline.formats import filter_reports, receipt
from byline.formats.fields import HEX64
from byline.formats.keys import PublicKey
from byline.formats.note import parse_vkey
from byline.formats.receipt import Proved


def checked_report(report: bytes, signed: bytes, key: PublicKey) -> dict[str, Any]:
    """The report, if this very file is what `key` signed and its files add up to what it says as a whole.

    Untrusted("bad-signature", "wrong-report", "wrong-totals"), Refused("bad-report").
    """
    found = filter_reports.verify(report, signed, key)
    try:
        wrong = _wrong_totals(found)
        hexed = HEX64.fullmatch(found["feed"]["sha256"]), isinstance(found["feed"]["seq"], int)
    except (KeyError, TypeError, AttributeError) as error:
        raise Refused(
            "bad-report", "this is signed, but is no filter's report as byline writes it"
        ) from error
    if not all(hexed):
        raise Refused("bad-report", "this report names no head of a feed", at="feed")
    if wrong:
        raise Untrusted(
            "wrong-totals", f"the report does not add up: {', '.join(wrong)} is not what its files say"
        )
    return found


def head_receipt(log: Log, report: Mapping[str, Any]) -> bytes:
    """The receipt of the head a report went by, from the registry; Untrusted("head-not-logged") where it has none."""
    try:
        return log.receipt(report["feed"]["sha256"])
    except NotFound as error:
        raise _not_logged(report) from error


def check_head(report: Mapping[str, Any], data: bytes, *, vkey: str) -> Proved:
    """The head's place in the log of this key, if `data` is the receipt of the head that this report went by.

    Untrusted("wrong-origin", "head-not-logged") and what a receipt that does not hold raises.
    """
    feed = report["feed"]
    key = parse_vkey(vkey)
    if feed["origin"] != key.name:
        raise Untrusted("wrong-origin", f"the report went by a feed of {feed['origin']!r}, not of {key.name}")
    proved = receipt.verify(receipt.read(data), vkey=key)
    entry = proved.entry
    if (entry["kind"], entry.get("seq"), entry.get("digest")) != ("feed", feed["seq"], feed["sha256"]):
        raise _not_logged(report)
    return proved


def check_named(report: Mapping[str, Any], name: str, sha256: str) -> None:
    """Untrusted("not-in-report") unless a file was read or written by this run, or is its mask."""
    digests = {one.get(kind) for one in report["files"] for kind in ("sha256", "written_sha256")}
    if sha256 not in digests | {report.get("mask_sha256")}:
        raise Untrusted("not-in-report", f"{name} was neither read nor written by this run", at=name)


def _not_logged(report: Mapping[str, Any]) -> Untrusted:
    seq = report["feed"]["seq"]
    return Untrusted(
        "head-not-logged", f"the log holds no head {seq} of the feed with the digest this report names"
    )


def _wrong_totals(report: Mapping[str, Any]) -> list[str]:
    """Members that are not the sum over the files, or do not follow from one another."""
    files, dropped = report["files"], Counter[str]()
    for one in files:
        dropped.update(one["dropped"])
    left = report["rows_in"] - sum(report["dropped"].values())
    left -= 0 if report["on_unreadable"] == "keep" else report["unreadable"]
    sums = {name: sum(one[name] for one in files) for name in ("rows_in", "rows_out", "unreadable")}
    wrong = [name for name, found in sums.items() if report[name] != found]
    wrong += ["dropped"] if dict(report["dropped"]) != dict(dropped) else []
    return wrong or (["rows_out"] if report["rows_out"] != left else [])
