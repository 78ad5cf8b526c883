"""What a person took back is written into the object store as well: a database restored from before does not bring it back.

An object holds a kind, a time, and a random or public id: nobody learns from it who it was.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from byline.errors import BylineError
from byline.formats import canonical
from byline.formats.fields import Fields
from registry.contributors.hiding import hide_again
from registry.database import Sessions, transaction
from registry.models import Tombstone
from registry.optouts.erasing import FORGOTTEN, erase_again
from registry.seal import Seal
from registry.storage import ObjectStore

ROOT = "tombstones/"
KINDS = (FORGOTTEN, "hidden", "shown")
MOST, MOST_BYTES = 500, 4_096


@dataclass(frozen=True, order=True)
class Stone:
    """One of them, by time."""

    at: dt.datetime
    kind: str
    subject: str


def keep_tombstones(sessions: Sessions, store: ObjectStore) -> bool:
    """Write those that the store has not; True where more are left. A crash in between writes the same ones again."""
    with sessions() as session:
        waiting = select(Tombstone).where(Tombstone.kept.is_(False), Tombstone.kind.in_(KINDS))
        some = session.scalars(waiting.order_by(Tombstone.made_at).limit(MOST)).all()
    for one in some:
        data = _bytes(Stone(one.made_at, one.kind, one.subject))
        store.put_new(f"{ROOT}{hashlib.sha256(data).hexdigest()}.json", data)
    if some:
        with transaction(sessions) as session:
            for one in some:
                standing = session.get(Tombstone, (one.kind, one.subject))
                if standing is not None and standing.made_at == one.made_at:
                    standing.kept = True
    return len(some) == MOST


def apply_tombstones(session: Session, store: ObjectStore, *, seal: Seal) -> int:
    """Do again what the store knows and this database does not, in the caller's transaction; how much that was."""
    standing = {
        (one.kind, one.subject): one.made_at
        for one in session.scalars(select(Tombstone).where(Tombstone.kind.in_(KINDS)))
    }
    missing = [
        one
        for one in sorted(_stones(store))
        if standing.get((one.kind, one.subject), dt.datetime.min.replace(tzinfo=dt.UTC)) < one.at
    ]
    erased = {one.subject: one.at for one in missing if one.kind == FORGOTTEN}
    if erased:
        erase_again(session, erased, seal=seal, now=max(erased.values()))
    for one in missing:
        if one.kind != FORGOTTEN:
            hide_again(session, one.subject, hidden=one.kind == "hidden", now=one.at)
        session.merge(Tombstone(kind=one.kind, subject=one.subject, made_at=one.at, kept=True))
    return len(missing)


def _bytes(stone: Stone) -> bytes:
    said = {"v": 1, "kind": stone.kind, "subject": stone.subject, "at": stone.at.isoformat()}
    return canonical.dumps(said)


def _stones(store: ObjectStore) -> list[Stone]:
    return [found for key in store.list(ROOT) if (found := _read(store.get(key))) is not None]


def _read(data: bytes) -> Stone | None:
    """None for what a later version wrote, or nobody."""
    try:
        fields = Fields(canonical.loads(data, max_bytes=MOST_BYTES), "tombstone")
        kind = fields.choice("kind", KINDS)
        at = dt.datetime.fromisoformat(fields.text("at", longest=40))
        subject = fields.text("subject", longest=300)
    except (BylineError, ValueError):
        return None
    return Stone(at, kind, subject) if at.tzinfo is not None else None
