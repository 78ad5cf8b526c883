"""What a filter says of itself: what came, what stays, what went and why, and what it cannot tell. Never "clean"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from byline.client.feed import KEPT, KINDS, UNREADABLE, Feed, Use, Verdicts
from byline.client.layout import Columns
from byline.client.sampling import Sampled
from byline.client.tiers import REASONS, Tier
from byline.formats import canonical

DROP, KEEP = "drop", "keep"


@dataclass(frozen=True)
class Asked:
    """For which use, and what becomes of what cannot be read."""

    use: Use
    on_unreadable: str = DROP


@dataclass
class Tally:
    """What became of one file's records."""

    name: str
    tier: Tier
    columns: Columns | None = None
    sampled: Sampled | None = None
    rows_in: int = 0
    kinds: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(KINDS), dtype=np.int64))

    def add(self, verdicts: Verdicts) -> None:
        """Count records."""
        self.rows_in += len(verdicts)
        self.kinds += np.bincount(verdicts, minlength=len(KINDS))

    @property
    def unreadable(self) -> int:
        """Records nothing could be asked about."""
        return int(self.kinds[UNREADABLE])

    @property
    def dropped(self) -> dict[str, int]:
        """Opted-out records by what told so."""
        return {KINDS[at]: int(n) for at, n in enumerate(self.kinds) if n and at not in {KEPT, UNREADABLE}}

    def rows_out(self, on_unreadable: str) -> int:
        """How many stay."""
        return int(self.kinds[KEPT]) + (self.unreadable if on_unreadable == KEEP else 0)


def report(tallies: Sequence[Tally], feed: Feed, asked: Asked) -> dict[str, Any]:
    """What came in, what stays, what went and why, and what this cannot tell."""
    head = feed.head
    dropped: dict[str, int] = {}
    for tally in tallies:
        for kind, count in tally.dropped.items():
            dropped[kind] = dropped.get(kind, 0) + count
    return {
        "rows_in": sum(tally.rows_in for tally in tallies),
        "rows_out": sum(tally.rows_out(asked.on_unreadable) for tally in tallies),
        "dropped": dropped,
        "unreadable": sum(tally.unreadable for tally in tallies),
        "on_unreadable": asked.on_unreadable,
        "for": {"asked": asked.use.asked, "read_as": asked.use.label},
        "coverage": dict(head.coverage),
        "cannot_tell": cannot_tell(tallies, feed),
        "feed": {
            "origin": head.origin,
            "seq": head.seq,
            "time": canonical.timestamp(head.time),
            "expires": canonical.timestamp(head.expires),
            "sha256": head.sha256,
            "tiers": {tally.name: tally.tier.kind for tally in tallies},
        },
        "files": [_file_report(tally, asked) for tally in tallies],
    }


def cannot_tell(tallies: Sequence[Tally], feed: Feed) -> list[str]:
    """What no answer here means, in sentences."""
    coverage, by_key = feed.head.coverage, [tally for tally in tallies if tally.tier.kind == "key"]
    said = []
    if by_key:
        rows_only = coverage["rows_only"]
        said.append(
            f"{len(by_key)} of {len(tallies)} files were asked about by fingerprints only: {rows_only:,} of "
            f"{coverage['opt_outs']:,} opt-outs can be told only in the very files a publisher registered"
        )
    looked = [tally.sampled for tally in by_key if tally.sampled is not None]
    unfit = sum(one.unfit for one in looked)
    if unfit:
        said.append(
            f"of the first rows of these files ({sum(one.rows for one in looked):,} looked at) {unfit:,} show only addresses "
            "that no fingerprint may stand for (photo pages, numbered files): opted out or not, they stay"
        )
    unsaid = coverage["publisher_only"] + coverage["not_expressible"]
    if unsaid:
        said.append(
            f"{unsaid:,} opt-outs stand in no feed: they were asked of publishers only, or fit no fingerprint"
        )
    unreadable = sum(tally.unreadable for tally in tallies)
    if unreadable:
        said.append(f"{unreadable:,} rows have nothing that can be asked about")
    return said


def _file_report(tally: Tally, asked: Asked) -> dict[str, Any]:
    tier, columns = tally.tier, tally.columns
    return {
        "name": tally.name,
        "sha256": tier.sha256,
        "tier": tier.kind,
        "datasets": [entry.label for entry in tier.entries],
        "reason": tier.reason,
        "why": REASONS.get(tier.reason or ""),
        "columns": None if columns is None else [*columns.urls, *columns.digests],
        "rows_in": tally.rows_in,
        "rows_out": tally.rows_out(asked.on_unreadable),
        "dropped": tally.dropped,
        "unreadable": tally.unreadable,
        "sampled": None
        if tally.sampled is None
        else {"rows": tally.sampled.rows, "no_fingerprint_fits": tally.sampled.unfit},
    }
