"""Building the feed: read what stands, write its files, record the head, log it, publish it.

The order of durable writes is the crash rule. Files are immutable and named by digest, so any of them may be
left over. The head is recorded with its entry in the log before anybody can see it, so a number never stands
for two contents; one that was recorded and not published is published by the next build. Until then readers
have the old head, whole.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, or_, select, update
from sqlalchemy.orm import Session

from byline.formats import keyfeed
from byline.formats.entries import feed_entry
from byline.formats.keys import PrivateKey
from byline.formats.keyset import KeySet
from registry.config import Settings
from registry.database import Sessions, transaction
from registry.feed.batches import Moment, Why, key_files
from registry.feed.before import Before, read_before
from registry.feed.coverage import coverage
from registry.feed.head import ROOT, Files, content_sha256, head_bytes, note_bytes, publish
from registry.feed.index import PARTS, WhyRows, write_index
from registry.feed.keys import count_hosts, padded, read_keys
from registry.feed.left import Left, forget_left, read_left
from registry.feed.packs import pack_files
from registry.feed.rows import RowFeeds, read_row_feeds
from registry.models import Act, FeedHead, Follower, OptOut
from registry.optouts.pieces import pieces
from registry.storage import ObjectStore
from registry.tlog.append import append
from registry.tlog.sequence import last_number, log_size

FOLLOWER = "feed"


@dataclass(frozen=True)
class Standing:
    """What the feed should say, read at one moment. `shown`: opt-outs this is the first head for."""

    rows: RowFeeds
    keys: KeySet
    hosts: int
    coverage: dict[str, int]
    left: Left
    shown: dict[str, dt.datetime]
    number: int
    log_size: int
    last: FeedHead | None

    @property
    def why(self) -> Why:
        """Why keys left."""
        return Why(self.left.keys, self.left.voided)

    @property
    def why_rows(self) -> WhyRows:
        """Why rows left."""
        return WhyRows(self.left.rows, self.left.voided, self.left.versions)


def build_feed(
    sessions: Sessions,
    *,
    store: ObjectStore,
    log_key: PrivateKey,
    padding_key: bytes,
    settings: Settings,
    now: dt.datetime,
) -> FeedHead | None:
    """Build and publish the next head; None where the present one says it all and is good for a while yet."""
    _publish_last(sessions, store=store, log_key=log_key, settings=settings)
    with sessions() as session:
        standing = read_standing(session)
    last = standing.last
    before = read_before(store, last)
    files = Files(store, before.paths())
    keys = padded(standing.keys, before.keys, padding_key=padding_key)
    content = {**_content(files, before, standing, settings), "keys": _keys_said(keys)}
    rows = files.written()
    digest = content_sha256(content)
    if last is not None and last.content_sha256 == digest and not _lapses_soon(last, settings, now):
        _note_shown(sessions, standing, seq=last.seq)
        return None
    lifetime = dt.timedelta(seconds=settings.feed_lifetime)
    seq = 1 if last is None else last.seq + 1
    packed = [path for path in rows.fresh if not path.endswith(".ndjson")]  # no client of ours asks for those
    content["rows"]["packs"] = pack_files(files, before, packed, rows.named, at=Moment(seq, now))
    content["keys"] |= key_files(files, before, keys, standing.why, at=Moment(seq, now))
    data = head_bytes(content, seq=seq, log_size=standing.log_size, now=now, lifetime=lifetime)
    sha256 = files.put(data, "json")["sha256"]
    made = FeedHead(seq=seq, sha256=sha256, content_sha256=digest, number=standing.number, made_at=now)
    head = _record(sessions, made, standing.left)
    publish(store, data, note_bytes(settings.origin, seq, sha256, log_key))
    _note_shown(sessions, standing, seq=seq)
    return head


def is_due(session: Session, *, settings: Settings, now: dt.datetime) -> bool:
    """Whether a build is worth its while: something happened, or the head lapses soon; and it is time."""
    last = session.scalar(select(FeedHead).order_by(FeedHead.seq.desc()).limit(1))
    if last is None or _lapses_soon(last, settings, now):
        return True
    if settings.feed_interval and now < last.made_at + dt.timedelta(seconds=settings.feed_interval):
        return False
    seen = session.scalar(select(Follower.number).where(Follower.name == FOLLOWER)) or 0
    news = select(Act.id).where(Act.number >= seen, Act.kind != "feed")  # its own heads are none
    return bool(session.scalar(select(or_(exists(news), exists(_not_shown())))))


def read_standing(session: Session) -> Standing:
    """Everything a head is made of, at one moment."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    rows = read_row_feeds(session)
    last = session.scalar(select(FeedHead).order_by(FeedHead.seq.desc()).limit(1))
    return Standing(
        rows=rows,
        keys=read_keys(session),
        hosts=count_hosts(session),
        left=read_left(session, since=0 if last is None else last.number),
        coverage=coverage(session, in_row_feeds=rows.opt_outs),
        shown={row.id: row.matched_at for row in session.execute(_not_shown()) if row.matched_at is not None},
        number=last_number(session),
        log_size=log_size(session),
        last=last,
    )


def shown_by(session: Session) -> dict[str, int]:
    """The head that was the first to show each opt-out, where one has."""
    rows = session.execute(select(OptOut.id, OptOut.feed_seq).where(OptOut.feed_seq.is_not(None)))
    return {id_: seq for id_, seq in rows if seq is not None}


def say_shown(session: Session, shown: dict[str, int]) -> None:
    """Put that back, for who was matched again and found where they were."""
    for ids in pieces(shown):
        for one in session.scalars(select(OptOut).where(OptOut.id.in_(ids))):
            one.feed_seq = shown[one.id]


def _not_shown() -> Any:
    matched = OptOut.matched_at.is_not(None) & OptOut.feed_seq.is_(None)
    return select(OptOut.id, OptOut.matched_at).where(matched, OptOut.state.in_(("in-force", "withdrawn")))


def _publish_last(sessions: Sessions, *, store: ObjectStore, log_key: PrivateKey, settings: Settings) -> None:
    """Publish the head recorded last, where a crash came between the two; else this changes nothing."""
    with sessions() as session:
        last = session.scalar(select(FeedHead).order_by(FeedHead.seq.desc()).limit(1))
    if last is not None:
        data = store.get(f"{ROOT}/files/{last.sha256}.json")
        publish(store, data, note_bytes(settings.origin, last.seq, last.sha256, log_key))


def _record(sessions: Sessions, head: FeedHead, left: Left) -> FeedHead:
    """The head, its entry in the log, and what it said of what left forgotten: all or nothing."""
    with transaction(sessions) as session:
        forget_left(session, left)
        session.add(head)
        session.flush()
        leaf = feed_entry(head.seq, head.sha256, head.made_at)
        append(session, kind="feed", subject=f"feed:{head.seq}", ref=head.sha256, leaf=leaf, now=head.made_at)
    return head


def _note_shown(sessions: Sessions, standing: Standing, *, seq: int) -> None:
    """Say in their status which head shows them; one that was matched again meanwhile waits for the next."""
    with transaction(sessions) as session:
        for piece in pieces(standing.shown):
            _show(session, piece, standing.shown, seq)
        session.merge(Follower(name=FOLLOWER, number=standing.number))


def _show(session: Session, ids: Collection[str], matched: dict[str, dt.datetime], seq: int) -> None:
    found = session.execute(select(OptOut.id, OptOut.matched_at).where(OptOut.id.in_(ids)))
    same = [row.id for row in found if row.matched_at == matched[row.id]]
    session.execute(update(OptOut).where(OptOut.id.in_(same)).values(feed_seq=seq))


def _lapses_soon(head: FeedHead, settings: Settings, now: dt.datetime) -> bool:
    return now >= head.made_at + dt.timedelta(seconds=settings.feed_lifetime) / 2


def _content(files: Files, before: Before, standing: Standing, settings: Settings) -> dict[str, Any]:
    """What the head says, and all the files of its row feeds."""
    return {
        "v": 1,
        "origin": settings.origin,
        "interval_s": settings.feed_interval,
        "canon": "b1",
        "rows": {"parts": PARTS, "index": write_index(files, before, standing.rows, standing.why_rows)},
        "hosts_n": standing.hosts,
        "coverage": standing.coverage,
    }


def _keys_said(keys: KeySet) -> dict[str, Any]:
    return {"n": len(keys.k), "set_sha256": keyfeed.set_sha256(*keys)}
