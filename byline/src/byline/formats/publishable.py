"""What may stand in the public key feed, and what a filter asks it (docs/formats/selectors.md.

"What is published").

A fingerprint tells whoever can guess its preimage that somebody objected. So only what cannot be counted up
stands there: Flickr's `{id}_{secret}`, digests of files, URLs with an unguessable part, and hosts whose owner
asked for it.
"""

from __future__ import annotations

import re
from itertools import pairwise

from byline.formats.hosts import host_chain, host_covers, require_host
from byline.formats.makers import digest_text
from byline.formats.platforms import shown
from byline.formats.probes import Probes, batch_probes
from byline.formats.selector_text import fingerprint
from byline.formats.urls import canonical_url

__all__ = [
    "Probes",
    "batch_probes",
    "host_chain",
    "host_covers",
    "is_unguessable",
    "require_host",
    "row_fingerprints",
]

_UUID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-([0-9a-f])[0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE
)
_RUN = re.compile(r"[0-9A-Za-z]{20,}")
_HEX_RUN = re.compile(r"(?:[0-9a-f]+|[0-9A-F]+)$")
_OBJECT_ID = 24  # a document id of that many hex digits is a time, a machine and a counter
_WORD_OR_NUMBER = re.compile(r"[0-9]{10,}|[a-z]{7,}|[A-Z]{7,}")


def row_fingerprints(
    url: str | None, landing_url: str | None, sha256: str | None
) -> tuple[tuple[str, int], ...]:
    """The (kind, k) of a row that may be published: `fs`, `u` (unguessable URLs only), `sha256`."""
    found: list[tuple[str, int]] = []
    for canonical in map(canonical_url, (url, landing_url)):
        if canonical is None:
            continue
        page = shown(canonical)
        if page is not None and page.static is not None:
            found.append(("fs", fingerprint("fs", page.static)))
        elif is_unguessable(canonical):
            found.append(("u", fingerprint("u", canonical)))
    digest = digest_text(sha256)
    if digest is not None:
        found.append(("sha256", fingerprint("sha256", digest)))
    return tuple(dict.fromkeys(found))


def is_unguessable(canonical: str) -> bool:
    """Whether the path or query of a b1 URL carries a random token.

    Strict, so that what is in doubt is not published.

    A token is a random UUID (version 4), or a run of at least 20 letters and digits that looks drawn: hex
    digits, or small letters and digits (25), or all three classes (22). Numbers, dates, words, slugs,
    time-based ids never are.
    """
    rest = canonical.partition("/")[2]
    for uuid in _UUID.finditer(rest):
        if uuid[1] == "4" and uuid[2] in "89abAB" and len(set(uuid[0])) > 8:
            return True
    return any(_looks_drawn(run) for run in _RUN.findall(_UUID.sub(" ", rest)))


def _looks_drawn(run: str) -> bool:
    classes = [0 if letter.isdigit() else 1 if letter.islower() else 2 for letter in run]
    switches = sum(one != other for one, other in pairwise(classes)) / (len(run) - 1)
    to_digits = sum((one == 0) != (other == 0) for one, other in pairwise(classes))
    if (
        len(set(run)) < 10 or to_digits < 4 or _WORD_OR_NUMBER.search(run)
    ):  # TheBrownFoxAtTheHarbour2019 has one
        return False
    if _HEX_RUN.match(run):
        time_based = len(run) == 32 and run[12] in "1267" and run[16] in "89abAB"
        return len(run) != _OBJECT_ID and not time_based and switches >= 0.25
    if len(set(classes)) == 3:
        return len(run) >= 22 and switches >= 0.45
    return len(run) >= 25 and switches >= 0.25
