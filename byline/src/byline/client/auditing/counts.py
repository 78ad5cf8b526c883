"""What a registry says of its own size, against what its log adds up to: opt-outs, datasets, their versions and records."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from byline.client.auditing.findings import Report
from byline.client.auditing.history import History
from byline.client.transport import Transport
from byline.errors import BylineError, NotFound

CHECK = "the registry's counts are what its log adds up to"
_AGAIN = 2
_AT_ONCE = 100
_LATELY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Told:
    """Public answers: of the log's size before and after, the figures, every dataset by its newest version."""

    sizes: frozenset[int]
    stats: dict[str, Any]
    datasets: dict[str, dict[str, Any]]


def check_counts(
    registry: Transport, history: History, report: Report, *, pause: Callable[[float], None]
) -> None:
    """Compared only while the log is as long as the one that was read; asked again, since an act comes before its entry."""
    with report.checking(CHECK) as finding:
        told = _told_of(registry, history)
        for _ in range(_AGAIN):
            if not list(_differences(told, history)):
                break
            pause(1.0)
            told = _told_of(registry, history)
        finding.looked_at = 3 + len(told.datasets)
        finding.wrong += _differences(told, history)
        finding.unknown += _not_listed(registry, told, history, wrong=finding.wrong)


def _told_of(registry: Transport, history: History) -> Told:
    """NotFound("no-counts", "other-counts") where nothing is said, or not of the log that was read."""
    told = _told(registry)
    if told is None:
        raise NotFound("no-counts", "nothing here answers as a registry does; a mirror says no counts")
    if told.sizes != {history.size}:
        message = f"the log went on after the {history.size:,} entries that were read; run it again, or renew the mirror"
        raise NotFound("other-counts", message)
    return told


def _told(registry: Transport) -> Told | None:
    try:
        sizes = [registry.get("/v1").get("log_size")]
        stats = registry.get("/v1/stats")
        datasets = {one["dataset"]: one for one in _pages(registry)}
        sizes.append(registry.get("/v1").get("log_size"))
        return Told(frozenset(sizes), dict(stats), datasets)
    except NotFound:
        return None
    except (AttributeError, KeyError, TypeError, ValueError):  # a static server lists a folder
        return None


def _pages(registry: Transport) -> Iterator[dict[str, Any]]:
    asked = {"limit": str(_AT_ONCE)}
    while True:
        page = registry.get("/v1/datasets", params=asked)
        yield from page["items"]
        if not page["next"]:
            return
        asked["cursor"] = page["next"]


def _differences(told: Told, history: History) -> Iterator[str]:
    """What is said and is not so."""
    standing, said = history.standing, told.stats.get("opt_outs")
    if not _is_count(said, standing):
        yield f"{said} opt-outs are said to be in force, the log has {standing} that were made and not withdrawn"
    if told.stats.get("datasets") != len(told.datasets):
        yield f"{told.stats.get('datasets')} datasets are said to be registered, {len(told.datasets)} are listed"
    records = sum(one.get("records") or 0 for one in told.datasets.values())
    if told.stats.get("records") != records:
        yield f"{told.stats.get('records')} records are said to be registered, those listed have {records}"
    for ref, one in told.datasets.items():
        if f"dataset:{ref}" in history.incomplete | history.unsure:
            continue
        versions = [ours for ours in history.datasets.get(ref, {}).values() if ours.version == one["version"]]
        if not versions:
            yield f"{ref}@{one['version']} is listed, and no manifest of it stands in the log"
        elif one.get("records") not in {ours.records for ours in versions}:
            yield f"{ref}@{one['version']} is listed with {one.get('records')} records, its manifest says {versions[-1].records}"


def _is_count(said: object, count: int) -> bool:
    """A count as it is shown: a small one reads `<10`."""
    if isinstance(said, str) and said.startswith("<") and said[1:].isdigit():
        return count < int(said[1:])
    return said == count


def _not_listed(registry: Transport, told: Told, history: History, *, wrong: list[str]) -> Iterator[str]:
    """Datasets that stand in the log and are not listed. One that came lately is perhaps still looked through."""
    for ref, versions in history.datasets.items():
        if ref in told.datasets or not versions or f"dataset:{ref}" in history.incomplete | history.unsure:
            continue
        if _is_told(registry, ref, set(versions)):
            continue
        what = f"{ref} stands in the log and is not listed"
        if max(_instant(one.at) for one in versions.values()) + _LATELY < _instant(history.newest):
            wrong.append(what)
        else:
            yield f"{what}: it came within a day of the last entry"


def _is_told(registry: Transport, ref: str, digests: set[str]) -> bool:
    """The registry says itself what became of each: retracted, or voided."""
    try:
        shown = registry.get(f"/v1/datasets/{ref}")
        ended = {one["digest"] for one in shown["versions"] if one["state"] in {"retracted", "voided"}}
    except (BylineError, KeyError, TypeError):
        return False
    return digests <= {one.removeprefix("sha256:") for one in ended}


def _instant(text: str) -> dt.datetime:
    return dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")  # noqa: DTZ007 - both are UTC, and only compared
