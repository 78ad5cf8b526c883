"""While a version comes in, every open notice of its dataset that it holds no row of is weighed against it.

It is the registry's own answer, beside what the publisher says: `unlisted`, or `no-evidence` and why. May be
repeated: a version is weighed once for each notice.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field

from pyroaring import BitMap64
from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from registry.database import Sessions, transaction
from registry.models import Answer, Manifest, Match, Notice
from registry.optouts.answers import CLOSED, UNLISTED, reopen
from registry.optouts.evidence import among, filled, found_again, rows_at, why_not
from registry.optouts.pieces import select_in
from registry.optouts.sources import TARGET_STATES
from registry.optouts.telling import Happened, tell
from registry.storage import ObjectStore
from registry.watches.noting import note_answers

Rows = dict[int, BitMap64]
_OTHER_KEY = "its rows are withheld, and not under the key of the version before: the two cannot be compared"


@dataclass
class Before:
    """The last version that held rows of some notices: notice -> its rows by file. `withheld`: its key, by digest."""

    digest: str
    withheld: str | None
    notices: dict[str, Rows] = field(default_factory=lambda: defaultdict(dict))

    def rows(self) -> Rows:
        """Of all of them."""
        whole: Rows = defaultdict(BitMap64)
        for own in self.notices.values():
            for file, some in own.items():
                whole[file] |= some
        return whole


def weigh(sessions: Sessions, *, store: ObjectStore, manifest_id: int, now: dt.datetime) -> None:
    """Weigh the notices of a version's dataset against it, after it was matched; or give back what it proved."""
    with sessions() as session:
        version = session.get(Manifest, manifest_id)
        asked = _asked(session, version) if version is not None and _may_show(session, version) else {}
    if version is not None and version.state not in TARGET_STATES:
        with transaction(sessions) as session:
            _give_back(session, version, now)
    elif version is not None and asked:
        found = {k: v for before in asked.values() for k, v in _judge(store, before, version).items()}
        with transaction(sessions) as session:
            _keep(session, version, found, now)


def _may_show(session: Session, version: Manifest) -> bool:
    """A holder's version that follows another one, and is the newest there is."""
    later = select(Manifest.id).where(
        Manifest.dataset_id == version.dataset_id,
        Manifest.id > version.id,
        Manifest.state.in_(TARGET_STATES),
    )
    follows = version.role == "holder" and version.supersedes_id is not None
    return follows and version.state in TARGET_STATES and session.scalar(later.limit(1)) is None


def _asked(session: Session, version: Manifest) -> dict[int, Before]:
    """Open notices the version holds no row of, under the last version that did."""
    earlier = (Manifest.dataset_id == version.dataset_id) & (Manifest.id < version.id)
    last = (
        select(Match.opt_out_id, func.max(Match.manifest_id).label("manifest_id"))
        .join(Manifest, Manifest.id == Match.manifest_id)
        .where(earlier)
        .group_by(Match.opt_out_id)
        .subquery()
    )
    here = select(Match.opt_out_id).where(Match.manifest_id == version.id)
    weighed = exists().where(
        Answer.notice_id == Notice.id, Answer.by == "registry", Answer.version == version.version
    )
    before = Match.manifest_id == last.c.manifest_id
    columns = (
        select(
            Notice.id, Match.manifest_id, Match.file, Match.rows, Manifest.digest, Manifest.withheld_sha256
        )
        .join(last, last.c.opt_out_id == Notice.opt_out_id)
        .join(Match, (Match.opt_out_id == Notice.opt_out_id) & before)
        .join(Manifest, Manifest.id == Match.manifest_id)
        .where(Notice.dataset_id == version.dataset_id, Notice.state.not_in((CLOSED, UNLISTED)))
        .where(Notice.opt_out_id.not_in(here.correlate(None)), ~weighed)
    )
    found: dict[int, Before] = {}
    for notice_id, manifest_id, file, rows, digest, withheld in session.execute(columns):
        own = found.setdefault(manifest_id, Before(digest, withheld)).notices[notice_id]
        own[file] = own.get(file, BitMap64()) | BitMap64.deserialize(rows)
    return found


def _judge(store: ObjectStore, before: Before, version: Manifest) -> dict[str, str | None]:
    """Notice -> why the version is no evidence for it, None where it is. Each index is read twice, in stretches."""
    if before.withheld != version.withheld_sha256:
        return dict.fromkeys(before.notices, _OTHER_KEY)
    then, now = filled(store, before.digest), filled(store, version.digest)
    rows = rows_at(store, before.digest, before.rows())
    again = found_again(store, version.digest, rows)
    return {notice: why_not(among(rows, own), then, now, again) for notice, own in before.notices.items()}


def _keep(session: Session, version: Manifest, found: dict[str, str | None], now: dt.datetime) -> None:
    told = []
    for (notice,) in select_in(session, select(Notice).where(Notice.state != CLOSED), Notice.id, found):
        reason = found[notice.id]
        outcome = UNLISTED if reason is None else "no-evidence"
        session.add(
            Answer(
                notice_id=notice.id,
                by="registry",
                outcome=outcome,
                reason=reason,
                version=version.version,
                at=now,
            )
        )
        if reason is None:
            notice.state, notice.reason, notice.answered_at = UNLISTED, None, now
            told.append(Happened(notice.dataset_id, notice.id, "changed"))
    note_answers(session, [one.notice_id for one in told], now=now)
    tell(session, told, now=now)


def _give_back(session: Session, version: Manifest, now: dt.datetime) -> None:
    """A version that is gone proves nothing any more."""
    proved = exists().where(
        Answer.notice_id == Notice.id, Answer.outcome == UNLISTED, Answer.version == version.version
    )
    own = select(Notice).where(Notice.dataset_id == version.dataset_id, Notice.state == UNLISTED, proved)
    notices = session.scalars(own).all()
    for notice in notices:
        reopen(session, notice, version=version.version, now=now)
    note_answers(session, [one.id for one in notices], now=now)
    tell(session, [Happened(one.dataset_id, one.id, "reopened") for one in notices], now=now)
