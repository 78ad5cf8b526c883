"""Bring a publisher what happened to its notices by webhook.

At least once and in order: what was delivered is written down after it was, so a crash between the two sends
the same message again, under the same id. Nobody waits for a publisher's server but this job.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Sequence

from sqlalchemy.orm import Session

from byline.errors import BylineError, Unavailable
from byline.formats import canonical
from registry.database import Sessions, transaction
from registry.egress import Egress
from registry.egress.webhooks import signed_headers
from registry.models import Receiver
from registry.optouts.delivering import Event, delivered, events
from registry.optouts.telling import ask_delivery, receiver_of
from registry.seal import Seal

BATCH = 100
GONE = 410


def push(sessions: Sessions, *, egress: Egress, seal: Seal, publisher_id: int, now: dt.datetime) -> None:
    """Send the next message of a publisher's webhook; more waiting asks for another run. May be repeated.

    Unavailable("webhook-failed"), to be tried again later and later.
    """
    with transaction(sessions) as session:
        found = _next_batch(session, publisher_id)
        if found is None:
            return
        receiver, batch = found
        url, secret = receiver.webhook_url or "", seal.open(receiver.webhook_secret_sealed or b"")
    message_id, body = _message(publisher_id, batch)
    try:
        status = egress.post(url, body, headers=signed_headers(message_id, body, secret, now)).status
        problem = None if 200 <= status < 300 else f"the webhook answered {status}"
    except BylineError as error:
        status, problem = 0, error.message
    with transaction(sessions) as session:
        receiver = receiver_of(session, publisher_id)
        if problem is None:
            _pushed(session, receiver, batch, hashlib.sha256(body).hexdigest(), now)
            return
        receiver.webhook_error = problem[:300]
        receiver.webhook_failing_since = receiver.webhook_failing_since or now
        if status == GONE:  # Standard Webhooks: 410 asks never to be called again
            receiver.webhook_url = receiver.webhook_secret_sealed = None
            return
    raise Unavailable("webhook-failed", problem, retry_after=60)


def _next_batch(session: Session, publisher_id: int) -> tuple[Receiver, list[Event]] | None:
    """The message on its way, else the next one; its end is kept before it is sent."""
    receiver = receiver_of(session, publisher_id)
    if receiver.webhook_url is None:
        return None
    to = receiver.batch_to or min(receiver.next_seq - 1, receiver.pushed_to + BATCH)
    batch = events(session, publisher_id, after=receiver.pushed_to, to=to, limit=BATCH)
    if not batch:
        return None
    receiver.batch_to = batch[-1].seq
    return receiver, batch


def _pushed(
    session: Session, receiver: Receiver, batch: Sequence[Event], proof: str, now: dt.datetime
) -> None:
    receiver.batch_to = receiver.webhook_error = receiver.webhook_failing_since = None
    if receiver.pushed_to >= batch[-1].seq:
        return
    receiver.pushed_to = batch[-1].seq
    delivered(
        session, receiver.publisher_id, channel="webhook", from_seq=batch[0].seq, to_seq=batch[-1].seq,
        proof=proof, now=now,
    )  # fmt: skip
    if receiver.next_seq - 1 > receiver.pushed_to:
        ask_delivery(session, receiver.publisher_id, now=now)


def _message(publisher_id: int, batch: Sequence[Event]) -> tuple[str, bytes]:
    """The id and the body: the same for the same events, and nothing of a person in it."""
    body = {
        "type": "notices.waiting",
        "timestamp": canonical.timestamp(batch[-1].made_at),
        "data": {
            "after": batch[0].seq - 1,
            "to": batch[-1].seq,
            "events": [
                {"seq": one.seq, "kind": one.kind, "notice": one.notice_id, "dataset": one.dataset}
                for one in batch
            ],
        },
    }
    name = hashlib.sha256(f"{publisher_id}:{batch[0].seq}:{batch[-1].seq}".encode()).hexdigest()[:24]
    return f"msg_{name}", json.dumps(body, separators=(",", ":")).encode()
