"""For one person: my wish is in the log, and what the public data say it must reach, it reaches.

Everything is asked as a stranger would ask; nothing of the wish is sent but its links, one by one, to the public look-up.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from byline.client.auditing.findings import Finding, Report
from byline.client.auditing.history import History
from byline.client.auditing.served import Feed
from byline.client.transport import Transport
from byline.errors import Refused
from byline.formats import canonical
from byline.formats.receipt import Proved, verify_commitment

ASKED = frozenset({"maker", "photo", "url", "name", "id"})


def check_mine(
    status: dict[str, Any],
    *,
    registry: Transport,
    history: History,
    feed: Feed | None,
    proved: Proved | None,
    report: Report,
) -> None:
    """`status` is what `byline opt-out status ID --token TOKEN --json` gave; `proved` its receipt, where one was kept."""
    wish = _wish(status, history, proved, report)
    rows = _my_rows(wish, registry, report)
    with report.checking("every dataset that shows me has my notice") as finding:
        told = {one["dataset"] for one in status.get("datasets", ())}
        scope = set(wish["datasets"])
        for dataset in sorted({one["dataset"] for one in rows}):
            finding.looked_at += 1
            if dataset not in told and (not scope or dataset in scope):
                finding.wrong.append(f"{dataset} shows what you pointed at, and your status does not name it")
    with report.checking("my rows are in the row feeds") as finding:
        if status.get("state") != "in-force" or wish["publisher_only"] or wish["relation"] != "maker":
            finding.unknown.append("this wish is for publishers alone, or not in force: no feed shows it")
        elif status.get("assurance") != "verified":
            finding.unknown.append("an asserted wish reaches a feed only where its publisher confirms it")
        elif feed is None:
            finding.unknown.append("there is no feed to look into")
        else:
            _check_rows(rows, registry, feed, finding, scope=set(wish["datasets"]))


def _wish(status: dict[str, Any], history: History, proved: Proved | None, report: Report) -> dict[str, Any]:
    with report.checking("my wish is in the log, as I made it") as finding:
        opening = status.get("receipt")
        if not isinstance(opening, dict):
            raise Refused(
                "bad-status", "give the status as `byline opt-out status ID --token TOKEN --json` shows it"
            )
        request = _base64(str(opening.get("request")))
        logged = history.opt_outs.numbers_of(str(opening.get("commitment")))
        if not logged:
            finding.wrong.append("no entry of the log commits to this wish")
        if proved is not None:
            verify_commitment(proved, salt=bytes.fromhex(str(opening["salt"])), request=request)
            if proved.index not in (*logged, *history.withdrawn.numbers_of(str(opening.get("commitment")))):
                finding.wrong.append(
                    f"the receipt names entry {proved.index}, and the log has another one there"
                )
        finding.looked_at = 1
        found = canonical.loads(request, max_bytes=1 << 20)
        if isinstance(found, dict):
            return found
    return {"selectors": [], "datasets": [], "publisher_only": False, "relation": "maker"}


def _my_rows(wish: dict[str, Any], registry: Transport, report: Report) -> list[dict[str, Any]]:
    """Rows that the public look-up shows for what the wish points at."""
    rows: dict[tuple[str, str, str, int], dict[str, Any]] = {}
    with report.checking("what I pointed at can be looked up") as finding:
        for kind, value in wish["selectors"]:
            if kind not in ASKED:
                finding.unknown.append(f"{kind} selectors have no public look-up")
                continue
            text = value if kind in {"maker", "url"} else f"{kind}:{value}"
            answer = registry.get("/v1/lookup", params={"q": text})
            finding.looked_at += 1
            for item in answer.get("items", ()):
                for row in item.get("rows", ()):
                    at = (item["dataset"], item["version"], str(row["file"]), int(row["row"]))
                    rows[at] = {"dataset": at[0], "version": at[1], "file": at[2], "row": at[3]}
    return list(rows.values())


def _check_rows(
    rows: list[dict[str, Any]], registry: Transport, feed: Feed, finding: Finding, *, scope: set[str]
) -> None:
    files: dict[tuple[str, str], dict[str, str]] = {}
    served: dict[tuple[str, str], set[int] | None] = {}
    approved = _approved(registry, {row["dataset"] for row in rows})
    for row in rows:
        if scope and row["dataset"] not in scope:
            continue
        version = (row["dataset"], row["version"])
        if version not in files:
            shown = registry.get(f"/v1/datasets/{version[0]}/versions/{version[1]}")
            files[version] = {one["name"]: one["sha256"] for one in shown["files"]}
        label, file = f"{version[0]}@{version[1]}", files[version][row["file"]]
        if (label, file) not in served:
            served[label, file] = feed.rows(file, label)
        found = served[label, file]
        if found is None and row["dataset"] in approved:
            finding.looked_at += 1
            finding.wrong.append(
                f"{label} shows you, its publisher is approved, and the feed has no rows of it"
            )
            continue
        if found is None:
            finding.unknown.append(f"{label} has no row feed: its publisher is not approved")
            continue
        finding.looked_at += 1
        if row["row"] not in found:
            finding.wrong.append(
                f"row {row['row']} of file {row['file']} of {label} shows you and is not in its row feed"
            )


def _approved(registry: Transport, datasets: set[str]) -> set[str]:
    """Datasets whose publisher the registry says it approved: each file of theirs stands in the feed's index."""
    found = set()
    for dataset in datasets:
        shown = registry.get(f"/v1/datasets/{dataset}")
        if shown.get("publisher_approved"):
            found.add(dataset)
    return found


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise Refused("bad-status", "the status opens no wish: its receipt has no request") from error
