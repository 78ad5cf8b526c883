"""What the log says last: its newest signed head and the entries before it. Entries name nobody."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from registry.models import Act, SignedCheckpoint


@dataclass(frozen=True)
class Head:
    """The newest checkpoint: how many entries it covers, their root hash in hex, the signed note, when it was signed."""

    size: int
    root: str
    note: str
    made_at: dt.datetime


@dataclass(frozen=True)
class Entry:
    """One entry: where it stands, what it is, the digest a receipt is asked by."""

    index: int
    kind: str
    digest: str


def head(session: Session) -> Head | None:
    """None before the first entry."""
    found = session.scalar(select(SignedCheckpoint).order_by(SignedCheckpoint.size.desc()).limit(1))
    return Head(found.size, found.root.hex(), found.note.decode(), found.made_at) if found else None


def entries(session: Session, *, limit: int) -> list[Entry]:
    """The newest ones, newest first."""
    rows = session.execute(
        select(Act.log_index, Act.kind, Act.ref)
        .where(Act.log_index.is_not(None))
        .order_by(Act.log_index.desc())
        .limit(limit)
    )
    return [Entry(index, kind, ref) for index, kind, ref in rows if index is not None]
