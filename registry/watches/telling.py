"""Deliver what a watch has waiting: one mail for all of it, or one webhook message each, in order.

At least once: what was told is written down after it was. Sent again it is the same mail, and the same message under the
same id.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from byline.errors import NotFound, Refused, Unavailable
from byline.formats import canonical
from registry.config import Settings
from registry.database import Sessions, transaction
from registry.egress import Egress
from registry.egress.webhooks import signed_headers
from registry.jobs import MAIL, OUT
from registry.mail import Mailer
from registry.models import Dataset, Manifest, Notice, Publisher, Watch, WatchEvent
from registry.seal import Seal
from registry.watches.asking import OF_OPT_OUT, ask_telling, end, end_key

AT_ONCE = 100
GONE = 410
_LETTER = """\
You asked {origin} to tell you about {about}. New since the last mail:

{lines}

{more}To get no more of these mails, open this page and press the button:

{end}
"""
SAID = {
    "acknowledged": "the publisher has seen your wish and is at work on it",
    "unlisted": "gone from the list: a newer version no longer names you",
    "said-deleted": "the publisher says it deleted the records",
    "suppressed": "the publisher says it holds the records back from use",
    "exempt": "the publisher says it need not take them out",
    "not-found": "the publisher says it has nothing of yours",
    "pending": "a newer version names you again: the publisher is asked once more",
}


@dataclass(frozen=True)
class News:
    """One event as it is told."""

    id: int
    kind: str
    dataset: str
    version: str | None
    state: str | None
    at: dt.datetime


def tell(
    sessions: Sessions,
    *,
    mailer: Mailer,
    egress: Egress,
    seal: Seal,
    settings: Settings,
    watch_id: str,
    now: dt.datetime,
) -> None:
    """The job: tell one watch what waits for it. May be repeated. Unavailable("webhook-failed", "mail-not-sent")."""
    with sessions() as session:
        watch = session.get(Watch, watch_id)
        if watch is None:
            return
        waiting = news(session, watch_id, untold=True, limit=AT_ONCE)
    if watch.email_sealed is not None:
        if watch.state == "on" and waiting:
            _mail(watch, waiting, mailer=mailer, seal=seal, settings=settings, now=now)
            _told(sessions, watch, waiting, now)
    else:
        _push(sessions, watch, waiting, egress=egress, seal=seal, now=now)


def news(session: Session, watch_id: str, *, untold: bool, limit: int) -> list[News]:
    """What happened for a watch: the oldest first of what it was not told, else the newest first of everything."""
    columns = (
        select(WatchEvent, Publisher.slug, Dataset.name, Manifest.version)
        .outerjoin(Manifest, Manifest.id == WatchEvent.manifest_id)
        .outerjoin(Notice, Notice.id == WatchEvent.notice_id)
        .join(Dataset, Dataset.id == func.coalesce(Manifest.dataset_id, Notice.dataset_id))
        .join(Publisher, Publisher.id == Dataset.publisher_id)
        .where(WatchEvent.watch_id == watch_id)
    )
    if untold:
        columns = columns.where(WatchEvent.told_at.is_(None))
    order = WatchEvent.id.asc() if untold else WatchEvent.id.desc()
    return [
        News(event.id, event.kind, f"{slug}/{name}", version, event.state, event.at)
        for event, slug, name, version in session.execute(columns.order_by(order).limit(limit))
    ]


def _mail(
    watch: Watch, waiting: Sequence[News], *, mailer: Mailer, seal: Seal, settings: Settings, now: dt.datetime
) -> None:
    to, key, base = (
        seal.open(watch.email_sealed or b""),
        end_key(seal, watch.id),
        settings.public_url.rstrip("/"),
    )
    opt_out = watch.about.startswith(OF_OPT_OUT)
    text = _LETTER.format(
        origin=settings.origin,
        about="the answers to your opt-out" if opt_out else watch.about,
        lines="\n".join(_line(one, base) for one in waiting),
        more=f"Your opt-out: {base}/status/open\n\n"
        if opt_out
        else f"What you can do: {base}/this-is-me\n\n",
        end=f"{base}/watches/{watch.id}/end/{key}",
    )
    # RFC 8058: one press in the mail program, and nobody is asked to sign in.
    headers = {
        "List-Unsubscribe": f"<{base}/v1/watches/{watch.id}/end/{key}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    subject = "An answer to your opt-out" if opt_out else "A new dataset names somebody you watch"
    about = f"{settings.origin} watch {watch.id} {waiting[0].id} {waiting[-1].id}"
    mailer.send(to, subject, text, now=now, about=about, headers=headers)


def _line(one: News, base: str) -> str:
    if one.kind == "answer":
        return f"- {one.dataset}: {SAID.get(one.state or '', one.state)} ({one.at:%-d %B %Y})"
    return f"- {one.dataset} {one.version}, registered {one.at:%-d %B %Y}\n  {base}/datasets/{one.dataset}"


def _push(
    sessions: Sessions, watch: Watch, waiting: Sequence[News], *, egress: Egress, seal: Seal, now: dt.datetime
) -> None:
    """The first message asks whether it is wanted at all: only who takes it is told anything."""
    if watch.state == "waiting":
        _post(sessions, watch, f"{watch.id}:made", {"type": "watch.made", "timestamp": canonical.timestamp(watch.made_at),
              "data": {"watch": watch.id, "about": watch.about}}, egress=egress, seal=seal, now=now)  # fmt: skip
        with transaction(sessions) as session:
            if (found := session.get(Watch, watch.id)) is not None and found.state == "waiting":
                found.state, found.on_since = "on", now
        return
    for one in waiting:
        body = {
            "type": f"watch.{one.kind}",
            "timestamp": canonical.timestamp(one.at),
            "data": _data(watch, one),
        }
        if not _post(sessions, watch, f"{watch.id}:{one.id}", body, egress=egress, seal=seal, now=now):
            return
        _told(sessions, watch, [one], now)


def _data(watch: Watch, one: News) -> dict[str, Any]:
    known = {"watch": watch.id, "about": watch.about, "dataset": one.dataset}
    return known | ({"state": one.state} if one.kind == "answer" else {"version": one.version})


def _post(
    sessions: Sessions,
    watch: Watch,
    name: str,
    body: dict[str, Any],
    *,
    egress: Egress,
    seal: Seal,
    now: dt.datetime,
) -> bool:
    """False where it asked never to be called again, and the watch has ended."""
    message_id = f"msg_{hashlib.sha256(name.encode()).hexdigest()[:24]}"
    data = json.dumps(body, separators=(",", ":")).encode()
    headers = signed_headers(message_id, data, seal.open(watch.secret_sealed or b""), now)
    try:
        status = egress.post(seal.open(watch.webhook_sealed or b""), data, headers=headers).status
        problem = None if 200 <= status < 300 else f"the webhook answered {status}"
    except (Unavailable, Refused, NotFound) as error:
        status, problem = 0, error.message
    with transaction(sessions) as session:
        found = session.get(Watch, watch.id)
        if found is None:
            return False
        found.problem = problem[:300] if problem else None
        found.failing_since = None if problem is None else found.failing_since or now
        if status == GONE:  # Standard Webhooks: it asks never to be called again
            end(session, [watch.id])
            return False
    if problem is not None:
        raise Unavailable("webhook-failed", problem, retry_after=60)
    return True


def _told(sessions: Sessions, watch: Watch, waiting: Sequence[News], now: dt.datetime) -> None:
    with transaction(sessions) as session:
        done = update(WatchEvent).where(WatchEvent.id.in_([one.id for one in waiting]))
        session.execute(done.values(told_at=now))
        left = (
            select(WatchEvent.id)
            .where(WatchEvent.watch_id == watch.id, WatchEvent.told_at.is_(None))
            .limit(1)
        )
        if len(waiting) == AT_ONCE and session.scalar(left) is not None:
            ask_telling(session, [watch.id], lane=OUT if watch.email_sealed is None else MAIL, now=now)


def watch_view(session: Session, watch: Watch) -> dict[str, Any]:
    """`{"id", "about", "channel", "state", "made_at", "problem", "failing_since", "events"}`, the newest hundred first."""
    return {
        "id": watch.id,
        "about": watch.about,
        "channel": "mail" if watch.email_sealed is not None else "webhook",
        "state": watch.state,
        "made_at": watch.made_at,
        "problem": watch.problem,
        "failing_since": watch.failing_since,
        "events": [
            {
                "kind": one.kind,
                "dataset": one.dataset,
                "version": one.version,
                "state": one.state,
                "at": one.at,
            }
            for one in news(session, watch.id, untold=False, limit=AT_ONCE)
        ],
    }
