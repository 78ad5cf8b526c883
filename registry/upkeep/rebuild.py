"""Every view made again from the truth: manifests, extracts and acts; requests, keys and tombstones stay as they are.

What was withdrawn stays withdrawn, since it is asked of the tables; what was erased stays erased, since an erasure that
was committed is done to its end before anything is read, and nothing here reads what is not there any more. Killed
anywhere it is run again, and begins from the start.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine, delete, exists

from byline.errors import Untrusted
from byline.formats.keys import PrivateKey
from byline.formats.note import NoteKey
from registry.config import Settings
from registry.contributors import indexing
from registry.contributors.aliases import recompute_everyone
from registry.database import Sessions, transaction
from registry.feed.build import build_feed, say_shown, shown_by
from registry.feed.remade import remake_files
from registry.models import (
    AliasLink,
    Contributor,
    ContributorCount,
    Follower,
    OptOutMaker,
    Suggestion,
    items_metadata,
)
from registry.optouts import match
from registry.storage import ObjectStore, item_index
from registry.tlog import whole
from registry.upkeep import erasing, versions
from registry.upkeep.versions import Lost
from search import SearchEngine

Heard = Callable[[str], None]


@dataclass(frozen=True)
class Parts:
    """What a rebuild works on."""

    sessions: Sessions
    items: Engine
    store: ObjectStore
    search: SearchEngine
    settings: Settings
    log_key: PrivateKey
    padding_key: bytes
    heard: Heard = lambda _said: None


@dataclass(frozen=True)
class Rebuilt:
    """What was made again: files of the log; versions, and those of them from their index alone; opt-outs; the feed's files.

    `lost`: what nothing here can make again, a code and a place each.
    """

    log_files: int
    versions: int
    from_index: int
    opt_outs: int
    documents: int
    feed_files: int
    lost: tuple[Lost, ...]


def rebuild(parts: Parts, *, now: dt.datetime) -> Rebuilt:
    """The whole of it, in the order in which one view stands on another."""
    key = NoteKey(parts.settings.origin, parts.log_key.public)
    erasing.finish(parts.sessions, parts.store)
    log_files = whole.mend(parts.sessions, parts.store, key=key)
    found, lost = remake_versions(parts)
    forget_strangers(parts.sessions)
    with parts.sessions() as session:
        shown = shown_by(session)
    opt_outs = 0 if lost else match_again(parts, now=now)
    documents = remake_search(parts)
    feed_files, lost_files = remake_feed(parts, shown=shown, now=now)
    return Rebuilt(
        log_files=log_files,
        versions=len(found),
        from_index=found.count(versions.RECORD_INDEX),
        opt_outs=opt_outs,
        documents=documents,
        feed_files=feed_files,
        lost=(*lost, *lost_files),
    )


def remake_versions(parts: Parts) -> tuple[list[str], list[Lost]]:
    """From what each was made, and what of them is lost. All are taken out first: links join two of them.

    Of a version that lies nowhere in the store any more the tables have the only copy, which stays.
    """
    there, lost = versions.versions_with_source(parts.sessions, parts.store, settings=parts.settings)
    if not lost:  # keys of nobody go as well, and a table that cannot be read
        items_metadata.drop_all(parts.items)
    items_metadata.create_all(parts.items)
    for manifest_id in there:
        item_index.forget(parts.items, manifest_id)
        versions.forget_version(parts.sessions, manifest_id)
    found: list[str] = []
    for at, manifest_id in enumerate(there, 1):
        try:
            found.append(
                versions.remake_version(
                    manifest_id,
                    sessions=parts.sessions,
                    items=parts.items,
                    store=parts.store,
                    settings=parts.settings,
                    say=_telling(parts.heard, f"version {at:,} of {len(there):,}"),
                )
            )
        except Untrusted as error:
            lost.append(versions.lost(error))
    with transaction(parts.sessions) as session:
        recompute_everyone(session)
    return found, lost


def _telling(heard: Heard, before: str) -> versions.Say:
    return lambda step, done, _total: heard(f"{before}: {step} {done:,}")


def forget_strangers(sessions: Sessions) -> int:
    """Handles no version names any more; one that its owner hid is kept hidden."""
    used = (
        exists().where(ContributorCount.contributor_id == Contributor.id)
        | exists().where((AliasLink.alias_id == Contributor.id) | (AliasLink.number_id == Contributor.id))
        | exists().where(OptOutMaker.contributor_id == Contributor.id)
    )
    with transaction(sessions) as session:
        gone = session.execute(delete(Contributor).where(~used, Contributor.hidden.is_(False)))
        return int(gone.rowcount)  # type: ignore[attr-defined]


def match_again(parts: Parts, *, now: dt.datetime) -> int:
    """Every wish in force, against every version. Not while one is lost: what stands of it is the last word there is."""
    return match.match_all(parts.sessions, items=parts.items, store=parts.store, now=now)


def remake_search(parts: Parts) -> int:
    """Index and suggestions, from the first act on; how many documents there are."""
    with transaction(parts.sessions) as session:
        session.execute(delete(Suggestion))
        session.execute(delete(Follower).where(Follower.name == indexing.NAME))
    parts.search.clear()
    while indexing.follow(parts.sessions, parts.search):
        parts.heard(f"search: {parts.search.count():,} makers")
    return parts.search.count()


def remake_feed(parts: Parts, *, shown: dict[str, int], now: dt.datetime) -> tuple[int, list[Lost]]:
    """Files that are lost and can be made again; then the next head, where something else is to be said.

    `shown`: which head each wish was first shown by.
    """
    made, lost = remake_files(parts.sessions, parts.store, padding_key=parts.padding_key)
    if lost:  # no head can follow one that nobody can read
        message = "this file of the feed must come from a mirror or a backup"
        return made, [{"code": "feed-file-lost", "at": path, "message": message} for path in lost]
    head = build_feed(
        parts.sessions,
        store=parts.store,
        log_key=parts.log_key,
        padding_key=parts.padding_key,
        settings=parts.settings,
        now=now,
    )
    if head is None:  # the last head says it all, as it did before
        with transaction(parts.sessions) as session:
            say_shown(session, shown)
    return made, []
