"""A filter's report handed on: to a file, signed with a holder's key, and to the registry as outcomes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from pyroaring import BitMap64

from byline.client.api import Registry
from byline.client.describe import Stamp
from byline.client.feed import ANY, Feed, use_of
from byline.client.filter import Target
from byline.client.outcome import By, every_event, send_outcomes
from byline.client.sources import Source
from byline.errors import Refused
from byline.formats import filter_reports, statements
from byline.formats.keys import PrivateKey
from byline.formats.outcomes import MOST_NOTICES, Said

OPEN = frozenset({"pending", "sent", "undeliverable", "acknowledged"})
"""States of a notice that has no answer yet: no other answer is amended without being asked."""
_PIECE = 1 << 20


def with_written(report: Mapping[str, Any], sources: Sequence[Source], target: Target) -> dict[str, Any]:
    """The report with the SHA-256 of what was written for each file; the mask's, where there is one."""
    files = [
        {**one, "written_sha256": _digest(target.of(source))}
        for one, source in zip(report["files"], sources, strict=True)
    ]
    return {**report, "files": files, "mask_sha256": _digest(target.mask)}


def signed_report(report: bytes, key: PrivateKey, *, origin: str, stamp: Stamp) -> bytes:
    """The envelope that stands beside a report file."""
    common = statements.common(origin=origin, now=stamp.now, nonce=stamp.nonce)
    return filter_reports.sign(report, common, key)


def report_suppressed(
    registry: Registry, feed: Feed, report: Mapping[str, Any], *, by: By, stamps: Iterator[Stamp]
) -> int:
    """Answer every open notice whose rows this filter took out of registered files: how many.

    Refused("other-registry") where the feed is another registry's.
    """
    if registry.about()["origin"] != feed.head.origin:
        raise Refused("other-registry", f"the feed is of {feed.head.origin}; name its --registry")
    gone = dropped_rows(feed, report)
    if not gone:
        return 0
    latest = {one["notice"]["id"]: one["notice"] for one in every_event(registry, by.key, keep=True)}
    said = iter(list(suppressed(latest.values(), gone, use=report["for"]["read_as"])))
    sent = 0
    while piece := list(islice(said, MOST_NOTICES)):
        send_outcomes(registry, _grouped(piece), by, stamp=next(stamps))
        sent += len(piece)
    return sent


def dropped_rows(feed: Feed, report: Mapping[str, Any]) -> dict[str, BitMap64]:
    """By the digest of a registered file: the rows that a filter with this feed took out of it."""
    use = use_of(report["for"]["read_as"])
    found: dict[str, BitMap64] = {}
    for file in report["files"]:
        if file["tier"] == "row":
            entries = [one for one in feed.entries(file["sha256"]) if one.label in file["datasets"]]
            found[file["sha256"]] = BitMap64.union(BitMap64(), *(feed.rows(one, use=use) for one in entries))
    return found


def suppressed(
    notices: Iterable[Mapping[str, Any]], gone: Mapping[str, BitMap64], *, use: str
) -> Iterator[tuple[str, str]]:
    """Open notices all of whose rows of a version are gone, as (notice, version); the newest such version.

    Rows that went for one use alone answer a notice that asks about that use alone.
    """
    for notice in notices:
        if notice["state"] not in OPEN or not (use == ANY or notice["categories"] == [use]):
            continue
        by_version: dict[str, bool] = {}
        for part in notice["rows"]:
            rows = BitMap64.deserialize(base64.b64decode(part["rows"]))
            is_gone = rows.issubset(gone.get(part["sha256"], BitMap64()))
            by_version[part["version"]] = by_version.get(part["version"], True) and is_gone
        covered = [version for version, is_gone in by_version.items() if is_gone]
        if covered:
            yield notice["id"], covered[-1]


def _grouped(pairs: Sequence[tuple[str, str]]) -> list[Said]:
    by_version: dict[str, list[str]] = {}
    for notice, version in pairs:
        by_version.setdefault(version, []).append(notice)
    return [Said("suppressed", tuple(ids), version=version) for version, ids in by_version.items()]


def _digest(path: Path | None) -> str | None:
    if path is None:
        return None
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
