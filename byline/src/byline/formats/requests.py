"""Requests that a publisher signs to read what is for it alone: RFC 9421, in one fixed form.

Ed25519; one signature with the tag `byline`, `created` and `keyid` (the key id of docs/formats/keys.md), over
`@method` and `@target-uri`, and over `content-digest` (RFC 9530, sha-256) where there is a body.
"""

from __future__ import annotations

import datetime as dt

TAG = "byline"
COVERED = ("@method", "@target-uri")
TAKES = dt.timedelta(minutes=5)
"""How long before, and after, the registry's clock a request may be dated."""
