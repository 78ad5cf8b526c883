"""Tell publishers what happened to notices: one numbered list each, and jobs that carry it out.

Written in the transaction of what happened. A publisher's counter is locked until that transaction ends, so
numbers appear in their order and without gaps: who asks "what came after 17?" misses nothing.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from registry.jobs import MAIL, OUT, enqueue
from registry.models import Dataset, NoticeEvent, Receiver

PUSH, LETTER = "push-notices", "mail-notices"
MAIL_WAITS = dt.timedelta(hours=1)
"""What comes within an hour goes in one mail."""


@dataclass(frozen=True)
class Happened:
    """What a publisher shall hear. `kind`: made, changed, reopened, contested, withdrawn."""

    dataset_id: int
    notice_id: str
    kind: str


def tell(session: Session, happened: Iterable[Happened], *, now: dt.datetime) -> None:
    """Put these into the lists of the publishers they are for, and ask for their delivery."""
    by_dataset: dict[int, list[Happened]] = defaultdict(list)
    for one in happened:
        by_dataset[one.dataset_id].append(one)
    for publisher_id, own in sorted(_by_publisher(session, by_dataset).items()):
        first = _take_numbers(session, publisher_id, len(own))
        session.execute(
            insert(NoticeEvent),
            [
                {
                    "publisher_id": publisher_id,
                    "seq": seq,
                    "notice_id": one.notice_id,
                    "kind": one.kind,
                    "made_at": now,
                }
                for seq, one in enumerate(own, first)
            ],
        )
        ask_delivery(session, publisher_id, now=now)


def ask_delivery(session: Session, publisher_id: int, *, now: dt.datetime) -> None:
    """Have what waits for a publisher pushed at once, and mailed within the hour."""
    payload, key = {"publisher": publisher_id}, f"publisher:{publisher_id}"
    pushes = select(Receiver.webhook_url).where(Receiver.publisher_id == publisher_id)
    if session.scalar(pushes) is not None:
        enqueue(session, lane=OUT, kind=PUSH, key=key, payload=payload, now=now)
    enqueue(session, lane=MAIL, kind=LETTER, key=key, payload=payload, now=now, run_at=now + MAIL_WAITS)


def receiver_of(session: Session, publisher_id: int) -> Receiver:
    """A publisher's counters, locked until the transaction ends; made where there are none."""
    found = session.get(Receiver, publisher_id, with_for_update=True, populate_existing=True)
    if found is None:
        found = Receiver(publisher_id=publisher_id, next_seq=1, polled_to=0, mailed_to=0, pushed_to=0)
        session.add(found)
        session.flush()
    return found


def _take_numbers(session: Session, publisher_id: int, count: int) -> int:
    receiver_of(session, publisher_id)
    taken = (
        update(Receiver)
        .where(Receiver.publisher_id == publisher_id)
        .values(next_seq=Receiver.next_seq + count)
        .returning(Receiver.next_seq)
    )
    return session.execute(taken).scalar_one() - count


def _by_publisher(session: Session, by_dataset: Mapping[int, list[Happened]]) -> dict[int, list[Happened]]:
    found: dict[int, list[Happened]] = defaultdict(list)
    columns = select(Dataset.id, Dataset.publisher_id).where(Dataset.id.in_(by_dataset)).order_by(Dataset.id)
    for dataset_id, publisher_id in session.execute(columns):
        found[publisher_id] += by_dataset[dataset_id]
    return found
