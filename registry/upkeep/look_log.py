"""The log: entries give the signed root, files are what the entries say, and every public act has its entry."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from byline.errors import BylineError
from byline.formats import checkpoint as checkpoints
from byline.formats.note import NoteKey
from registry.database import Sessions
from registry.models import Act, FeedHead, LogState, OptOut, Statement
from registry.storage import ObjectStore
from registry.tlog import shelf, whole
from registry.tlog.integrate import check_known
from registry.upkeep.findings import Finding, Findings

MOST = 1_000  # of one kind


def look_at_log(sessions: Sessions, store: ObjectStore, *, key: NoteKey) -> Findings:
    """Everything of the log that is not as it should be."""
    yield from _numbers(sessions)
    with sessions() as session:
        yield from _published(session, store, key)
        yield from _acts_without_entry(session)
    try:
        signed = whole.check_entries(sessions)
    except BylineError as error:
        yield Finding(error.code, "act", error.message)
        return
    for tile, _ in whole.lacking(sessions, store, size=signed.size if signed else 0):
        yield Finding(
            "log-file-wrong",
            shelf.key_of(tile),
            "this file of the log is lost or holds other bytes",
            rebuild=True,
        )


def _published(session: Session, store: ObjectStore, key: NoteKey) -> Findings:
    there = shelf.read_checkpoint(store)
    if there is None:
        if session.scalar(select(func.max(Act.log_index))) is not None:
            yield Finding("checkpoint-lost", shelf.CHECKPOINT, "no checkpoint is published", rebuild=True)
        return
    try:
        check_known(session, checkpoints.read(there, key))
    except BylineError as error:
        yield Finding(error.code, shelf.CHECKPOINT, error.message)


def _numbers(sessions: Sessions) -> Findings:
    """Indexes are gapless, the last one just below the next to be given. Numbers may have a gap where a log was recovered."""
    with sessions() as session:
        state = session.get(LogState, 1)
        following, number = (state.next_index, state.next_number) if state else (0, 0)
        count, last = session.execute(select(func.count(Act.log_index), func.max(Act.log_index))).one()
        highest = session.scalar(select(func.max(Act.number)))
    if (count, -1 if last is None else last) != (following, following - 1):
        message = f"{count} entries have an index and the next to be given is {following}"
        yield Finding("sequence-gap", "act.log_index", message)
    if highest is not None and highest >= number:
        message = f"number {highest} was given and the next to be given is {number}"
        yield Finding("sequence-gap", "act.number", message)


def _acts_without_entry(session: Session) -> Findings:
    """What must have an entry, by the digest it would have."""
    for what, statement in _must_stand():
        for (digest,) in session.execute(statement.limit(MOST)):
            yield Finding("not-in-log", digest, f"this {what} has no entry in the log")


def _must_stand() -> Iterator[tuple[str, Select[str]]]:
    entry = exists().where(Act.leaf.is_not(None))
    yield "statement", select(Statement.digest).where(~entry.where(Act.ref == Statement.digest))
    in_force = OptOut.in_force_at.is_not(None)
    yield "wish", select(OptOut.commitment).where(in_force, ~entry.where(Act.ref == OptOut.commitment))
    yield "feed head", select(FeedHead.sha256).where(~entry.where(Act.ref == FeedHead.sha256))
