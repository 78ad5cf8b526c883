"""An outcome statement, signed."""

from __future__ import annotations

from collections.abc import Sequence

from byline.client.describe import Stamp
from byline.formats import envelope, outcomes, statements
from byline.formats.keys import PrivateKey
from byline.formats.outcomes import Said


def outcome_statement(
    said: Sequence[Said], key: PrivateKey, *, publisher: str, origin: str, previous: str | None, stamp: Stamp
) -> bytes:
    """The envelope. `previous`: the digest of this publisher's last outcome statement, hex."""
    common = statements.common(origin=origin, now=stamp.now, nonce=stamp.nonce, previous=previous)
    return envelope.sign(outcomes.build(common, publisher=publisher, outcomes=said), key)
