"""Requests that a publisher signed (RFC 9421)."""

from __future__ import annotations

from urllib.parse import urlsplit

import flask
from sqlalchemy.orm import Session

from api.section import runtime
from registry.publishing.requests import Received, SignedBy, signer


def signed_by(session: Session, *, body: bytes = b"") -> SignedBy:
    """Whose request this is; Untrusted where it is nobody's.

    A public registry is asked under its one name: a request that somebody signed for another server is none
    for this one, whatever Host it is sent with.
    """
    here, request = runtime(), flask.request
    root = here.settings.public_url.rstrip("/") if here.settings.is_public else request.host_url.rstrip("/")
    base = f"{urlsplit(root).scheme}://{urlsplit(root).netloc}"
    query = request.query_string.decode("latin-1")
    url = f"{base}{request.path}{'?' if query else ''}{query}"
    return signer(
        session, Received(request.method, url, dict(request.headers.items()), body), now=here.clock()
    )
