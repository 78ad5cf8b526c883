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
        acts = session.scalars(select(Act).where(Act.kind == "feed", Act.leaf.is_not(None))).all()
        entries = [(act, parse_entry(act.leaf or b"")) for act in acts]
        fresh = [(act, entry) for act, entry in entries if entry["seq"] not in known]
        session.add_all(
            FeedHead(
                seq=entry["seq"],
                sha256=entry["digest"],
                content_sha256="",  # unlike any content: the next build does not take it for its own
                number=act.number or 0,
                made_at=act.made_at,
            )
            for act, entry in fresh
        )
    return len(fresh)
