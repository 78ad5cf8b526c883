"""Receipts: that an act stands in the published log, as a file anyone can check offline."""

from __future__ import annotations

from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from byline.errors import NotFound, Unavailable
from byline.formats import merkle, receipt
from byline.formats.receipt import Receipt
from byline.formats.tiles import node_reader
from registry.models import Act, SignedCheckpoint
from registry.storage import ObjectStore
from registry.tlog import shelf

SOON = 1  # seconds until an entry is in the published log, if all is well


def receipt_for(session: Session, store: ObjectStore, *, ref: str) -> bytes:
    """A C2SP tlog-proof of the public act with this digest: of a statement, of a commitment, of a feed head.

    NotFound("no-such-entry"); Unavailable("not-in-log-yet") until a published checkpoint covers it. Of a digest that two
    entries have (an opt-out and its withdrawal) the first.
    """
    act = session.scalar(select(Act).where(Act.ref == ref, Act.leaf.is_not(None)).order_by(Act.id).limit(1))
    if act is None:
        raise NotFound("no-such-entry", "no entry of the log has this digest", at=ref)
    newest = session.scalar(select(SignedCheckpoint).order_by(SignedCheckpoint.size.desc()).limit(1))
    if act.log_index is None or act.leaf is None or newest is None or act.log_index >= newest.size:
        raise Unavailable(
            "not-in-log-yet", "the next checkpoint of the log will cover it; ask again", retry_after=SOON
        )
    read = node_reader(newest.size, partial(shelf.read_tiles, store))
    proof = merkle.inclusion_proof(act.log_index, newest.size, read)
    return receipt.write(Receipt(act.leaf, act.log_index, proof, newest.note))
