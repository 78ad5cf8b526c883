"""Look through a registry: is all there that should be, and does one part say what the other says? Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Engine

from byline.formats.note import NoteKey
from registry.config import Settings
from registry.database import Sessions
from registry.storage import ObjectStore
from registry.upkeep.findings import Finding, Findings
from registry.upkeep.look_log import look_at_log
from registry.upkeep.look_notices import look_at_notices
from registry.upkeep.look_objects import look_at_objects
from registry.upkeep.look_views import look_at_feed, look_at_rows, look_at_search
from registry.upkeep.look_withheld import look_at_withheld
from search import SearchEngine


@dataclass(frozen=True)
class Looked:
    """What is looked through, and with which key the log is believed."""

    sessions: Sessions
    items: Engine
    store: ObjectStore
    search: SearchEngine
    settings: Settings
    key: NoteKey
    vkey: str


def fsck(parts: Looked) -> Iterator[tuple[str, Findings]]:
    """Each check by its name, and what it finds, while it looks."""
    yield "log", look_at_log(parts.sessions, parts.store, key=parts.key)
    yield "objects", look_at_objects(parts.sessions, parts.store, settings=parts.settings)
    yield "rows", look_at_rows(parts.sessions, parts.items, parts.store)
    yield "notices", look_at_notices(parts.sessions)
    yield "withheld", look_at_withheld(parts.sessions)
    yield "search", look_at_search(parts.sessions, parts.search)
    yield "feed", look_at_feed(parts.sessions, parts.store, vkey=parts.vkey)


def next_step(found: list[Finding]) -> str:
    """What to do about it."""
    if not found:
        return "all is there, and one part says what the other says"
    if all(one.rebuild for one in found):
        return "stop the registry and run `byline-registry rebuild`: it makes these again"
    if any(one.code == "log-ahead-of-database" for one in found):
        return "run `byline-registry recover`, then this again"
    return "put back from a backup or mirror what `rebuild` cannot make (see docs/guides/operator.md), then rebuild"
