"""Note for each watch what happened: in columns, in one statement for all watches.

New datasets by a cursor over the sequence, answers in the transaction that writes them down. What is noted and the job
that tells it stand in one transaction: a crash costs a repeat and loses nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Select, case, delete, exists, insert, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from registry.contributors.visible import pieces, published, select_in
from registry.contributors.withheld import Blind, known_as, read_blinds
from registry.database import Sessions, transaction
from registry.jobs import MAIL, OUT
from registry.models import (
    Act,
    Contributor,
    ContributorCount,
    Dataset,
    Follower,
    Manifest,
    Notice,
    Watch,
    WatchEvent,
)
from registry.watches.asking import OF_OPT_OUT, ask_telling, end

NAME = "watches"
WAITS = dt.timedelta(hours=1)
"""What comes within an hour goes in one mail."""
UNCONFIRMED = dt.timedelta(days=7)
KEPT = dt.timedelta(days=90)
"""How long what was told is shown."""


def follow(sessions: Sessions, *, now: dt.datetime, most: int = 100) -> int:
    """Look through at most `most` acts for versions that came out; give how many acts there were."""
    with transaction(sessions) as session:
        follower = session.get(Follower, NAME, with_for_update=True)
        if follower is None:
            follower = Follower(name=NAME, number=0)
            session.add(follower)
            session.flush()
        acts = session.execute(
            select(Act.number, Act.kind, Act.ref)
            .where(Act.number >= follower.number)
            .order_by(Act.number)
            .limit(most)
        ).all()
        if acts:
            _note_versions(session, {act.ref for act in acts if act.kind == "published"}, now)
            follower.number = acts[-1].number + 1
        return len(acts)


def note_answers(session: Session, notices: Collection[str], *, now: dt.datetime) -> None:
    """These notices have another state than before: whoever watches their opt-outs shall hear. In the caller's transaction."""
    session.flush()
    for piece in pieces(notices):
        asked = (
            select(
                Watch.id,
                literal("answer"),
                literal(None),
                Notice.id,
                Notice.state,
                literal(now, WatchEvent.at.type),
            )
            .join(Notice, literal(OF_OPT_OUT) + Notice.opt_out_id == Watch.about)
            .where(Notice.id.in_(piece), Watch.state == "on")
        )
        _note(session, asked.order_by(Notice.id), now)


def forget_told(session: Session, *, now: dt.datetime) -> None:
    """What was told long ago is not kept, and a watch that nobody confirmed neither."""
    session.execute(delete(WatchEvent).where(WatchEvent.told_at < now - KEPT))
    waiting = select(Watch.id).where(Watch.state == "waiting", Watch.made_at < now - UNCONFIRMED)
    end(session, session.scalars(waiting.limit(500)).all())


def _note_versions(session: Session, digests: Collection[str], now: dt.datetime) -> None:
    """The first version of a dataset that names them, under any handle that is theirs."""
    known, handle = aliased(Contributor), aliased(Contributor)
    for piece in pieces(digests):
        asked = (
            select(
                Watch.id,
                literal("dataset"),
                Manifest.id,
                literal(None),
                literal(None),
                literal(now, WatchEvent.at.type),
            )
            .distinct()
            .join(known, known.key == Watch.about)
            .join(handle, handle.root_id == known.root_id)
            .join(ContributorCount, ContributorCount.contributor_id == handle.id)
            .join(Manifest, Manifest.id == ContributorCount.manifest_id)
            .join(Dataset, Dataset.id == Manifest.dataset_id)
            .where(Manifest.digest.in_(piece), published(), Watch.state == "on")
            .where(~_named_before(known.root_id))
        )
        _note(session, asked, now)
    for blind in read_blinds(session, Manifest.digest.in_(digests), Manifest.state == "published"):
        for piece in pieces(_watched_behind(session, blind)):
            asked = select(
                Watch.id,
                literal("dataset"),
                literal(blind.manifest_id),
                literal(None),
                literal(None),
                literal(now, WatchEvent.at.type),
            ).where(Watch.about.in_(piece), Watch.state == "on")
            _note(session, asked, now)


def _watched_behind(session: Session, blind: Blind) -> set[str]:
    """Makers somebody watches, whom this version of digests is the first of its dataset to hold, under any of their handles."""
    watched = set(session.scalars(select(Watch.about).where(Watch.state == "on").distinct()))
    root_of = {row.root_id: row.key for row in select_in(session, _HANDLES, Contributor.key, watched)}
    theirs = {key: {key} for key in watched if not key.startswith(OF_OPT_OUT)}
    for row in select_in(session, _HANDLES, Contributor.root_id, root_of):
        theirs.setdefault(root_of[row.root_id], set()).add(row.key)
    keys = {key for some in theirs.values() for key in some}
    own = session.get_one(Manifest, blind.manifest_id)
    before = read_blinds(session, Manifest.dataset_id == own.dataset_id, Manifest.id < own.id)
    here, known = known_as(session, [blind], keys), known_as(session, before, keys)
    named = select(Contributor.root_id).join(ContributorCount).join(Manifest)
    earlier = named.where(Manifest.dataset_id == own.dataset_id, Manifest.id < own.id).distinct()
    told = {root_of[root] for (root,) in select_in(session, earlier, Contributor.root_id, root_of)}
    return {
        about
        for about, some in theirs.items()
        if about not in told and not some.isdisjoint(here) and some.isdisjoint(known)
    }


_HANDLES = select(Contributor.root_id, Contributor.key)


def _named_before(root: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """An earlier version of the same dataset names them already."""
    before, held, of = aliased(Manifest), aliased(ContributorCount), aliased(Contributor)
    earlier = (before.dataset_id == Manifest.dataset_id) & (before.id < Manifest.id)
    return exists().where(
        of.root_id == root, held.contributor_id == of.id, held.manifest_id == before.id, earlier
    )


def _note(session: Session, asked: Select[*tuple[Any, ...]], now: dt.datetime) -> None:
    columns = ["watch_id", "kind", "manifest_id", "notice_id", "state", "at"]
    noted = insert(WatchEvent).from_select(columns, asked).returning(WatchEvent.watch_id)
    watches = set(session.scalars(noted))
    lane = case((Watch.email_digest.is_not(None), MAIL), else_=OUT)
    for piece in pieces(watches):
        lanes: dict[str, list[str]] = {MAIL: [], OUT: []}
        for watch_id, which in session.execute(select(Watch.id, lane).where(Watch.id.in_(piece))):
            lanes[which].append(watch_id)
        ask_telling(session, lanes[MAIL], lane=MAIL, now=now, run_at=now + WAITS)
        ask_telling(session, lanes[OUT], lane=OUT, now=now)
