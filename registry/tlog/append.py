"""Put an act into the one sequence, in the transaction that did it."""

from __future__ import annotations

import datetime as dt
import hashlib

from sqlalchemy import select
from sqlalchemy.orm import Session

from byline.errors import Refused
from registry.models import Act

MAX_LEAF = 65_535  # tlog-tiles: an entry bundle gives each entry a uint16 length


def append(
    session: Session, *, kind: str, subject: str, ref: str, leaf: bytes | None, now: dt.datetime
) -> Act:
    """Record one act; its number comes later, from `sequence.assign_numbers`.

    `leaf`: the entry's final bytes (byline.formats.entries) for a public act, None for a private one. The
    same leaf again gives the act that stands: a repeated step adds nothing. Refused("entry-too-long") above
    65,535 bytes.
    """
    if leaf is not None and len(leaf) > MAX_LEAF:
        raise Refused(
            "entry-too-long", f"a log entry has at most {MAX_LEAF} bytes, this one {len(leaf)}", at=ref
        )
    leaf_hash = None if leaf is None else hash_leaf(leaf)
    if leaf_hash is not None:
        standing = session.scalar(select(Act).where(Act.leaf_hash == leaf_hash))
        if standing is not None:
            return standing
    act = Act(kind=kind, subject=subject, ref=ref, leaf=leaf, leaf_hash=leaf_hash, made_at=now)
    session.add(act)
    session.flush()
    return act


def hash_leaf(leaf: bytes) -> bytes:
    """SHA-256(0x00 || leaf), RFC 6962 section 2.1."""
    return hashlib.sha256(b"\x00" + leaf).digest()
