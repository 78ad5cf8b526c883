"""What the operator did, who, and why: never deleted."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from registry.models import OperatorAct


def acts(session: Session, *, before: int | None = None, limit: int) -> list[dict[str, Any]]:
    """The newest first; `before` is the id of the last one that was shown."""
    statement = select(OperatorAct).order_by(OperatorAct.id.desc()).limit(limit)
    found = session.scalars(statement if before is None else statement.where(OperatorAct.id < before))
    return [
        {"id": act.id, "at": act.at, "who": act.who, "what": act.what, "subject": act.subject, "why": act.why}
        for act in found
    ]
