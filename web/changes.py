"""What one version says otherwise than the one before it: by what both publish, never by whose rows went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from web.words import plain

Version = Mapping[str, Any]
COUNTS = (("records", "records"), ("contributors", "makers"), ("unattributed", "records that name nobody"))


@dataclass(frozen=True)
class Step:
    """A version, and what changed when it came; the first has `changes` None."""

    version: Version
    changes: tuple[str, ...] | None


def steps(versions: Sequence[Version]) -> list[Step]:
    """Each of `versions` (newest first), compared with the next older one that is shown."""
    compared = [Step(newer, tuple(_changes(older, newer))) for newer, older in pairwise(versions)]
    return [*compared, Step(versions[-1], None)] if versions else []


def _changes(old: Version, new: Version) -> list[str]:
    said = [
        _counted(words, new[name] - old[name], new[name]) for name, words in COUNTS if new[name] != old[name]
    ]
    said += _listed("purpose", _plain(old["purposes"]), _plain(new["purposes"]))
    said += _listed("added data", _added(old), _added(new))
    if old["access"] != new["access"]:
        said.append(f"who may have it: {plain(old['access'])} → {plain(new['access'])}")
    if old["role"] != new["role"]:
        said.append(f"registered as {new['role']}, before as {old['role']}")
    return said


def _counted(words: str, by: int, now: int) -> str:
    return f"{abs(by):,} {'more' if by > 0 else 'fewer'} {words} ({now:,})"


def _listed(word: str, old: Sequence[str], new: Sequence[str]) -> list[str]:
    came = [f"new {word}: {one}" for one in new if one not in old]
    return came + [f"{word} no longer stated: {one}" for one in old if one not in new]


def _plain(labels: Sequence[str]) -> list[str]:
    return [plain(label) for label in labels]


def _added(version: Version) -> list[str]:
    return [f"{one['name']} ({plain(one['category'])})" for one in version["annotations"]]
