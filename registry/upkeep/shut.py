"""While views are made again nobody may read or write them: the registry says so in its own tables.

The mark outlives a crash. Until a rebuild has come to its end, no server and no worker starts.
"""

from __future__ import annotations

from sqlalchemy import Engine, delete, insert, select
from sqlalchemy.orm import Session

from byline.errors import Refused
from registry.database import Sessions, transaction
from registry.models import Follower
from registry.moving.held import alone_with

NAME = "rebuild"


def shut(engine: Engine) -> None:
    """From here on nothing starts. Refused("registry-runs") where somebody has the database open."""
    with alone_with(engine) as held:
        if held.scalar(select(Follower.number).where(Follower.name == NAME)) is None:
            held.execute(insert(Follower).values(name=NAME, number=0))
        held.commit()


def open_again(sessions: Sessions) -> None:
    """It came to its end."""
    with transaction(sessions) as session:
        session.execute(delete(Follower).where(Follower.name == NAME))


def check_open(session: Session) -> None:
    """Refused("rebuild-unfinished") while views are being made again, or were until somebody pulled the plug."""
    if session.scalar(select(Follower.number).where(Follower.name == NAME)) is not None:
        raise Refused(
            "rebuild-unfinished",
            "a rebuild is on its way or was interrupted; run `byline-registry rebuild` to its end",
        )
