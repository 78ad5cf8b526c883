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


def receipt_for(session: Session, store: ObjectStore, *, ref: str, kind: str | None = None) -> bytes:
    """A C2SP tlog-proof of the public act with this digest: of a statement, of a commitment, of a feed head.

    Its checkpoint is the published one, which everybody can see: one that was signed and overtaken before it was
    published is in no receipt. Of a digest that two entries have (an opt-out and its withdrawal) the first, or the one
    of `kind`. NotFound("no-such-entry"); Unavailable("not-in-log-yet") until a published checkpoint covers it.
    """
    wanted = select(Act).where(Act.ref == ref, Act.leaf.is_not(None))
    if kind is not None:
        wanted = wanted.where(Act.kind == kind)
    act = session.scalar(wanted.order_by(Act.id).limit(1))
    if act is None:
        raise NotFound("no-such-entry", "no entry of the log has this digest", at=ref)
    published = _published(session, store)
    if act.log_index is None or act.leaf is None or published is None or act.log_index >= published.size:
        raise Unavailable(
            "not-in-log-yet", "the next checkpoint of the log will cover it; ask again", retry_after=SOON
        )
    read = node_reader(published.size, partial(shelf.read_tiles, store))
    proof = merkle.inclusion_proof(act.log_index, published.size, read)
    return receipt.write(Receipt(act.leaf, act.log_index, proof, published.note))


def _published(session: Session, store: ObjectStore) -> SignedCheckpoint | None:
    """The checkpoint that is published, if it was signed here: its size, the second line, says which it is."""
    there = shelf.read_checkpoint(store)
    if there is None:
        return None
    size = there.split(b"\n", 2)[1:2]
    found = session.get(SignedCheckpoint, int(size[0])) if size and size[0].isdigit() else None
    return found if found is not None and found.note == there else None
