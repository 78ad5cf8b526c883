"""What may be believed next, given what is believed: no I/O."""

from __future__ import annotations

import datetime as dt

from byline.errors import Untrusted
from byline.formats import merkle
from byline.formats.checkpoint import Checkpoint
from byline.formats.feedhead import Head
from byline.formats.merkle import Read
from byline.formats.receipt import Proved


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


def check_log_follows(last: Checkpoint | None, shown: Checkpoint, read: Read) -> None:
    """A verified checkpoint may follow the one believed last; `read` gives nodes of the shown log from its tiles.

    Untrusted("log-went-back") for a shorter log, Untrusted("log-forked") for one that does not go on from it, and
    Untrusted("log-truncated", "log-tiles-wrong") where the served tiles are not those of the checkpoint.
    """
    if last is None or last == shown:
        return
    if shown.size < last.size:
        raise Untrusted(
            "log-went-back",
            f"the log had {last.size} entries and is shown with {shown.size}: an old copy is served",
        )
    if shown.size == last.size:
        raise Untrusted("log-forked", f"there are two different logs of {shown.size} entries")
    check_root(shown, read)
    if last.size:
        proof = merkle.consistency_proof(last.size, shown.size, read)
        merkle.verify_consistency(proof, old=last.size, new=shown.size, heads=(last.root, shown.root))


def check_root(shown: Checkpoint, read: Read) -> None:
    """Untrusted("log-tiles-wrong") unless the tiles that `read` reads give the root of this checkpoint."""
    if merkle.root_of(shown.size, read) != shown.root:
        raise Untrusted("log-tiles-wrong", "the log's tiles do not give the root that its checkpoint signs")


def check_logged(head: Head, proved: Proved) -> None:
    """Untrusted("head-not-logged") unless a proved entry is this head's."""
    entry = proved.entry
    if (entry["kind"], entry.get("seq"), entry.get("digest")) != ("feed", head.seq, head.sha256):
        raise Untrusted("head-not-logged", f"the receipt of the feed's head {head.seq} is of another entry")


def check_fresh(head: Head, *, now: dt.datetime, max_age: dt.timedelta | None = None) -> None:
    """Untrusted("feed-expired") or Untrusted("feed-stale") where a head is too old to go by."""
    if now >= head.expires:
        raise Untrusted(
            "feed-expired",
            f"the feed's head expired at {_said(head.expires)}; byline sync must bring a newer one",
        )
    if max_age is not None and now - head.time > max_age:
        raise Untrusted(
            "feed-stale",
            f"the feed's head is of {_said(head.time)}, older than --max-age; byline sync must bring a newer one",
        )


def _said(instant: dt.datetime) -> str:
    return instant.strftime("%Y-%m-%d %H:%M:%S UTC")
