"""Write to the contacts of a publisher's datasets that something waits; a mail names nobody."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from byline.errors import Refused
from registry.config import Settings
from registry.database import Sessions, transaction
from registry.mail import Mailer
from registry.models import Dataset, Delivery, Manifest, Notice, Publisher, Receiver
from registry.optouts.delivering import ANSWER_WITHIN, WAITING, Event, events
from registry.optouts.telling import receiver_of

_SUBJECT = "Requests about {dataset}"
_LETTER = """\
People whose work is in {dataset}, or in what it was made from, asked something of you through {origin}.
Waiting since the last mail: {counts}.{lineage}

Read them, with the key you publish with:

    byline notices --key KEY.pem --registry {url}

and answer with `byline outcome`. Please answer within 30 days. What each person asked is shown only to you.
"""
_LINEAGE = """
By lineage: {counts}. No record of theirs was found in this dataset itself, but in what you say it was made from.
"""


def mail(
    sessions: Sessions, *, mailer: Mailer, settings: Settings, publisher_id: int, now: dt.datetime
) -> None:
    """Write to the contacts of a publisher's datasets that something waits; the mail names nobody. May be repeated."""
    with sessions() as session:
        receiver = session.get(Receiver, publisher_id)
        if receiver is None or receiver.mailed_to >= receiver.next_seq - 1:
            return
        after, to = max(receiver.mailed_to, receiver.polled_to, receiver.pushed_to), receiver.next_seq - 1
        waiting = events(session, publisher_id, after=after, to=to, limit=to)
        contacts = {dataset: _contact(session, dataset) for dataset in {one.dataset for one in waiting}}
    reached = set()
    for dataset, own in _by_dataset(waiting).items():
        address = contacts[dataset]
        if address is None:
            continue
        with suppress(Refused):  # an address that is not: this notice waits until the publisher asks
            about = f"{settings.origin} {dataset} {own[0].seq} {own[-1].seq}"
            letter = _letter(dataset, own, settings)
            mailer.send(address, _SUBJECT.format(dataset=dataset), letter, now=now, about=about)
            reached.add(dataset)
    with transaction(sessions) as session:
        _mailed(session, publisher_id, waiting, to=to, reached=reached, now=now)


def _contact(session: Session, dataset: str) -> str | None:
    """The mail address that the newest version of a dataset names."""
    slug, _, name = dataset.partition("/")
    newest = (
        select(Manifest.contact)
        .join(Dataset, Dataset.id == Manifest.dataset_id)
        .join(Publisher, Publisher.id == Dataset.publisher_id)
        .where(Publisher.slug == slug, Dataset.name == name, Manifest.state.in_(("logged", "published")))
    )
    contact = session.scalar(newest.order_by(Manifest.id.desc()).limit(1)) or ""
    scheme, _, address = contact.partition(":")
    return address.partition("?")[0] if scheme.lower() == "mailto" and "@" in address else None


def _by_dataset(waiting: Sequence[Event]) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = defaultdict(list)
    for one in waiting:
        found[one.dataset].append(one)
    return found


def _letter(dataset: str, own: Sequence[Event], settings: Settings) -> str:
    counts = ", ".join(f"{n} {kind}" for kind, n in sorted(Counter(one.kind for one in own).items()))
    above = Counter(one.parent for one in own if one.parent)
    by_lineage = ", ".join(f"{n} from {parent}" for parent, n in sorted(above.items()))
    lineage = _LINEAGE.format(counts=by_lineage) if above else ""
    return _LETTER.format(
        dataset=dataset, counts=counts, lineage=lineage, origin=settings.origin, url=settings.public_url
    )


def _mailed(
    session: Session,
    publisher_id: int,
    waiting: Sequence[Event],
    *,
    to: int,
    reached: set[str],
    now: dt.datetime,
) -> None:
    """Notices of datasets whose contact took the mail are `sent`.

    The others, where nothing else reaches the publisher, are `undeliverable`: they wait for it to ask.
    """
    receiver = receiver_of(session, publisher_id)
    receiver.mailed_to = max(receiver.mailed_to, to)
    arrived = {one.notice_id for one in waiting if one.dataset in reached}
    clock = {"sent_at": now, "answer_by": now + ANSWER_WITHIN}
    for ids, states in ((arrived, {"state": "sent"}), ({w.notice_id for w in waiting} - arrived, {})):
        for start in range(0, len(ids), 500):
            some = sorted(ids)[start : start + 500]
            mine = update(Notice).where(Notice.id.in_(some)).execution_options(synchronize_session="fetch")
            if states:
                unsent = mine.where(Notice.sent_at.is_(None), Notice.state != "withdrawn")
                session.execute(unsent.values(**clock))
                session.execute(mine.where(Notice.state.in_(WAITING)).values(**states))
            elif receiver.webhook_url is None:
                session.execute(mine.where(Notice.state == "pending").values(state="undeliverable"))
    if arrived:
        seqs = [one.seq for one in waiting if one.notice_id in arrived]
        proof = hashlib.sha256("\n".join(sorted(arrived)).encode()).hexdigest()
        session.add(
            Delivery(
                publisher_id=publisher_id,
                channel="mail",
                from_seq=min(seqs),
                to_seq=max(seqs),
                proof=proof,
                at=now,
            )
        )
