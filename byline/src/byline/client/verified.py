"""What may be believed next, given what is believed: no I/O."""

from __future__ import annotations

import datetime as dt

from byline.errors import Untrusted
from byline.formats.feedhead import Head


def check_key(pinned: str | None, told: str) -> None:
    """Untrusted("key-changed") where a registry shows another key than the one pinned."""
    if pinned is not None and pinned.strip() != told.strip():
        raise Untrusted(
            "key-changed",
            "the registry shows another log key than the one this state trusts; ask its operator, and begin a new "
            "state only if they can say why",
            details={"pinned": pinned.strip(), "shown": told.strip()},
        )


def check_follows(last: Head | None, head: Head) -> None:
    """A verified head may follow what was believed last.

    Untrusted("feed-went-back") for a lower number, Untrusted("feed-forked") for the same number with other content:
    then two clients are told two stories, and both heads are the evidence.
    """
    if last is None:
        return
    if head.seq < last.seq:
        raise Untrusted(
            "feed-went-back", f"the feed was at {last.seq} and is now at {head.seq}: an old copy is served"
        )
    if head.seq == last.seq and head.sha256 != last.sha256:
        raise Untrusted(
            "feed-forked",
            f"there are two different heads with the number {head.seq}",
            details={"believed": last.sha256, "shown": head.sha256},
        )


def check_fresh(head: Head, *, now: dt.datetime, max_age: dt.timedelta | None = None) -> None:
    """Untrusted("feed-expired") or Untrusted("feed-stale") where a head is too old to go by."""
    if now >= head.expires:
        raise Untrusted("feed-expired", f"the feed's head expired at {_said(head.expires)}; run byline sync")
    if max_age is not None and now - head.time > max_age:
        raise Untrusted(
            "feed-stale", f"the feed's head is of {_said(head.time)}, older than --max-age; run byline sync"
        )


def _said(instant: dt.datetime) -> str:
    return instant.strftime("%Y-%m-%d %H:%M:%S UTC")
