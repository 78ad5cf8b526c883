"""Put an act into the one sequence, in the transaction that did it."""

from __future__ import annotations

import datetime as dt
import hashlib

from sqlalchemy import select
from sqlalchemy.orm import Session

from byline.errors import Refused
from registry.models import Act
from registry.tlog.sequence import check_not_behind

MAX_LEAF = 65_535  # tlog-tiles: an entry bundle gives each entry a uint16 length


def append(
    session: Session, *, kind: str, subject: str, ref: str, leaf: bytes | None, now: dt.datetime
) -> Act:
    """Record one act; its number comes later, from `sequence.assign_numbers`.

    `leaf`: the entry's final bytes (byline.formats.entries) for a public act, None for a private one. A public
    act of the same kind and ref gives the one that stands: a repeated step adds nothing, nor does a statement that
    comes again to a database restored from an older copy. Refused("entry-too-long") above 65,535 bytes;
    Unavailable("log-behind") while thousands wait for the log.
    """
    if leaf is not None and len(leaf) > MAX_LEAF:
        raise Refused(
            "entry-too-long", f"a log entry has at most {MAX_LEAF} bytes, this one {len(leaf)}", at=ref
        )
    leaf_hash = None if leaf is None else hash_leaf(leaf)
    if leaf_hash is not None:
        standing = session.scalar(select(Act).where(Act.ref == ref, Act.kind == kind, Act.leaf.is_not(None)))
        if standing is not None:
            return standing
        check_not_behind(session)
    act = Act(kind=kind, subject=subject, ref=ref, leaf=leaf, leaf_hash=leaf_hash, made_at=now)
    session.add(act)
    session.flush()
    return act


def hash_leaf(leaf: bytes) -> bytes:
    """SHA-256(0x00 || leaf), RFC 6962 section 2.1."""
    return hashlib.sha256(b"\x00" + leaf).digest()
