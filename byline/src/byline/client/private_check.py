"""Ask the key feed about a few URLs or digests without telling the registry which: by prefix (docs/formats/doors.md).

The registry sees the first hex digits of a fingerprint, and gives the 200 or more that begin so. This takes its word:
who must have proof syncs the feed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from byline.client.transport import Transport
from byline.errors import Refused, Untrusted
from byline.formats import canonical
from byline.formats.categories import EVERYTHING, labels
from byline.formats.feedhead import MAX_HEAD, Head, parse_head
from byline.formats.publishable import batch_probes
from byline.formats.ranges import DIGITS, digits_for, hex_of
from byline.formats.selectors import digest_text, fingerprint

MOST = 256
_TRIES = 3
Keys = tuple[tuple[str, int], ...]


def check(transport: Transport, asked: Sequence[str], *, bits: int = EVERYTHING) -> dict[str, Any]:
    """What the feed says of each: `opted-out`, `not-in-feed` (no "no") or `cannot-tell`, with the feed's coverage.

    `bits`: the uses that matter. Refused("too-many-to-ask") above 256; NotFound("no-feed-yet"), Unavailable,
    Untrusted("bad-answer").
    """
    if len(asked) > MOST:
        raise Refused(
            "too-many-to-ask", f"ask {MOST} at most; for more: byline sync, then byline filter", at="WHAT"
        )
    head = parse_head(transport.fetch("/feed/v1/head.json", max_bytes=MAX_HEAD))
    probes = [_keys(one, head) for one in asked]
    found = _found(transport, sorted({k for keys in probes for _, k in keys}), head)
    return {
        "items": [_item(one, keys, found, bits) for one, keys in zip(asked, probes, strict=True)],
        "feed": {"origin": head.origin, "seq": head.seq, "time": canonical.timestamp(head.time)},
        "coverage": dict(head.coverage),
    }


def _keys(asked: str, head: Head) -> Keys:
    """What a URL or a digest is asked for as: kind and fingerprint of each."""
    digest = digest_text(asked.removeprefix("sha256:"))
    if digest is not None:
        return (("sha256", fingerprint("sha256", digest)),)
    probes = batch_probes(pa.array([asked], pa.string()), hosts=bool(head.hosts))
    if not probes.readable[0]:
        return ()
    hosts = probes.host_ks[0] if probes.host_ks else ()
    return (("fs" if probes.fs[0] else "u", int(probes.k[0])), *(("h", k) for k in hosts))


def _found(transport: Transport, wanted: Sequence[int], head: Head) -> dict[int, int]:
    """The bits of each; a feed that grew meanwhile wants other prefixes, and says how long."""
    digits = digits_for(head.keys)
    for _ in range(_TRIES):
        try:
            prefixes = sorted({hex_of(k)[:digits] for k in wanted})  # the order tells nothing
            buckets = {prefix: _bucket(transport, prefix) for prefix in prefixes}
            return {k: buckets[hex_of(k)[:digits]].get(hex_of(k), 0) for k in wanted}
        except Refused as error:  # noqa: PERF203 - each try is a request
            digits = _other_digits(error, most=digits_for(head.keys) + 1)
    raise Untrusted("bad-answer", "the registry asks for prefixes of another length again and again")


def _other_digits(error: Refused, *, most: int) -> int:
    details = error.details if isinstance(error.details, dict) else {}
    told = details.get("digits")
    if error.code != "wrong-prefix-length" or not isinstance(told, int):
        raise error
    if not 0 < told <= most:  # a registry that wants whole fingerprints wants to know what is asked
        words = f"the registry wants {told} hex digits where its feed allows {most}"
        raise Untrusted("prefix-tells-too-much", words)
    return told


def _bucket(transport: Transport, prefix: str) -> dict[str, int]:
    answer = transport.get(f"/v1/range/{prefix}")
    items = answer.get("items") if isinstance(answer, Mapping) else None
    if not isinstance(items, list) or not all(_is_key(one) for one in items):
        raise Untrusted("bad-answer", "the registry's range is no list of fingerprints")
    return {str(one["k"]): int(one["c"]) for one in items}


def _is_key(one: object) -> bool:
    if not isinstance(one, Mapping):
        return False
    k, c = one.get("k"), one.get("c")
    return isinstance(k, str) and len(k) == DIGITS and isinstance(c, int) and 0 <= c <= EVERYTHING


def _item(asked: str, keys: Keys, found: Mapping[int, int], bits: int) -> dict[str, Any]:
    hits = [(kind, found[k] & bits) for kind, k in keys if found[k] & bits]
    if not hits:
        return {"asked": asked, "answer": "not-in-feed" if keys else "cannot-tell"}
    together = 0
    for _, bit in hits:
        together |= bit
    by = list(dict.fromkeys(kind for kind, _ in hits))
    return {"asked": asked, "answer": "opted-out", "by": by, "categories": labels(together)}
