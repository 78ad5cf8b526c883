"""Where a publisher wants to be told: set, shown, taken back."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from registry.models import Receiver
from registry.optouts.delivering import waiting_count
from registry.optouts.telling import ask_delivery, receiver_of
from registry.seal import Seal


def set_webhook(
    session: Session,
    *,
    publisher_id: int,
    url: str,
    seal: Seal,
    now: dt.datetime,
    token_bytes: Callable[[int], bytes],
) -> dict[str, Any]:
    """Tell a publisher there from now on; `webhook_view` with `secret`, which is shown this once.

    The caller has checked the address (`Egress.check`). What waits already is sent at once.
    """
    secret = f"whsec_{base64.b64encode(token_bytes(32)).decode()}"
    receiver = receiver_of(session, publisher_id)
    receiver.webhook_url, receiver.webhook_secret_sealed = url, seal.seal(secret)
    receiver.webhook_error = receiver.webhook_failing_since = receiver.batch_to = None
    receiver.pushed_to = max(receiver.pushed_to, receiver.polled_to)
    session.flush()
    ask_delivery(session, publisher_id, now=now)
    return webhook_view(session, publisher_id=publisher_id) | {"secret": secret}


def drop_webhook(session: Session, *, publisher_id: int) -> dict[str, Any]:
    """Tell nobody there any more."""
    receiver = receiver_of(session, publisher_id)
    receiver.webhook_url = receiver.webhook_secret_sealed = None
    receiver.webhook_error = receiver.webhook_failing_since = receiver.batch_to = None
    return webhook_view(session, publisher_id=publisher_id)


def webhook_view(session: Session, *, publisher_id: int) -> dict[str, Any]:
    """`{"url", "error", "failing_since", "waiting", "delivered_to"}`; url is None where there is none."""
    receiver = session.get(Receiver, publisher_id)
    if receiver is None:
        return {"url": None, "error": None, "failing_since": None, "waiting": 0, "delivered_to": 0}
    return {
        "url": receiver.webhook_url,
        "error": receiver.webhook_error,
        "failing_since": receiver.webhook_failing_since,
        "waiting": waiting_count(session, receiver),
        "delivered_to": max(receiver.polled_to, receiver.pushed_to),
    }
