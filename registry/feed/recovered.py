"""Feed heads a restored database has forgotten: their numbers stand in the log, and are never given twice."""

from __future__ import annotations

from sqlalchemy import select

from byline.formats.entries import parse_entry
from registry.database import Sessions, transaction
from registry.models import Act, FeedHead


def take_heads(sessions: Sessions) -> int:
    """Know every logged head again; how many were forgotten. The next build makes a new one."""
    with transaction(sessions) as session:
        known = set(session.scalars(select(FeedHead.seq)))
        acts = select(Act.leaf, Act.number, Act.made_at).where(Act.kind == "feed", Act.leaf.is_not(None))
        fresh = 0
        for leaf, number, made_at in session.execute(acts.execution_options(yield_per=1_000)):
            entry = parse_entry(leaf or b"")
            if entry["seq"] in known:
                continue
            known.add(entry["seq"])
            fresh += 1
            session.add(
                FeedHead(
                    seq=entry["seq"],
                    sha256=entry["digest"],
                    content_sha256="",  # unlike any content: the next build does not take it for its own
                    number=number or 0,
                    made_at=made_at,
                )
            )
    return fresh
