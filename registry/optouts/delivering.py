"""What was delivered to a publisher, and what follows: its notices are `sent`, and the 30 days begin."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, aliased

from registry.models import Dataset, Delivery, Notice, NoticeEvent, Publisher, Receiver

ANSWER_WITHIN = dt.timedelta(days=30)
WAITING = ("pending", "undeliverable")


@dataclass(frozen=True)
class Event:
    """One line of a publisher's list; `parent`: the dataset its notice by lineage leads to, as it stands now."""

    seq: int
    kind: str
    notice_id: str
    dataset: str
    made_at: dt.datetime
    parent: str | None = None


def events(session: Session, publisher_id: int, *, after: int, to: int, limit: int) -> list[Event]:
    """What came after `after`, up to `to`, in order."""
    above, above_by = aliased(Dataset), aliased(Publisher)
    columns = (
        select(NoticeEvent, Publisher.slug, Dataset.name, above_by.slug + "/" + above.name)
        .join(Notice, Notice.id == NoticeEvent.notice_id)
        .join(Dataset, Dataset.id == Notice.dataset_id)
        .join(Publisher, Publisher.id == Dataset.publisher_id)
        .outerjoin(above, above.id == Notice.parent_id)
        .outerjoin(above_by, above_by.id == above.publisher_id)
        .where(NoticeEvent.publisher_id == publisher_id, NoticeEvent.seq > after, NoticeEvent.seq <= to)
    )
    return [
        Event(
            event.seq,
            event.kind,
            event.notice_id,
            f"{slug}/{name}",
            event.made_at,
            parent=parent,
        )
        for event, slug, name, parent in session.execute(columns.order_by(NoticeEvent.seq).limit(limit))
    ]


def delivered(
    session: Session,
    publisher_id: int,
    *,
    channel: str,
    from_seq: int,
    to_seq: int,
    proof: str,
    now: dt.datetime,
) -> None:
    """Events up to `to_seq` are proved to have arrived: their notices are `sent`, and the 30 days begin."""
    if to_seq < from_seq:
        return
    session.add(
        Delivery(
            publisher_id=publisher_id, channel=channel, from_seq=from_seq, to_seq=to_seq, proof=proof, at=now
        )
    )
    told = select(NoticeEvent.notice_id).where(
        NoticeEvent.publisher_id == publisher_id, NoticeEvent.seq >= from_seq, NoticeEvent.seq <= to_seq
    )
    clock = {"sent_at": now, "answer_by": now + ANSWER_WITHIN}
    mine = update(Notice).where(Notice.id.in_(told)).execution_options(synchronize_session="fetch")
    session.execute(mine.where(Notice.sent_at.is_(None), Notice.state != "withdrawn").values(**clock))
    session.execute(mine.where(Notice.state.in_(WAITING)).values(state="sent"))


def waiting_count(session: Session, receiver: Receiver) -> int:
    """How many events no channel has delivered yet."""
    done = max(receiver.polled_to, receiver.pushed_to)
    own = NoticeEvent.publisher_id == receiver.publisher_id
    return session.scalar(select(func.count()).where(own, NoticeEvent.seq > done)) or 0
