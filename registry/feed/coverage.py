"""How much of what people asked a feed can say: every report of a filter repeats these numbers."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from registry.models import Fingerprint, OptOut


def coverage(session: Session, *, in_row_feeds: Collection[str]) -> dict[str, int]:
    """`opt_outs` in force, each counted in exactly one of the other four.

    `as_fingerprints`: at least one key names something of it; `rows_only`: only registered files say it;
    `publisher_only`: asked of publishers alone (also what people in pictures ask); `not_expressible`: no feed
    says it.
    """
    with_keys = set(session.scalars(select(Fingerprint.opt_out_id).distinct()))
    counts = dict.fromkeys(("as_fingerprints", "rows_only", "publisher_only", "not_expressible"), 0)
    standing = select(OptOut.id, OptOut.publisher_only, OptOut.relation).where(OptOut.state == "in-force")
    for opt_out_id, publisher_only, relation in session.execute(standing):
        if publisher_only or relation != "maker":
            counts["publisher_only"] += 1
        elif opt_out_id in with_keys:
            counts["as_fingerprints"] += 1
        elif opt_out_id in in_row_feeds:
            counts["rows_only"] += 1
        else:
            counts["not_expressible"] += 1
    return {"opt_outs": sum(counts.values()), **counts}
