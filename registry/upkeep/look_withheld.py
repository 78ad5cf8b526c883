"""Withheld versions: whether each one's key is there, and can be opened."""

from __future__ import annotations

from sqlalchemy import select

from registry.contributors.withheld import read_blinds
from registry.database import Sessions
from registry.models import Manifest
from registry.upkeep.findings import Finding, Findings
from registry.upkeep.versions import HELD


def look_at_withheld(sessions: Sessions) -> Findings:
    """Versions nobody can be found in any more: their key is lost, or was sealed under another seal."""
    with sessions() as session:
        withheld = select(Manifest.id, Manifest.digest).where(
            Manifest.withheld_sha256.is_not(None), Manifest.state.in_(HELD)
        )
        rows = session.execute(withheld.order_by(Manifest.id)).all()
        there = {blind.manifest_id for blind in read_blinds(session)}
    for row in rows:
        if row.id not in there:
            message = (
                "the key of its withheld rows cannot be opened: nobody is found in it; put the seal key back"
            )
            yield Finding("withheld-key-lost", row.digest, message)
