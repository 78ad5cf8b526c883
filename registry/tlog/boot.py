"""Before a registry signs anything: that database, store and key belong together.

A database restored from an older copy, a store of another registry, a changed key: each would sign a second history.
"""

from __future__ import annotations

from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from byline.errors import Untrusted
from byline.formats import checkpoint as checkpoints
from byline.formats.keys import PrivateKey
from byline.formats.note import NoteKey
from registry.models import LogState, SignedCheckpoint
from registry.storage import ObjectStore
from registry.tlog import shelf
from registry.tlog.growing import check_edge
from registry.tlog.integrate import check_known, newest


def check_log(session: Session, *, store: ObjectStore, log_key: PrivateKey, origin: str) -> None:
    """Untrusted, with what to do, unless this database may go on with the log in this store under this key.

    "log-other-key", "log-ahead-of-database", "log-forked", "log-damaged". A database ahead of the published checkpoint
    is well: that is what a crash before publishing leaves.
    """
    key = NoteKey(origin, log_key.public)
    tree = newest(session, origin)
    _check_own(session, key)
    there = shelf.read_checkpoint(store)
    if there is not None:
        try:
            published = checkpoints.read(there, key)
        except Untrusted as error:
            raise Untrusted(
                "log-other-key",
                "the published log is not signed with this registry's key; give the key it was begun with (BYLINE_LOG_KEY), or "
                "another store",
            ) from error
        check_known(session, published)
    elif tree.size:
        raise Untrusted(
            "log-damaged", "the log's checkpoint is gone from the store; run `byline-registry recover`"
        )
    if (session.scalar(select(LogState.next_index)) or 0) < tree.size:
        raise Untrusted(
            "log-ahead-of-database", "the database has lost entries it signed; run `byline-registry recover`"
        )
    check_edge(tree, partial(shelf.read_tiles, store))


def _check_own(session: Session, key: NoteKey) -> None:
    note = session.scalar(select(SignedCheckpoint.note).order_by(SignedCheckpoint.size.desc()).limit(1))
    if note is not None:
        try:
            checkpoints.read(note, key)
        except Untrusted as error:
            raise Untrusted(
                "log-other-key",
                "this database's log was signed with another key; give that one (BYLINE_LOG_KEY)",
            ) from error
