"""Statements as they are sent: the DSSE envelope is the body."""

from __future__ import annotations

from typing import Any

from api.body import JSON, bounded, of_type
from api.section import runtime

DSSE_JSON = "application/vnd.dsse.envelope.v1+json"
# Base64 makes four bytes of three; the rest is for a few signatures and the envelope's own words.
ROOM = 16 << 10

ENVELOPE = {
    "type": "object",
    "description": "A DSSE envelope around an in-toto Statement v1, signed with Ed25519.",
    "required": ["payloadType", "payload", "signatures"],
    "properties": {
        "payloadType": {"type": "string", "const": "application/vnd.in-toto+json"},
        "payload": {"type": "string", "contentEncoding": "base64"},
        "signatures": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["sig"],
                "properties": {
                    "keyid": {"type": "string"},
                    "sig": {"type": "string", "contentEncoding": "base64"},
                },
            },
        },
    },
}
ENVELOPE_DOC: dict[str, Any] = {
    "requestBody": {"required": True, "content": {kind: {"schema": ENVELOPE} for kind in (JSON, DSSE_JSON)}}
}


def sent_envelope() -> bytes:
    """The body, bounded, as it came: signed bytes are kept and hashed as they came."""
    of_type(JSON, DSSE_JSON)
    return bounded(runtime().settings.max_payload * 4 // 3 + ROOM)
