"""The signature of a webhook: Standard Webhooks 1.0."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac


def signed_headers(message_id: str, body: bytes, secret: str, now: dt.datetime) -> dict[str, str]:
    """HMAC-SHA-256 over `id.timestamp.body` under the secret behind `whsec_`."""
    stamp = str(int(now.timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{message_id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }
