"""What a holder is asked, and what it says it did: read, signed, sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from byline.client.api import Registry
from byline.client.describe import Stamp
from byline.formats import envelope, outcomes, statements
from byline.formats.keys import PrivateKey
from byline.formats.outcomes import Said


@dataclass(frozen=True)
class By:
    """Who says it: a publisher, by a key of it with the role `outcome`."""

    publisher: str
    key: PrivateKey


def outcome_statement(
    said: Sequence[Said], key: PrivateKey, *, publisher: str, origin: str, previous: str | None, stamp: Stamp
) -> bytes:
    """The envelope. `previous`: the digest of this publisher's last outcome statement, hex."""
    common = statements.common(origin=origin, now=stamp.now, nonce=stamp.nonce, previous=previous)
    return envelope.sign(outcomes.build(common, publisher=publisher, outcomes=said), key)


def send_outcomes(registry: Registry, said: Sequence[Said], by: By, *, stamp: Stamp) -> dict[str, Any]:
    """Sign and send: `{"digest", "publisher", "taken": {outcome: n}}`."""
    head = registry.notices(by.key, after=0, limit=1).get("outcomes_head")
    signed = outcome_statement(
        said, by.key, publisher=by.publisher, origin=registry.about()["origin"], previous=head, stamp=stamp
    )
    return registry.report(signed)


def every_event(
    registry: Registry, key: PrivateKey, *, after: int = 0, keep: bool = False
) -> Iterator[Mapping[str, Any]]:
    """Every event after `after`; asking once more after the last says that it arrived, unless `keep`."""
    while True:
        page = registry.notices(key, after=after, limit=100)
        yield from page["items"]
        if not page["items"] or (keep and page["next"] >= page["last"]):
            return
        after = page["next"]
